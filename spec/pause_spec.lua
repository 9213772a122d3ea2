-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local pause = require "confidentai.pause"
local support = require "spec.support"

local blocking = require "confidentai.driver.blocking"

-- Seconds that f takes.
local function seconds(f)
  local before = core.now()
  f()
  return core.now() - before
end

describe("a timer", function()
  local engine

  before_each(function()
    engine = core.engine()
  end)
  after_each(function()
    assert.equal(0, engine:in_flight())
  end)

  it("is in flight until its time has passed", function()
    local finished = engine:finished()
    local timer = engine:timer(0.05)
    assert.equal(1, engine:in_flight())
    assert.is_false(timer:done())
    assert.is_false(timer:passed())
    assert.is_true(engine:timeout() <= 0.05)
    while not timer:done() do
      engine:step(-1)
    end
    assert.is_true(timer:passed())
    assert.equal(finished + 1, engine:finished())
    timer:cancel()
    assert.is_true(timer:passed())
  end)

  it("is done, but not passed, once it is cancelled", function()
    local finished = engine:finished()
    local timer = engine:timer(60)
    timer:cancel()
    timer:cancel()
    assert.is_true(timer:done())
    assert.is_false(timer:passed())
    assert.equal(finished + 1, engine:finished())
  end)

  it("ends when nobody can ask for it any more", function()
    for _ = 1, 10 do
      engine:timer(60)
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine:in_flight())
  end)

  it("lasts for a time that makes sense", function()
    for _, wrong in ipairs { -1, 0 / 0, math.huge, "soon", {} } do
      assert.is_false((pcall(engine.timer, engine, wrong)))
    end
    assert.is_false((pcall(engine.timer, engine)))
  end)
end)

describe("a pause", function()
  local service = support.service()

  it("takes its time", function()
    local spent = seconds(function() assert.is_true(pause(blocking, 0.1)) end)
    assert.is_true(spent >= 0.1 and spent < 1, tostring(spent))
    assert.is_true(seconds(function() assert.is_true(pause(blocking, 0)) end) < 0.5)
  end)

  it("goes on beside others, and beside calls", function()
    service:fault { type = "delay", seconds = 0.4, times = -1 }
    local client = support.client(service)
    local order = {}
    local function paused(length)
      return function()
        assert(pause(blocking, length))
        order[#order + 1] = length
        return true
      end
    end
    local results, errors
    local spent = seconds(function()
      results, errors = confidentai.gather {
        paused(0.6), paused(0.2), paused(0.5), function() return client:organization():get() end,
      }
    end)
    assert.same({}, errors)
    assert.equal(4, #results)
    assert.same({ 0.2, 0.5, 0.6 }, order)
    assert.is_true(spent >= 0.6 and spent < 1.4, tostring(spent)) -- one after the other: 1.7
  end)

  it("is broken off with its gather", function()
    local broken
    local spent = seconds(function()
      local _, errors = confidentai.gather({
        function() broken = { pause(blocking, 30) } return nil, broken[2] end,
        function() assert(pause(blocking, 0.05)) error("on purpose", 0) end,
      }, { on_error = "cancel" })
      assert.equal("cancelled", errors[1].kind)
      assert.equal("on purpose", errors[2])
    end)
    assert.is_nil(broken[1])
    assert.is_true(spent < 2, tostring(spent))
  end)

  it("is not begun where nothing can wait", function()
    local nowhere = { wait = blocking.wait, refuse = function() return "not here" end }
    local passed, err = pause(nowhere, 30)
    assert.is_nil(passed)
    support.assert_error({ kind = "config", message = "not here" }, err)
  end)

  it("ends with a driver that breaks off", function()
    local broken = { wait = function() error("broken off", 0) end }
    assert.is_false((pcall(pause, broken, 30)))
    assert.equal(0, core.engine():in_flight())
  end)
end)
