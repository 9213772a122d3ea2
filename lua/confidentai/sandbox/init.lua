-- SPDX-License-Identifier: Apache-2.0
-- The sandbox for specs: starts the local service as a process of its own and steers it. Works on every Lua,
-- also on those without lua-http, as long as one interpreter on the machine has it.

-- Specs are where these are often missing: the remedy comes before the places where Lua has looked.
for _, name in ipairs { "luv", "socket.http" } do
  local ok, problem = pcall(require, name)
  if not ok then
    error("confidentai.sandbox needs the modules luv and socket in the Lua that loads it\n"
      .. "Debian and Ubuntu: apt-get install lua-luv lua-socket\n"
      .. "LuaRocks: luarocks install luv && luarocks install luasocket\n" .. tostring(problem), 0)
  end
end

local Child = require "confidentai.sandbox.child"
local http = require "socket.http"
local json = require "confidentai.sandbox.json"
local ltn12 = require "ltn12"
local options = require "confidentai.sandbox.options"

local sandbox = {}

---A service that runs, as a process of its own. What fails returns nil and a message.
---@class confidentai.Sandbox
---@field base_url string what clients connect to
---@field control_url string the control path
---@field api_key string the secret of the manager organization key
---@field organization_id string
---@field projects { id: string, name: string, api_key: string }[] api_key: the secret of its first key
---@field ca_file? string with tls: the certificate to trust
---@field pid integer of the service's process
local Sandbox = {}
Sandbox.__index = Sandbox

local start_seconds = 20
local control_seconds = 10

local function control(self, method, path, value)
  if self.stopped then return nil, "the sandbox has been stopped" end
  local body, chunks = value and json.encode(value) or "", {}
  http.TIMEOUT = control_seconds
  local ok, status = http.request {
    method = method, url = self.control_url .. path, sink = ltn12.sink.table(chunks),
    source = ltn12.source.string(body),
    headers = { ["content-length"] = #body, ["content-type"] = "application/json" },
  }
  if not ok then
    return nil, ("the sandbox does not answer: %s\n%s"):format(tostring(status), self.child:errors())
  end
  local answer = json.decode(table.concat(chunks))
  if status ~= 200 and status ~= 201 then
    return nil, type(answer) == "table" and answer.error or ("status " .. tostring(status))
  end
  return answer
end

--- Queues a fault.
---@param fault table { type, method?, path?, operation?, skip?, times?, ... }, see docs/sandbox.md
---@return integer? id
---@return string? message
function Sandbox:fault(fault)
  local answer, message = control(self, "POST", "/faults", fault)
  if not answer then return nil, message end
  return answer.id
end

--- Removes all faults.
---@return boolean? ok
---@return string? message
function Sandbox:clear_faults()
  local answer, message = control(self, "DELETE", "/faults")
  return answer and true, message
end

--- The faults that can still hit a request.
---@return table[]? faults
---@return string? message
function Sandbox:faults()
  return control(self, "GET", "/faults")
end

--- The requests received, oldest first.
---@param since? integer only those with a greater number `n`
---@return table[]? entries
---@return string? message
function Sandbox:log(since)
  return control(self, "GET", "/log" .. (since and ("?since=%d"):format(since) or ""))
end

--- All keys with their full secrets.
---@return table? state { organization_id, projects, keys = { { scope, id, name, valid, value, ... } } }
---@return string? message
function Sandbox:state()
  return control(self, "GET", "/state")
end

--- Counts.
---@return table? stats { requests, faults, connections_accepted, connections_open }
---@return string? message
function Sandbox:stats()
  return control(self, "GET", "/stats")
end

--- Back to the keys of the start, without faults, with an empty log.
---@return boolean? ok
---@return string? message
function Sandbox:reset()
  local answer, message = control(self, "POST", "/reset")
  return answer and true, message
end

--- The service as it is now.
---@return table? snapshot for `restore`, to be taken as it is; it has all secrets
---@return string? message
function Sandbox:snapshot()
  return control(self, "POST", "/snapshot")
end

--- Back to a snapshot, without faults, with an empty log.
---@param snapshot table
---@return boolean? ok
---@return string? message
function Sandbox:restore(snapshot)
  local answer, message = control(self, "POST", "/restore", snapshot)
  return answer and true, message
end

--- Moves the service's clock: its Date header, created_at and lastUsed.
---@param seconds number ahead of the real time, or behind it when negative; reset sets it back
---@return boolean? ok
---@return string? message
function Sandbox:set_clock(seconds)
  local answer, message = control(self, "POST", "/clock", { offset = seconds })
  return answer and true, message
end

--- Sets how the service behaves; reset sets it back.
---@param settings table names and values of docs/sandbox.md; those not given stay
---@return table? settings all of them
---@return string? message
function Sandbox:set(settings)
  return control(self, "POST", "/settings", settings)
end

--- How the service behaves.
---@return table? settings
---@return string? message
function Sandbox:settings()
  return control(self, "GET", "/settings")
end

--- What the service has written to its standard error; empty unless something is wrong.
---@return string text
function Sandbox:errors()
  return self.child:errors()
end

--- Ends the service: SIGTERM, then SIGKILL. Does nothing the second time.
---@param seconds? number between the two; default 2
function Sandbox:stop(seconds)
  self.stopped = true
  self.child:stop(seconds)
end

function Sandbox:__close()
  self:stop()
end

--- Starts a service. It ends with this process at the latest. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.SandboxOptions
---@return confidentai.Sandbox? service
---@return string? message what the service wrote to its standard error
function sandbox.start(given)
  local wanted = {}
  if given ~= nil and type(given) ~= "table" then
    error("confidentai.sandbox.start: a table of options is expected", 2)
  end
  for name, value in pairs(given or {}) do wanted[name] = value end
  wanted.port, wanted.output = wanted.port or 0, "json"
  local complete, wrong = options.complete(wanted)
  if not complete then error("confidentai.sandbox.start: " .. wrong, 2) end
  if #complete.projects == 0 then complete.projects = json.array() end
  local child, message = Child.start(complete)
  if not child then return nil, message end
  local line
  line, message = child:line(start_seconds)
  local facts = line and json.decode(line)
  if type(facts) ~= "table" then
    child:stop()
    return nil, message or ("unexpected output: " .. tostring(line))
  end
  facts.child = child
  return setmetatable(facts, Sandbox)
end

return sandbox
