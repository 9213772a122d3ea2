-- SPDX-License-Identifier: Apache-2.0
-- How to wait is all that differs between hosts. A driver is a table with one function, wait(engine, call), which
-- returns when call:done(); it steps the engine meanwhile, engine:step(seconds), and may do what its host wants
-- between. One that must break off raises: the call is then cancelled. In a coroutine of PUC 5.1 it has to cancel the
-- call itself, call:cancel(), before it raises.

local driver = {}

local names = { blocking = true }

---Finds the driver that an option names.
---@param option? "blocking"|table
---@return table? driver
---@return string? problem
function driver.find(option)
  if option == nil then
    option = "blocking"
  end
  if type(option) == "table" then
    if type(option.wait) ~= "function" then
      return nil, "a driver needs a function 'wait'"
    end
    return option
  end
  if not names[option] then
    return nil, "no driver of that name: it is 'blocking', or a table with a function 'wait'"
  end
  return require("confidentai.driver." .. option)
end

return driver
