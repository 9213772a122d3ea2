-- SPDX-License-Identifier: Apache-2.0
-- Times as people say them, and as they write them on a command line.

local duration = require "confidentai.duration"
local timestamp = require "confidentai.timestamp"

local time = {}

local UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

-- Seconds, a hundred years: later days could not be written down.
local LONGEST = 36500 * 86400

-- Returns the number that ".5" means. The decimal point of tonumber is the locale's.
local function decimals(text)
  local digits = text:sub(2, 10)
  return digits == "" and 0 or tonumber(digits) / 10 ^ #digits
end

---Seconds of a text such as "90", "45s", "30m", "24h", "7d", "2w".
---@param text string
---@return number? seconds nil: it is no time, or longer than a hundred years
function time.duration(text)
  local whole, part, unit = text:match "^(%d+)(%.?%d*)([smhdw]?)$"
  if not whole or tonumber(whole) > LONGEST then -- before it is multiplied: integers overflow
    return nil
  end
  local seconds = (tonumber(whole) + decimals(part)) * (UNITS[unit] or 1)
  return seconds <= LONGEST and seconds or nil
end

---The same for an option of argparse, with its unit: of a soak of "24" hours are meant, and seconds would be taken.
---@param text string
---@return number? seconds
---@return string? problem
function time.argument(text)
  local seconds = time.duration(text)
  if not seconds then
    return nil, ("'%s' is not a duration, such as 90s, 30m, 24h, 7d or 2w"):format(text)
  elseif seconds > 0 and not text:find "%a$" then
    return nil, ("'%s' has no unit: write %ss, %sh or %sd"):format(text, text, text, text)
  end
  return seconds
end

time.length, time.relative = duration.length, duration.relative

---Says a time of the service relative to now.
---@param text? string as the service wrote it
---@param now number seconds since 1970
---@return string as time.relative; "unreadable", "unknown"
function time.ago(text, now)
  local kind, seconds = timestamp.read(text)
  return text == timestamp.UNKNOWN and text or kind == "unreadable" and kind or time.relative(seconds, now)
end

-- Seconds since its last use for which a key counts as in use.
local RECENT = 86400

---Says when a key was last used, and whether that is so recent that it may be in use now.
---@param text? string the key's last_used
---@param now number seconds since 1970
---@return string words as duration.use
---@return boolean in_use true also if the time cannot be read
function time.last_use(text, now)
  local kind, seconds = timestamp.read(text)
  return duration.use(text, now), kind == "unreadable" or kind == "time" and now - seconds < RECENT
end

---A moment as the service writes it, in UTC: "2026-11-23T14:05:00Z".
---@param seconds? number since 1970
---@return string? text nil without a moment
function time.iso(seconds)
  return seconds and timestamp.text(seconds)
end

return time
