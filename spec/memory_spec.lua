-- SPDX-License-Identifier: Apache-2.0
local process = require "spec.process"
local support = require "spec.support"

-- Sanitizers keep freed memory and shadows of it, so that sizes mean nothing under them.
local sanitized = os.getenv "ASAN_OPTIONS" ~= nil
local MIB = 2 ^ 20

describe("memory", function()
  local service = support.service()

  -- Runs a script in a fresh process and gives by how many bytes its peak grew over what it needed before.
  local function growth(options, lines)
    local status, _, output, errors = process.run(([[
      local confidentai = require "confidentai"
      local client = confidentai.check(confidentai.new { api_key = %q, base_url = %q, max_retries = 0, %s })
      local org = client:organization()
      local function peak()
        return tonumber(io.open("/proc/self/status"):read("*a"):match("VmHWM:%%s*(%%d+) kB")) * 1024
      end
      confidentai.check(client.projects:list())
      collectgarbage() collectgarbage()
      local before = peak()
      %s
      print(peak() - before)
    ]]):format(service.api_key, service.base_url, options, lines))
    assert.equal(0, status, errors)
    return tonumber(output:match("(%d+)%.?%d*%s*$")), output
  end

  local calls = {
    list = "org.api_keys:list()", create = "org.api_keys:create('x')", disable = "org.api_keys:disable(2)",
    delete = "org.api_keys:delete(2)",
  }
  local requests = { list = "list", create = "create", disable = "update", delete = "delete" }

  for name, call in pairs(calls) do
    for _, chunked in ipairs { true, false } do
      it(("stays below the cap when the answer to %s is 1 GiB %s"):format(name, chunked and "in chunks" or "announced"),
        function()
          service:fault { type = "huge", bytes = 2 ^ 30, chunked = chunked, operation = requests[name] }
          local bytes = growth("", ([[
            local result, err = %s
            assert(result == nil and err.kind == "protocol", tostring(err))
            assert(err.message:find("max_response_bytes", 1, true), err.message)
          ]]):format(call))
          if not sanitized then
            assert.is_true(bytes < 32 * MIB + 16 * MIB, ("%.1f MiB"):format(bytes / MIB))
          end
          assert.equal(0, #assert(service:faults()))
        end)
    end
  end

  it("follows a smaller cap", function()
    service:fault { type = "huge", bytes = 2 ^ 30, chunked = true, operation = "list" }
    local bytes = growth("max_response_bytes = 1048576", [[
      local _, err = org.api_keys:list()
      assert(err.kind == "protocol")
    ]])
    if not sanitized then
      assert.is_true(bytes < 8 * MIB, ("%.1f MiB"):format(bytes / MIB))
    end
  end)

  it("is not eaten by headers without end", function()
    service:fault { type = "huge_header", bytes = 64 * MIB, operation = "list" }
    local bytes = growth("", [[
      local _, err = org.api_keys:list()
      assert(err.kind == "protocol", tostring(err))
    ]])
    if not sanitized then
      assert.is_true(bytes < 8 * MIB, ("%.1f MiB"):format(bytes / MIB))
    end
  end)

  it("does not grow with the number of calls", function()
    local bytes = growth("", [[
      for i = 1, 50 do confidentai.check(org.api_keys:list()) confidentai.check(org.api_keys:get(1)) end
      collectgarbage() collectgarbage()
      before = peak()
      for i = 1, 1000 do org.api_keys:get(1) org.api_keys:get(999) end
      collectgarbage()
    ]])
    if not sanitized then
      assert.is_true(bytes < 2 * MIB, ("%.1f MiB"):format(bytes / MIB))
    end
  end)
end)
