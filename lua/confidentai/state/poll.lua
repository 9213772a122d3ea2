-- SPDX-License-Identifier: Apache-2.0
-- Waiting for a change of a state that tells nobody of it.

local core = require "confidentai.core"

local poll = {}

-- Seconds between two looks: a share of the time waited so far, within bounds.
local SHARE, SHORTEST, LONGEST = 0.1, 0.02, 1

---Waits until the version of a key is another.
---@param get fun(key: string): string?, string?
---@param key string
---@param version? string nil: wait until the key is there
---@param timeout number seconds
---@param pause fun(seconds: number)
---@return boolean? changed false: not within the time; nil: it could not be read
---@return string? message
function poll.wait(get, key, version, timeout, pause)
  local began = core.now()
  while true do
    local bytes, now = get(key)
    if not bytes and now then
      return nil, now
    elseif now ~= version then
      return true
    end
    local waited = core.now() - began
    if waited >= timeout then
      return false
    end
    pause(math.min(math.max(SHARE * waited, SHORTEST), LONGEST, timeout - waited))
  end
end

return poll
