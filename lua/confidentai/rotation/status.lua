-- SPDX-License-Identifier: Apache-2.0
-- What a rotation says to a person: what is done and on what evidence, what is next and when, and how to get out.

local duration = require "confidentai.duration"
local facts = require "confidentai.rotation.facts"
local notice = require "confidentai.rotation.notice"
local proof = require "confidentai.rotation.proof"
local remedies = require "confidentai.rotation.remedies"
local retire = require "confidentai.rotation.retire"
local rollback = require "confidentai.rotation.rollback"

local status = {}

---@class confidentai.Status
---@field id string
---@field kind "rotation"|"provision"
---@field base string the name under which the key is known
---@field generation integer of the new key
---@field scope "organization"|"project"
---@field project_id? string
---@field organization string id
---@field base_url string where the service was when the rotation began
---@field state string state or stop (docs/rotation.md)
---@field stop? string what it has stopped at
---@field reason? string why
---@field cause? string the same as a word, of those in docs/rotation.md
---@field since? number seconds since 1970: when the state began
---@field old_id? string
---@field new_id? string
---@field evidence? string that the new key has been taken over, or not
---@field next string what is next, in words
---@field due? number seconds until there is more to do; nil: that is up to somebody
---@field doubt? string what could not be found out
---@field unshown? boolean true: it was not shown that the secret of a compromised key is refused
---@field trouble? { at: number, message: string, count: integer } what keeps it from going on, since its last success
---@field attention? "stopped"|"command failed"|"overdue" what waits for somebody
---@field notice? { state: "owed"|"failed"|"succeeded", tries: integer, problem: string? } how on_published fares
---@field commands string[] what can be done from here, as lines for a shell
---@field ways confidentai.Way[] the same, each with what it is for
---@field options table as they are on record
---@field stores string[] labels
---@field history table[] what happened, oldest first; each has `at` and `state`
---@field left table[] after abandon: { what, id, name, last6 } of each key that stays
---@field suspects string[] names under which a key may still come to be
---@field facts string[] the first sentences of text
---@field text string all of it, for people
---@field dry_run boolean
---@field finished boolean
---@field settled boolean finished, and nothing is left to look for

-- Seconds by which something that is due may be late: timers run once an hour.
local LATE = 7200

local next_of_state = {
  planned = "a new key is created",
  creating = "a new key is created; where it is unclear whether that happened, it is looked for",
  escrowed = "the service's list must show the new key exactly once",
  proven = "the new key's secret is tried",
  published = "the new secret is written to every store and read back",
  soaking = "once the consumers use the new key, the old one is disabled",
  disabled = "the old key is disabled, after the new one was proven again and the stores were read again",
  grace = "once the grace is over, the old key is deleted",
  done = "the old key is deleted, and the pending secret is wiped",
}

-- In a rollback, which is a rotation backwards.
local next_of_return = {
  soaking = "once the consumers use the old key again, the new one is disabled",
  disabled = "the new key is disabled, after the old one was proven again and the stores were read again",
  grace = "once the grace is over, the new key is deleted",
  done = "the new key is deleted, and the pending secret is wiped",
}

-- The same before that one soaks.
local function next_back(record)
  local back = record.back
  return back and (back.soaks and next_of_return[record.state] or "the stores are given back what they held before")
    or "the new key is removed"
end

local next_of_stop = {
  aborted = "nothing; a new rotation may begin",
  ambiguous = "nothing; a new rotation may begin. `rotate advance` looks for the names that were sent for a day, and "
    .. "removes what may still come",
  name_altered = "nothing; tell the service's support that it changes names",
  stalled = "find out who still uses the old key; restart consumers that read the new one only when they are refused",
  conflict = "fix what has stopped it",
  needs_store = "continue on the machine of the store, or with the program that began the rotation",
  abandoned = "nothing; a new rotation may begin",
  superseded = "the other rotation disables the old key; point the consumers of these stores to its key, or keep both",
}

-- When the state began: the time of the event that entered it.
local function since(record)
  local at
  for _, event in ipairs(record.history) do
    if event.state == record.state and not at then
      at = event.at
    elseif event.state ~= record.state then
      at = nil
    end
  end
  return at
