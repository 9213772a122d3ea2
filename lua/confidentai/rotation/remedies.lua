-- SPDX-License-Identifier: Apache-2.0
-- The ways on from where a rotation is, as commands. Each one that is given works from there: a way that the rotation
-- would refuse is not offered.

local allowed = require "confidentai.rotation.allowed"
local causes = require "confidentai.rotation.causes"
local command_line = require "confidentai.command_line"
local proof = require "confidentai.rotation.proof"
local ways = require "confidentai.rotation.ways"

local unpack = table.unpack or unpack -- luacheck: std max

local remedies = {}

-- What a confirmation says in a rollback.
local SAYING = {
  users_told = "When the consumers of the key have read the old secret again, confirm it",
  put_back = "When the stores hold the old secret and its consumers have read it, confirm it",
  taken_out = "When no store holds the new secret, confirm it",
}

-- Of a rotation that goes on.
local function of_state(record)
  local means = allowed.confirm(record)
  if record.rollback then
    means = means == "put_back" and record.kind ~= "rotation" and "taken_out" or means
    return ways.list(ways.advance(record), ways.keep(record),
      SAYING[means] and ways.make(SAYING[means], ways.rotate(record, "confirm"), ways.rotate(record, "advance")))
  end
  return ways.list(ways.advance(record),
    means == "taken_over"
      and ways.make("When everybody uses the new key, end the soak", ways.rotate(record, "confirm")),
    ways.back(record))
end

-- What is left to be removed after the end.
local function clean_up(record)
  local purpose = #record.quarantine > 0 and "Remove what is left"
    or #record.suspects > 0 and "Look again for keys that may have come late, and remove them"
  return purpose and ways.advance(record, purpose) or nil
end

---Gives the ways on from where a rotation is.
---@param job confidentai.Job
---@return confidentai.Way[]
function remedies.of(job)
  local record = job.record
  local cause = record.stop and causes.list[record.cause]
  if not record.finished then
    return cause and cause.ways(job) or of_state(record)
  end
  local show = proof.unshown(record) and ways.make("Give the old secret, and see that it is refused",
    ways.rotate(record, "advance", "--ask-old-secret"))
  return ways.list(show, clean_up(record), unpack(cause and cause.ways(job) or {}))
end

---Gives what is next, where the cause of a stop has words for it.
---@param record table
---@return string?
function remedies.next(record)
  local cause = record.stop and causes.list[record.cause]
  return cause and (record.finished and cause.ended or cause.next)
end

---Writes a way as one line for a shell.
---@param each confidentai.Way
---@param more? fun(words: string[]): string[] options that a command line needs besides
---@return string
function remedies.line(each, more)
  local lines = {}
  for i, words in ipairs(each.steps) do
    lines[i] = command_line.text(words, more and more(words))
  end
  return table.concat(lines, " && ")
end

return remedies
