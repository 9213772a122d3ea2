-- SPDX-License-Identifier: Apache-2.0
-- The ways on from where a rotation is, as commands. Each one that is given works from there: a way that the rotation
-- would refuse is not offered.

local command_line = require "confidentai.command_line"
local journal = require "confidentai.rotation.record"
local notice = require "confidentai.rotation.notice"

local remedies = {}

---A way on: what it is for, and its command lines, each as words. They are run in this order.
---@class confidentai.Way
---@field purpose string
---@field steps string[][]

local function rotate(record, verb, ...)
  return { "confidentai", "rotate", verb, record.id, ... }
end

-- The command that changes a key of the rotation's scope.
local function change_key(record, verb, id)
  local words = { "confidentai", "keys", verb }
  if record.scope == "project" then
    words[#words + 1], words[#words + 2] = command_line.option("--project", record.project_id)
  end
  words[#words + 1] = id:sub(1, 1) == "-" and "--" or nil
  words[#words + 1] = id
  return words
end

local function way(purpose, ...)
  return { purpose = purpose, steps = { ... } }
end

local function abandon(record)
  return way("Close the record; all keys stay as they are", rotate(record, "abandon"))
end

local function advance(record, purpose)
  return way(purpose or "Continue", rotate(record, "advance"))
end

local function can_go_back(record)
  return not record.rollback and not record.deleting and not (record.options.compromised and record.published)
end

local function back(record, ways)
  if can_go_back(record) then
    ways[#ways + 1] = way(record.published and "Go back to the old key" or "Remove the new key",
      rotate(record, "rollback"))
  end
end

local function keep(record, ways)
  if record.rollback and record.published then
    ways[#ways + 1] = way("Keep the new key after all", rotate(record, "keep"))
  end
end

-- The options by which the command is given the stores of a rotation; nil: only the program that began it can do that.
local function store_options(record)
  local words, commands, check = {}, 0, nil
  for _, description in ipairs(record.stores) do
    local spec = description.spec
    if not spec then
      return nil
    end
    local text = description.label
    if spec.kind == "exec" then
      text, commands, check = "exec:" .. command_line.text(spec.command), commands + 1, check or spec.check
    end
    words[#words + 1], words[#words + 2] = "--store", text
  end
  if check and commands > 1 then
    return nil -- one check goes with one command
  elseif check then
    words[#words + 1], words[#words + 2] = "--store-check", command_line.text(check)
  end
  return words
end

-- Without its stores they are named again, which says that they are this machine's.
local function give_stores(record)
  local words, options = rotate(record, "advance"), store_options(record)
  for _, word in ipairs(options or {}) do
    words[#words + 1] = word
  end
  return options and way("If the stores are on this machine now, name them again", words)
end

-- A damaged pending secret is taken out of the way first; what it held counts as lost then.
local function without_secret(job)
  local record, path = job.record, job.state.path_of and job.state.path_of(journal.escrow_key(job.key))
  if not path then
    return { abandon(record) }
  end
  local folder, name = path:match "^(.*/)([^/]*)$"
  local away, ways = { "mv", "--", path, folder .. ".damaged-" .. name }, {}
  ways[1] = record.published
    and way("Continue without it: the stores hold the new secret", away, rotate(record, "advance"))
    or way("Continue without it: the new key is removed, as its secret is lost", away, rotate(record, "rollback"))
  ways[2] = abandon(record)
  table.insert(ways[2].steps, 1, away)
  return ways
end

-- What leads out of a conflict, by its cause.
local conflicts = {
  new_refused = function(record)
    return way("Enable the new key", change_key(record, "enable", record.new.id), rotate(record, "advance"))
  end,
  old_enabled = function(record)
    return way("Disable the old key again", change_key(record, "disable", record.old.id), rotate(record, "advance"))
  end,
  store_written = function(record)
    return way("Write the new secret into the stores again", rotate(record, "republish"), rotate(record, "advance"))
  end,
  old_used = function(record)
    return way("When you know who used the old key: delete it", rotate(record, "confirm"), rotate(record, "advance"))
  end,
  new_used = function(record)
    return way("When you know who used the new key: delete it", rotate(record, "confirm"), rotate(record, "advance"))
  end,
  old_accepted = function(record)
    return advance(record, "Look again: the service may need a while")
  end,
}

local function of_conflict(job)
  local record, ways = job.record, {}
  if record.cause == "secret_damaged" then
    return without_secret(job)
  end
  local made = conflicts[record.cause]
  ways[1] = made and made(record) or nil
  back(record, ways)
  keep(record, ways)
  ways[#ways + 1] = abandon(record)
  return ways
end

local stops = {
  stalled = function(job)
    local ways = { way("When everybody uses the new key, say so", rotate(job.record, "confirm"),
      rotate(job.record, "advance")) }
    back(job.record, ways)
    return ways
  end,
  needs_store = function(job)
    local ways = { abandon(job.record) }
    table.insert(ways, 1, give_stores(job.record) or nil)
    return ways
  end,
  superseded = function(job)
    local ways = { way("Leave both keys, each in its store", rotate(job.record, "confirm")) }
    back(job.record, ways)
    return ways
  end,
  conflict = of_conflict,
}

-- Of a rotation that goes on.
local function of_state(record)
  local ways = { advance(record) }
  if record.rollback then
    keep(record, ways)
    if record.back and record.back.unknown or notice.is_owed(record) and record.notice.problem then
      ways[#ways + 1] = way("When the stores hold the old secret and its users know, say so", rotate(record, "confirm"))
    end
    return ways
  elseif record.state == "soaking" then
    ways[2] = way("End the soak: everybody uses the new key", rotate(record, "confirm"))
  end
  back(record, ways)
  return ways
end

---Gives the ways on from where a rotation is.
---@param job confidentai.Job
---@return confidentai.Way[]
function remedies.of(job)
  local record = job.record
  if record.finished then
    local purpose = #record.quarantine > 0 and "Go on removing what is left"
      or #record.suspects > 0 and "Look again for keys that may have come late, and remove them"
    return purpose and { advance(record, purpose) } or {}
  end
  local stop = record.stop and stops[record.stop]
  return stop and stop(job) or of_state(record)
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
