-- SPDX-License-Identifier: Apache-2.0
-- Memory that runs out at any allocation of a call ends it with an error: no crash, and nothing is left behind.

if jit then
  return -- LuaJIT keeps its own allocator
end

local allocator = require "failing_allocator"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local pause = require "confidentai.pause"
local support = require "spec.support"

-- cjson itself leaks its buffer when Lua runs out of memory under it. A leak checker is told to overlook that, and can
-- do so only while the module is in memory.
local function keep_cjson()
  for template in package.cpath:gmatch "[^;]+" do
    if allocator.keep((template:gsub("%?", "cjson"))) then
      return
    end
  end
  error "cjson is not on package.cpath"
end

describe("out of memory", function()
  setup(keep_cjson)

  local service = support.service()
  local client, api_keys

  before_each(function()
    client = support.client(service, { max_retries = 0 })
    api_keys = client:organization().api_keys
  end)
  after_each(function()
    client:close()
  end)

  local operations = {
    ["a list"] = function() assert(api_keys:list()) end,
    ["a create"] = function() assert(api_keys:create("made")) end,
    ["an error"] = function() assert(not api_keys:get(999)) end,
    ["a call with flags"] = function()
      local call = client:start("GET", { "v1", "organization" }, nil,
        { credential = service.api_key, query = "a=b", fresh = true, no_retry = true })
      repeat
        core.engine():step(-1)
      until call:done()
      assert(call:result("organization"))
    end,
    ["pauses"] = function()
      local driver = core.environment(client).driver
      local function task()
        assert(pause(driver, 0.001))
      end
      local _, errors = confidentai.gather { task, task }
      assert(not errors[1], errors[1])
      assert(not errors[2], errors[2])
    end,
    ["a process"] = function()
      local process = assert(core.process({ "sh", "-c", "cat; exit 3" }, { input = "input", timeout = 5 }))
      repeat until process:step()
      assert(process:status() == 3)
      assert(core.redact(process:output(), "input") == "input")
      assert(process:errors() == "")
    end,
    ["a new client that gets another credential"] = function()
      local new = support.client(service, { max_retries = 0 })
      assert(new:replace_credential(service.api_key .. "another"))
      assert(not new:is_credential(service.api_key))
      new:close()
    end,
  }

  -- What is loaded when it is first asked for: of a module whose load has failed, Lua 5.1 says so for ever.
  setup(function() assert(confidentai.gather) end)

  for name, operation in pairs(operations) do
    it(("in %s, at every allocation"):format(name), function()
      local reached, successes, n = 0, 0, 0
      repeat
        local ok, err, count = allocator.run(n, operation)
        collectgarbage()
        assert.equal(0, core.engine():in_flight())
        if not ok then
          assert.matches("not enough memory", tostring(err), 1, true)
        end
        successes = successes + (ok and 1 or 0)
        reached = math.max(reached, count)
        n = n + 1
      until ok
      assert.equal(1, successes)
      assert.is_true(n > 5, ("%d allocations"):format(n))
      assert.is_table(assert(api_keys:list()))
    end)
  end

  it("sends a create at most once each time", function()
    local tries = 0
    repeat
      local ok = allocator.run(tries, operations["a create"])
      tries = tries + 1
      collectgarbage()
    until ok
    assert.is_true(#support.requests(service, "POST") <= tries)
    assert.is_true(#support.keys_named(service, "made") >= 1)
  end)
end)
