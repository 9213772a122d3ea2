-- SPDX-License-Identifier: Apache-2.0
-- The service's own clock. It runs ahead of the real one, or it is stopped and moves only when it is told to: a test of
-- days then takes milliseconds, and the same each time.

local Clock = {}
Clock.__index = Clock

---A clock that runs with the real one.
---@param real function gives seconds since 1970
---@return table clock
function Clock.new(real)
  return setmetatable({ real = real, offset = 0 }, Clock)
end

---Returns the time. It has whole milliseconds, as the service's times have: a snapshot that is kept as JSON, where
---cjson writes 14 digits, must not change them.
---@return number seconds since 1970
function Clock:now()
  return self.stopped_at or math.floor((self.real() + self.offset) * 1000 + 0.5) / 1000
end

---Moves, stops or starts the clock.
---@param change table one of `offset` (seconds ahead of the real time; it runs), `stop` (true, or the time in seconds
---since 1970 at which it stands still) and `advance` (seconds forward)
function Clock:change(change)
  if change.offset then
    self.offset, self.stopped_at = change.offset, nil
  elseif change.stop then
    self.stopped_at = change.stop == true and self:now() or change.stop
  elseif self.stopped_at then
    self.stopped_at = self.stopped_at + change.advance
  else
    self.offset = self.offset + change.advance
  end
end

local checks = {
  offset = function(value) return type(value) == "number", "must be a number of seconds" end,
  stop = function(value) return value == true or type(value) == "number", "must be true or a time in seconds" end,
  advance = function(value)
    return type(value) == "number" and value >= 0, "must be a number of seconds from 0: time does not go back"
  end,
}

---Says what is wrong with a change.
---@param change any
---@return string? message nil when it is well formed
function Clock.check(change)
  local name, value
  if type(change) == "table" then name, value = next(change) end
  if not checks[name] or next(change, name) ~= nil then
    return "one of offset, stop, advance is expected"
  end
  local ok, problem = checks[name](value)
  return not ok and name .. " " .. problem or nil
end

---The clock as plain data, for JSON.
---@return table plain { offset, stopped_at? }
function Clock:plain()
  return { offset = self.offset, stopped_at = self.stopped_at }
end

---Sets the clock to what `plain` gave.
---@param plain table
function Clock:set(plain)
  self.offset, self.stopped_at = plain.offset, plain.stopped_at
end

return Clock
