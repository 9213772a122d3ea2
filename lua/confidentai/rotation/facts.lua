-- SPDX-License-Identifier: Apache-2.0
-- What is true of a rotation, as sentences for whoever has to decide something: which key works, who uses it, and when
-- that was seen.

local duration = require "confidentai.duration"
local notice = require "confidentai.rotation.notice"
local quarantine = require "confidentai.rotation.quarantine"
local suspects = require "confidentai.rotation.suspects"
local timestamp = require "confidentai.timestamp"

local facts = {}

-- The work that is under way. Nothing is said to be done before it is.
local WORK = {
  planned = "creating the new key", creating = "creating the new key", escrowed = "confirming the new key",
  proven = "trying the new key's secret", published = "writing the stores", soaking = "soaking: both keys work",
  disabled = "disabling the old key", grace = "in its grace period", done = "deleting the old key",
}

-- The same in a rollback, once the stores hold the old key again.
local BACK = {
  soaking = "going back to the old key: both keys work", disabled = "going back to the old key: disabling the new one",
  grace = "back at the old key: the new one is kept, disabled", done = "deleting the new key",
}

local function moment(seconds)
  return duration.moment(seconds) .. " UTC"
end

-- Where a rotation is, in words.
local function headline(record)
  local where = record.scope == "organization" and "the organization" or "project " .. record.project_id
  local text = WORK[record.state]
  if record.rollback then
    text = record.back and record.back.soaks and BACK[record.state]
      or record.kind == "rotation" and "going back to the old key" or "removing the new key again"
  end
  local doing = text:gsub(":.*", ""):gsub("^in ", "it was in "):gsub("^back ", "it was back ")
  if record.finished then
    text = record.stop and "ended (" .. record.stop .. ")" or "done"
  elseif record.stop then -- what is true of both keys then is said below
    text = ("stopped (%s) while %s"):format(record.stop, doing)
  end
  return ("%s: %s. Rotation %s in %s."):format(record.base, text, record.id, where)
end

-- When a key was last used, as it was seen; of one that is gone, when that was seen.
local function use(seen)
  if seen.gone then
    return (" (as of %s)"):format(moment(seen.at))
  end
  return ("; %s (as of %s)"):format(duration.use(seen.last_used, seen.at), moment(seen.at))
end

local UNCLEAR = ": `rotate advance` finds out"

-- Where nothing was seen of it since, a key is as the rotation has left it. `acts`: what it has done to the key.
local function on_record(acts)
  if acts.deleting then
    return "is disabled, and may be deleted already" .. UNCLEAR
  elseif acts.disabled then
    return "is disabled"
  end
  return acts.disabling and "may be disabled already" .. UNCLEAR or nil
end

local function old_state(record)
  local seen = record.seen and record.seen.old
  if record.finished and not record.stop then
    return "is gone"
  elseif not seen or seen.stale then
    return on_record(record) or "works"
  elseif seen.gone then
    return "is gone"
  elseif not seen.valid then
    return "is disabled"
  elseif record.disabled then
    return "is ENABLED"
  end
  return record.disabling and "works, but a request that disables it may still take effect" or "works"
end

-- Until when the old key is kept.
local function kept(job)
  local record = job.record
  if record.state ~= "grace" or record.stop or record.rollback or not record.disabled or record.options.compromised then
    return ""
  end
  return " and kept until " .. moment(record.disabled.here + record.options.grace)
end

local function of_old(job)
  local record = job.record
  local old, seen = record.old, record.seen and record.seen.old
  local text = old_state(record)
  return ("Old key %s ends in %s and %s%s%s."):format(old.id, old.last6, text, kept(job),
    seen and (seen.gone or text ~= "is gone") and use(seen) or "")
end

-- What has become of the new key.
local function fate(record)
  local seen = record.seen and record.seen.new
  local left = record.rollback and (not seen or seen.stale) and on_record(record.back or {})
  if left then
    return " and " .. left
  elseif seen and seen.gone then
    return " and is gone"
  elseif quarantine.holds(record, record.new.id) then
    return " and is being removed: `rotate advance` continues"
  elseif record.rollback and seen and not seen.valid then
    return " and is disabled"
  elseif seen and not seen.valid and record.published then
    return " and is DISABLED"
  elseif record.published and not record.restored then
    return record.cause == "store_written" and " and works" or " and is published"
  end
  return seen and seen.valid and " and works" or ""
end

local function of_new(record)
  local seen, text = record.seen and record.seen.new, fate(record)
  local used = ""
  if seen and not text:find "removed" then
    used = use(seen)
    local kind, last = timestamp.read(seen.last_used)
    local ours = record.our_use and (record.our_use.service or record.our_use.here)
    if not seen.gone and kind == "time" and ours and last <= ours + 2 then
      used = used .. ", by this rotation only"
    end
  end
  return ("New key %s ends in %s%s%s."):format(record.new.id, record.new.last6, text, used)
end

-- What has become of a key that is to be removed.
local function waiting(entry)
  if entry.kept then
    return entry.kept:sub(1, 1):upper() .. entry.kept:sub(2) .. "."
  end
  return ("Key %s ('%s') ends in %s and is being removed: `rotate advance` continues."):format(entry.id,
    entry.name or "", entry.last6)
end

---Gives those about the two keys.
---@param job { record: table }
---@return string[]
function facts.of_keys(job)
  local lines, record = {}, job.record
  lines[1] = record.old and of_old(job) or nil
  lines[#lines + 1] = record.new and of_new(record) or nil
  return lines
end

---Gives the sentences.
---@param job confidentai.Job
---@return string[]
function facts.of(job)
  local record = job.record
  local lines = { headline(record) }
  local function add(text, ...)
    lines[#lines + 1] = text:format(...)
  end
  if record.reason then
    add(record.finished and "It has ended: %s%s" or "It has stopped: %s%s", record.reason,
      record.reason:find "[.?!]$" and "" or ".")
  end
  for _, line in ipairs(facts.of_keys(job)) do
    lines[#lines + 1] = line
  end
  for _, entry in ipairs(record.quarantine) do
    local is_told = record.new and entry.id == record.new.id or record.reason == entry.kept
    lines[#lines + 1] = not is_told and waiting(entry) or nil
  end
  for _, suspect in ipairs(record.suspects) do
    add("A create of '%s' may still take effect: `rotate advance` looks for it until %s.", suspect.name,
      moment(suspect.since.here + suspects.LIFE))
  end
  for _, key in ipairs(record.left or {}) do
    add(key.id and "Left as it is: %s, %s, ends in %s." or "Left as it is: %s, %s.", key.what, key.id or key.name,
      key.last6)
  end
  if record.notice and notice.is_owed(record) then
    add(record.notice.problem and "The command on_published has failed: %s."
      or "The command on_published is still to be run.", record.notice.problem)
  end
  if record.state == "soaking" and record.evidence and not record.finished and not record.stop then
    add("Evidence: %s.", record.evidence)
  end
  if record.trouble then
    local trouble = record.trouble
    add("Last error, at %s (%.0f in a row): %s", moment(trouble.at), trouble.count, trouble.message)
  end
  return lines
end

return facts
