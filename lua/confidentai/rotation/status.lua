-- SPDX-License-Identifier: Apache-2.0
-- What a rotation says to a person: what is done and on what evidence, what is next and when, and how to get out.

local notice = require "confidentai.rotation.notice"

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
---@field since? number seconds since 1970: when the state began
---@field old_id? string
---@field new_id? string
---@field evidence? string that the new key has been taken over, or not
---@field next string what is next, in words
---@field due? number seconds until there is more to do; nil: that is up to somebody
---@field doubt? string what could not be found out
---@field trouble? { at: number, message: string, count: integer } what keeps it from going on, since its last success
---@field attention? "stopped"|"command failed"|"overdue" what waits for somebody
---@field notice? { state: "owed"|"failed"|"succeeded", tries: integer, problem: string? } how on_published fares
---@field commands string[] what can be done from here, as lines for a shell
---@field options table as they are on record
---@field stores string[] labels
---@field history table[] what happened, oldest first; each has `at` and `state`
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
  soaking = "once the new key has been taken over, the old one is disabled",
  disabled = "the old key is disabled, after the new one was proven again and the stores were read again",
  grace = "once the grace is over, the old key is deleted",
  done = "the old key is deleted and the escrow wiped",
}

local next_of_stop = {
  aborted = "nothing: the old key is as it was, and a new rotation may begin",
  ambiguous = "nothing: the old key is as it was; the names that were sent are looked for until their time is over",
  name_altered = "nothing: the new key was removed; report to the service that it changes names",
  stalled = "find out who still uses the old key, then confirm; or roll back",
  conflict = "resolve what is said above, then advance; or roll back",
  needs_store = "open the rotation with the store that is named",
  superseded = "point what reads these stores to the key of the other rotation, then roll back; or confirm, which "
    .. "leaves both keys; or wait for its end and advance",
}

-- What can be done from here, as words of the command line.
local function verbs(record)
  if record.finished then
    return #record.suspects > 0 and { "advance" } or {}
  end
  local list = { "advance" }
  if record.state == "soaking" or record.stop == "superseded" or record.state == "done"
    or record.rollback then
    list[#list + 1] = "confirm"
  end
  if not record.deleting and not (record.options.compromised and record.published) then
    list[#list + 1] = "rollback"
  end
  return list
end

local function commands(record)
  local list = {}
  for i, verb in ipairs(verbs(record)) do
    list[i] = ("confidentai rotate %s %s"):format(verb, record.id)
  end
  return list
end

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
  local record, options = job.record, job.record.options
  if record.stop or record.finished then
    return nil
  elseif record.state == "soaking" and options.adoption == "confirm" and not record.confirmed then
    return nil
  elseif record.state == "soaking" and not record.confirmed then
    return options.soak - job:since(record.published)
  elseif record.state == "grace" and record.disabled then
    return (options.compromised and 0 or options.grace) - job:since(record.disabled)
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

-- What has become of the old key, and of the new one.
local function fates(record)
  if record.stop == "aborted" and record.finished then
    return "is as it was", " and is removed"
  end
  local gone = record.finished and not record.stop
  return record.disabled and (gone and "is gone" or "is disabled") or "works",
    record.published and " and is published" or ""
end

-- The facts of a rotation that a person asks for first, as sentences.
local function describe(record)
  local where = record.scope == "organization" and "the organization" or "project " .. record.project_id
  local lines = { ("Rotation %s of %s in %s is %s."):format(record.id, record.base, where,
    record.stop or (record.finished and "done" or record.state)) }
  if record.reason then
    lines[#lines + 1] = "It has stopped: " .. record.reason .. "."
  end
  local old, new = fates(record)
  if record.old then
    lines[#lines + 1] = ("Old key %s ends in %s and %s."):format(record.old.id, record.old.last6, old)
  end
  if record.new then
    lines[#lines + 1] = ("New key %s ends in %s%s."):format(record.new.id, record.new.last6, new)
  end
  if record.notice and notice.is_owed(record) then
    lines[#lines + 1] = record.notice.problem and ("The command on_published has failed: %s."):format(
      record.notice.problem) or "The command on_published is still to be run."
  end
  if record.state == "soaking" and record.evidence and not record.finished then
    lines[#lines + 1] = ("Evidence: %s."):format(record.evidence)
  end
  return lines
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
  local facts, list = describe(record), commands(record)
  local following = record.stop and next_of_stop[record.stop] or next_of_state[record.state]
  if record.finished and not record.stop then
    following = "nothing"
  end
  local wait = due(job)
  local lines = copy(facts)
  lines[#lines + 1] = "Next: " .. following .. (wait and wait > 0 and (", in %.0f s."):format(wait) or ".")
  if record.trouble then
    lines[#lines + 1] = ("Last error (%.0f in a row): %s"):format(record.trouble.count, record.trouble.message)
  end
  if job.doubt then
    lines[#lines + 1] = "Note: " .. job.doubt .. "."
  end
  for _, command in ipairs(list) do
    lines[#lines + 1] = "  " .. command
  end
  local suspects = {}
  for i, suspect in ipairs(record.suspects) do
    suspects[i] = suspect.name
  end
  return {
    id = record.id, kind = record.kind, base = record.base,
    generation = record.generation, scope = record.scope, project_id = record.project_id,
    organization = record.organization, base_url = record.base_url,
    state = record.stop or record.state, stop = record.stop, reason = record.reason, since = since(record),
    old_id = record.old_id, new_id = record.new and record.new.id, evidence = record.evidence, next = following,
    due = wait, doubt = job.doubt, trouble = record.trouble and copy(record.trouble), attention = attention(job),
    notice = notice.of(record), commands = list,
    options = copy(record.options), stores = labels(record.stores), history = copy(record.history),
    suspects = suspects, facts = facts, text = table.concat(lines, "\n"), dry_run = job.dry == true,
    finished = record.finished == true, settled = record.settled == true,
  }
end

return status
