-- SPDX-License-Identifier: Apache-2.0
-- A host that the library knows nothing of: cqueues, by the driver among the examples.

if _VERSION == "Lua 5.1" and not jit then
  return -- there, cqueues cannot wait below the pcall that each entry runs in
end

local contract = require "spec.hosts.contract"
local process = require "spec.process"
local support = require "spec.support"

-- In a controller, beside a coroutine that counts ticks of 5 ms; the output ends with the longest gap, in seconds.
local run, case = process.host [[
  package.path = "examples/?.lua;" .. package.path
  local cqueues = require "cqueues"
  local driver = require "driver_cqueues"
  require("confidentai.driver").default = function() return driver end
  local facts = $FACTS
  local queue, over, gap = cqueues.new(), false, 0
  queue:wrap(function()
    local last = cqueues.monotime()
    while not over do
      cqueues.sleep(0.005)
      gap = math.max(gap, cqueues.monotime() - last)
      last = cqueues.monotime()
    end
  end)
  queue:wrap(function()
    $LINES
    over = true
  end)
  assert(queue:loop())
  io.write(gap)
]]

describe("in a controller of cqueues", function()
  local service = support.service()

  contract(service, case)

  it("keeps other coroutines going", function()
    service:fault { type = "delay", seconds = 0.5, times = -1 }
    local ok, errors, output = run({ base_url = service.base_url, api_key = service.api_key }, [[
      assert(require("confidentai").new(facts):organization():get())
    ]])
    assert.is_true(ok, errors)
    assert.is_true(tonumber(output) < 0.25, output)
  end)

  it("wakes all who wait, whoever steps", function()
    service:fault { type = "delay", seconds = 0.1, times = -1 }
    local ok, errors = run({ base_url = service.base_url, api_key = service.api_key, timeout = 2, max_retries = 0 }, [[
      local client, left = require("confidentai").new(facts), 10
      for _ = 1, 10 do
        queue:wrap(function()
          assert(client:organization():get())
          left = left - 1
        end)
      end
      cqueues.sleep(1)
      assert(left == 0, left)
    ]])
    assert.is_true(ok, errors)
  end)
end)
