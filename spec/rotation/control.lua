-- SPDX-License-Identifier: Apache-2.0
-- The sandbox's control path for a harness that uses it thousands of times: snapshots stay the texts that they are.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"

local control = {}

local SECONDS = 10

---One request.
---@param service confidentai.Sandbox
---@param method string
---@param path string
---@param body? string
---@return string answer; raises when the sandbox refuses
function control.request(service, method, path, body)
  local chunks = {}
  http.TIMEOUT = SECONDS
  local ok, status = http.request {
    method = method, url = service.control_url .. path, sink = ltn12.sink.table(chunks),
    source = ltn12.source.string(body or ""),
    headers = { ["content-length"] = #(body or ""), ["content-type"] = "application/json" },
  }
  local answer = table.concat(chunks)
  if not ok or status ~= 200 then
    error(("the sandbox answers %s to %s: %s"):format(tostring(status), path, answer))
  end
  return answer
end

---The service as it is.
---@return { text: string } snapshot its content is there as fields when it is first asked for
function control.snapshot(service)
  return setmetatable({ text = control.request(service, "POST", "/snapshot") }, { __index = function(self, name)
    if not rawget(self, "organization") then
      for field, value in pairs(cjson.decode(self.text)) do
        rawset(self, field, value)
      end
    end
    return rawget(self, name)
  end })
end

---Goes back to a snapshot.
function control.restore(service, snapshot)
  control.request(service, "POST", "/restore", snapshot.text)
end

return control
