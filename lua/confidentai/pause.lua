-- SPDX-License-Identifier: Apache-2.0
-- Sleeping as calls are waited for: other tasks go on, and in nginx, Neovim and the like, so does the host.

local core = require "confidentai.core"
local scheduler = require "confidentai.scheduler"

---Waits for so many seconds.
---@param driver confidentai.Driver
---@param seconds number finite, from 0
---@return true? passed
---@return confidentai.Error? err of kind "config": nothing can wait here; "cancelled": a gather that was told to end
local function pause(driver, seconds)
  local problem = driver.refuse and driver.refuse()
  if problem then
    return nil, core.failure { kind = "config", message = problem }
  end
  local timer = core.engine():timer(seconds)
  scheduler.wait(driver, timer)
  if timer:passed() then
    return true
  end
  return nil, core.failure { kind = "cancelled", message = "the pause was broken off" }
end

return pause
