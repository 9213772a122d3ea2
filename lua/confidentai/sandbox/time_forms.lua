-- SPDX-License-Identifier: Apache-2.0
-- The forms in which the service may write a time: those of docs/platform.md, and others that RFC 3339 allows or that
-- careless services use.

local time_forms = {}

local offset_hours = 5.5 -- a zone that is not a whole hour away

local function date(seconds, separator)
  return os.date("!%Y-%m-%d" .. (separator or "T") .. "%H:%M:%S", math.floor(seconds))
end

-- The fraction is cut, not rounded: rounding could give a whole second.
local function fraction(seconds, digits)
  return ("." .. "%0" .. digits .. "d"):format(math.floor((seconds - math.floor(seconds)) * 10 ^ digits))
end

local writers = {
  z = function(seconds) return date(seconds) .. fraction(seconds, 3) .. "Z" end,
  utc = function(seconds) return date(seconds) .. fraction(seconds, 6) .. "+00:00" end,
  offset = function(seconds) return date(seconds + offset_hours * 3600) .. "+05:30" end,
  bare = function(seconds) return date(seconds) .. fraction(seconds, 6) end,
  blank = function(seconds) return date(seconds, " ") .. "+00:00" end,
  lower = function(seconds) return date(seconds, "t") .. "z" end,
  whole = function(seconds) return date(seconds) .. "Z" end,
  number = function(seconds) return math.floor(seconds) end,
  unreadable = function(seconds) return os.date("!%d.%m.%y at ", math.floor(seconds)) .. "about noon" end,
}

-- The names of the forms, as keys.
time_forms.names = {}
for name in pairs(writers) do time_forms.names[name] = true end

---Writes a time.
---@param seconds number since 1970
---@param form string a key of `names`
---@return string|integer time
function time_forms.write(seconds, form)
  return writers[form](seconds)
end

return time_forms
