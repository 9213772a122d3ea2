-- SPDX-License-Identifier: Apache-2.0
-- How to wait is all that differs between hosts. A driver is a table with a function
--
--   wait(engine, awaited)   returns when awaited:done(). Meanwhile it steps the engine, engine:step(seconds), and does
--                           what its host wants between. `awaited` is a call, a timer, or a group of tasks, which
--                           done() runs. One that must break off raises: what it waited for is then cancelled. In a
--                           coroutine of PUC 5.1 it calls awaited:cancel() itself, before it raises.
--
-- and, if it likes, refuse(), which gives a message where nothing can wait, so that nothing is sent: it is asked before
-- each wait; and background(engine, group), which returns at once and lets the host's loop run the group.

local driver = {}

---@class confidentai.Driver
---Returns when `awaited:done()`; steps the engine meanwhile. Raises when it must break off: what it waited for is then
---cancelled.
---@field wait fun(engine: confidentai.Engine, awaited: confidentai.Awaited)
---@field refuse? fun(): string? a message where nothing can wait: calls return it, and nothing is sent
---Begins to run `group:done()` after each step, until it is true, and returns at once: for confidentai.async.
---@field background? fun(engine: confidentai.Engine, group: confidentai.Awaited)

local names = { blocking = true, nginx = true, uv = true }

-- The host that this code runs in.
local function host()
  if ngx then -- luacheck: globals ngx
    return "nginx"
  elseif vim then -- luacheck: globals vim
    return "uv"
  end
  return "blocking"
end

---The driver of the host.
---@return confidentai.Driver
function driver.default()
  return require("confidentai.driver." .. host())
end

---Finds the driver that an option names.
---@param option? "blocking"|"nginx"|"uv"|table
---@return confidentai.Driver?
---@return string? problem
function driver.find(option)
  if option == nil then
    return driver.default()
  end
  if type(option) == "table" then
    if type(option.wait) ~= "function" then
      return nil, "a driver needs a function 'wait'"
    end
    return option
  end
  if not names[option] then
    return nil, "unknown driver: use 'blocking', 'nginx' or 'uv', or a table with a function 'wait'"
  end
  local ok, found = pcall(require, "confidentai.driver." .. option)
  if not ok then
    return nil, ("the driver '%s' does not run here: %s"):format(option, found)
  end
  return found
end

return driver
