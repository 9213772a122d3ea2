-- SPDX-License-Identifier: Apache-2.0
-- A script with a loop of luv: the uv driver, in a process of its own.

local contract = require "spec.hosts.contract"
local process = require "spec.process"
local support = require "spec.support"

-- The default driver is uv; `facts` and `ticks` (the longest gap between ticks of 5 ms, in milliseconds, by
-- ticks.longest()) are at hand.
local run, case = process.host [[
  local uv = require "luv"
  require("confidentai.driver").default = function() return require "confidentai.driver.uv" end
  local facts = $FACTS
  local ticks = { gap = 0 }
  function ticks.start()
    local last = uv.hrtime()
    ticks.timer = uv.new_timer()
    ticks.timer:start(5, 5, function()
      local now = uv.hrtime()
      ticks.gap = math.max(ticks.gap, (now - last) / 1e6)
      last = now
    end)
  end
  function ticks.longest()
    ticks.timer:close()
    uv.run("nowait") -- luv would trip over a handle that closes at the end of the state
    return ticks.gap
  end
  $LINES
]]

describe("in a loop of luv", function()
  local service = support.service()

  contract(service, case)

  local function facts()
    return { base_url = service.base_url, api_key = service.api_key }
  end

  it("keeps the loop going while it waits", function()
    service:fault { type = "delay", seconds = 0.5, times = -1 }
    local ok, errors, output = run(facts(), [[
      local client = require("confidentai").new(facts)
      ticks.start()
      assert(client:organization():get())
      io.write(ticks.longest())
    ]])
    assert.is_true(ok, errors)
    assert.is_true(tonumber(output) < 250, output)
  end)

  it("runs a task in the background, and ends the loop with it", function()
    service:fault { type = "delay", seconds = 0.2, times = -1 }
    local ok, errors, output = run(facts(), [[
      local confidentai = require "confidentai"
      local client = confidentai.new(facts)
      confidentai.async(function()
        local keys = confidentai.check(client:organization().api_keys:list())
        local results = confidentai.gather { function() return client.projects:list() end }
        return #keys, #results[1]
      end, function(...) io.write(table.concat({ "ended", tostring((...)), select(2, ...) }, " ")) end)
      io.write("begun ")
      uv.run()
    ]])
    assert.is_true(ok, errors)
    assert.equal("begun ended true 2 2", output)
  end)

  it("raises in the loop what a task in the background raises", function()
    local ok, errors = run(facts(), [[
      local confidentai = require "confidentai"
      local client = confidentai.new(facts)
      confidentai.async(function() client:organization():get() error("in the task", 0) end)
      uv.run()
    ]])
    assert.matches("in the task", errors .. tostring(ok), 1, true)
  end)

  it("ends cleanly with a task under way", function()
    service:fault { type = "hang", times = -1 }
    local ok, errors, output = run(facts(), [[
      local confidentai = require "confidentai"
      local client = confidentai.new(facts)
      confidentai.async(function() client:organization():get() end)
      uv.run("nowait")
      io.write("left")
    ]])
    assert.is_true(ok, errors)
    assert.equal("left", output)
  end)
end)
