-- SPDX-License-Identifier: Apache-2.0
-- The service's times: RFC 3339. A time that cannot be read is a result of its own: it is neither a moment nor "never".

local timestamp = {}

---What a key's `last_used` is where the service leaves it out (src/lua/api_key.c). It is unreadable.
timestamp.UNKNOWN = "unknown"

-- Returns the days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March on, so that a leap
-- day is the last of its year.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

-- Returns the seconds from 1970-01-01 to the beginning of a date; nil: there is no such date.
local function date(year, month, day)
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 then
    return nil
  end
  local next_year, next_month = year, month + 1
  if next_month > 12 then
    next_year, next_month = year + 1, 1
  end
  local first = days(year, month, 1)
  return first + day <= days(next_year, next_month, 1) and (first + day - 1) * 86400 or nil
end

-- Returns the seconds of a time of day; nil: there is no such time. 60 is a leap second.
local function time_of_day(hour, minute, second)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  return hour <= 23 and minute <= 59 and second <= 60 and hour * 3600 + minute * 60 + second or nil
end

-- Returns the part of a second that ".25" means; nil: it is not a fraction. Without a decimal point in what is
-- converted: that of tonumber is the locale's, which the host may have changed.
local function fraction(text)
  local digits = text:match "^%.(%d+)$"
  if digits then
    digits = digits:sub(1, 9)
    return tonumber(digits) / 10 ^ #digits
  end
  return text == "" and 0 or nil
end

-- Returns the seconds by which the clocks of a zone such as "Z" or "+01:00" are ahead of UTC; nil: it is not a zone.
local function offset(zone)
  if zone:find "^[Zz]$" then
    return 0
  end
  local sign, hour, minute = zone:match "^([+-])(%d%d):(%d%d)$"
  local seconds = sign and time_of_day(hour, minute, 0)
  return seconds and (sign == "-" and -seconds or seconds)
end

---Reads a time such as "2026-11-23T14:05:00.123Z" or "2026-11-23 15:05:00+01:00" (RFC 3339, section 5.6). A time
---without a zone is unreadable, as nobody can tell which moment it means.
---@param text? string
---@return "time"|"never"|"unreadable" kind "never": there is no text
---@return number? seconds since 1970, of a time
function timestamp.read(text)
  if text == nil then
    return "never"
  end
  local year, month, day, hour, minute, second, rest, zone = text:match(
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)([.%d]*)([Zz+-][%d:]*)$")
  local midnight = year and date(year, month, day)
  local since, part, ahead = midnight and time_of_day(hour, minute, second), fraction(rest or "."), offset(zone or "")
  if since and part and ahead then
    return "time", midnight + since + part - ahead
  end
  return "unreadable"
end

---Writes a time as the service does, in whole seconds: "2026-11-23T14:05:00Z".
---@param seconds number since 1970
---@return string
function timestamp.text(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

return timestamp