end

-- Seconds until there is more to do, below 0 when there has been for a while; nil: that is up to somebody.
local function left(job)
  local record, options, back = job.record, job.record.options, job.record.back
  if record.stop or record.finished then
    return nil
  elseif back and back.soaks and record.state == "soaking" then
    return (back.now and 0 or math.min(options.soak, rollback.LONGEST_SOAK)) - job:since(record.restored)
  elseif back and back.soaks and record.state == "grace" then
    return retire.left(job, back)
  elseif record.state == "soaking" and options.adoption == "confirm" and not record.confirmed then
    return nil
  elseif record.state == "soaking" and not record.confirmed then
    return options.soak - job:since(record.published)
  elseif record.state == "grace" and record.disabled then
    return retire.left(job, record)
  end
  return -math.huge
end

local function due(job)
  local seconds = left(job)
  return seconds and math.max(0, seconds)
end

---Seconds since which something could have been done and nobody has looked. 0: there is nothing to do, or it is up to
---somebody.
---@param job confidentai.Job
---@return number
function status.idle(job)
  local record = job.record
  local last, looked = record.history[#record.history], record.looked
  local unseen = job.clock() - math.max(last and last.at or 0, looked and looked.here or 0)
  return math.max(0, math.min(unseen, -(left(job) or 0)))
end

-- What waits for somebody, as a word for monitoring; nil: nothing.
local function attention(job)
  local record = job.record
  if record.stop and not record.finished then
    return "stopped"
  elseif notice.is_owed(record) and record.notice.problem and not record.finished then
    return "command failed"
  end
  return status.idle(job) > LATE and "overdue" or nil
end

local function copy(list)
  local made = {}
  for name, value in pairs(list) do
    made[name] = value
  end
  return made
end

local function labels(list)
  local made = {}
  for i, description in ipairs(list) do
    made[i] = description.label
  end
  return made
end

---Everything that `rotation:status()` gives.
---@param job confidentai.Job
---@return confidentai.Status
function status.of(job)
  local record = job.record
  local sentences, ways, list, unshown = facts.of(job), remedies.of(job), {}, proof.unshown(record)
  for i, each in ipairs(ways) do
    list[i] = remedies.line(each)
  end
  local is_confirmed = record.confirmed and record.state == "soaking" and not record.rollback
  local following = remedies.next(record) or record.stop and next_of_stop[record.stop]
    or record.rollback and next_back(record)
    or is_confirmed and next_of_state.disabled or next_of_state[record.state]
  if record.finished and not record.stop then
    following = unshown and "see that the old secret is refused" or "nothing"
  end
  local wait = due(job)
  local lines = copy(sentences)
  lines[#lines + 1] = "Next: " .. following .. (wait and wait > 0 and ", in " .. duration.length(wait) or "") .. "."
  local doubt = job.doubt or unshown
  if doubt then
    lines[#lines + 1] = "Note: " .. doubt .. "."
  end
  for i, each in ipairs(ways) do
    lines[#lines + 1] = ("  %s:\n    %s"):format(each.purpose, list[i])
  end
  local suspects = {}
  for i, suspect in ipairs(record.suspects) do
    suspects[i] = suspect.name
  end
  return {
    id = record.id, kind = record.kind, base = record.base,
    generation = record.generation, scope = record.scope, project_id = record.project_id,
    organization = record.organization, base_url = record.base_url,
    state = record.stop or record.state, stop = record.stop, reason = record.reason,
    cause = record.stop and record.cause or nil, since = since(record),
    old_id = record.old_id, new_id = record.new and record.new.id, evidence = record.evidence, next = following,
    due = wait, doubt = doubt, unshown = unshown and true or nil, trouble = record.trouble and copy(record.trouble),
    attention = attention(job),
    notice = notice.of(record), commands = list, ways = ways,
    options = copy(record.options), stores = labels(record.stores), history = copy(record.history),
    suspects = suspects, left = copy(record.left or {}), facts = sentences, text = table.concat(lines, "\n"),
    dry_run = job.dry == true, finished = record.finished == true, settled = record.settled == true,
  }
end

return status
