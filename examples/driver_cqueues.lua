-- SPDX-License-Identifier: Apache-2.0
-- A driver for cqueues: calls wait inside of its controllers, and other coroutines go on. Pass it as an option:
--
--   local client = confidentai.new { driver = require "driver_cqueues" }
--
-- It is all that another loop needs to know: wait until the engine's descriptor is readable, step, and look. Where the
-- loop cannot be given way to, it blocks: a generator of the user's, or a callback of gsub, must not receive our yield.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local driver = {}

-- Whoever steps may end calls that others wait for, and the descriptor then wakes nobody else.
local ended = condition.new()

local can_yield = coroutine.isyieldable -- luacheck: ignore 143

-- Whether this is a coroutine of a controller's, and not one that runs inside of it.
local function gives_way()
  local _, resumed_by_controller = cqueues.running()
  return resumed_by_controller and (not can_yield or can_yield())
end

---Returns when what is awaited is done.
function driver.wait(engine, awaited)
  while not awaited:done() do
    if gives_way() then
      cqueues.poll({ pollfd = engine:fd(), events = "r" }, ended)
      local before = engine:finished()
      engine:step(0)
      if engine:finished() ~= before then
        ended:signal()
      end
    else
      engine:step(-1)
    end
  end
end

return driver
