-- SPDX-License-Identifier: Apache-2.0
-- The service's times: ISO 8601 with Z.

local iso = {}

-- Days from 1970-01-01 to a date of the Gregorian calendar, by counting years from March on: leap days are their last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

---Seconds since 1970 of a time such as "2026-11-23T14:05:00.123Z".
---@param text? string
---@return number? seconds nil: it is none
function iso.seconds(text)
  local year, month, day, hour, minute, second, fraction = (text or ""):match(
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)([.%d]*)Z$")
  if not year or fraction ~= "" and not fraction:find "^%.%d+$" then
    return nil
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second .. fraction)
  if month < 1 or month > 12 or day < 1 or day > 31 or hour > 23 or minute > 59 or second >= 61 then
    return nil -- 60 is a leap second
  end
  return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
end

---A time as the service writes it, in whole seconds: "2026-11-23T14:05:00Z".
---@param seconds number since 1970
---@return string
function iso.text(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

return iso
