-- SPDX-License-Identifier: Apache-2.0
-- Lengths of time and moments, in words.

local timestamp = require "confidentai.timestamp"

local duration = {}

-- From the largest unit on: seconds of one, and its name.
local STEPS = { { 365 * 86400, "year" }, { 30 * 86400, "month" }, { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } }

---Says a length of time in its largest unit: "3 days", "1 hour", "20 seconds".
---@param seconds number
---@return string
function duration.length(seconds)
  for _, step in ipairs(STEPS) do
    if seconds >= step[1] then
      local count = math.floor(seconds / step[1])
      return ("%d %s%s"):format(count, step[2], count == 1 and "" or "s")
    end
  end
  local count = math.floor(seconds)
  return ("%d second%s"):format(count, count == 1 and "" or "s")
end

---Says a moment relative to now: "3 days ago", "in 2 hours", "just now".
---@param seconds? number since 1970
---@param now number
---@return string "never" without a moment
function duration.relative(seconds, now)
  if not seconds then
    return "never"
  elseif seconds > now + 1 then
    return "in " .. duration.length(seconds - now)
  elseif now - seconds < 1 then
    return "just now"
  end
  return duration.length(now - seconds) .. " ago"
end

---Says when a key was last used: "last used 3 days ago", "never used".
---@param text? string the key's last_used
---@param now number seconds since 1970
---@return string
function duration.use(text, now)
  local kind, seconds = timestamp.read(text)
  if kind == "time" then
    return "last used " .. duration.relative(seconds, now)
  elseif kind == "never" then
    return "never used"
  end
  return "last used at a time that " .. (text == timestamp.UNKNOWN and "the service does not tell" or "cannot be read")
end

---Says a moment: "2026-11-30 06:25".
---@param seconds number since 1970
---@param form? string as of os.date; default: date and time, to the minute
---@return string in UTC
function duration.moment(seconds, form)
  return os.date("!" .. (form or "%Y-%m-%d %H:%M"), math.floor(seconds))
end

return duration
