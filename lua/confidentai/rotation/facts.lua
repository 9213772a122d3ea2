-- SPDX-License-Identifier: Apache-2.0
-- What is true of a rotation, as sentences for whoever has to decide something: which key works, who uses it, and when
-- that was seen.

local duration = require "confidentai.duration"
local notice = require "confidentai.rotation.notice"
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
  grace = "gone back to the old key; the new one is kept, disabled", done = "deleting the new key",
}

local function moment(seconds)
  return os.date("!%Y-%m-%d %H:%M UTC", math.floor(seconds))
end

-- Where a rotation is, in words.
local function headline(record)
  local where = record.scope == "organization" and "the organization" or "project " .. record.project_id
  local text = WORK[record.state]
  if record.finished then
    text = record.stop and "ended (" .. record.stop .. ")" or "done"
  elseif record.stop then
    text = ("stopped (%s) while %s"):format(record.stop, text:gsub("^in ", "it was in "))
  elseif record.rollback then
    text = record.back and record.back.soaks and BACK[record.state] or "going back to the old key"
  end
  return ("%s: %s. Rotation %s in %s."):format(record.base, text, record.id, where)
end

-- When a key was last used, as it was seen.
local function use(seen)
  local kind, seconds = timestamp.read(seen.last_used)
  local text = kind == "never" and "never used" or kind == "unreadable" and "last used at a time that cannot be read"
    or "last used " .. duration.relative(seconds, seen.at)
  return ("%s (as of %s)"):format(text, moment(seen.at))
end

-- Where nothing else is known, a key is as the rotation has left it.
local function old_on_record(record)
  if record.finished and not record.stop then
    return "is gone"
  elseif record.deleting then
    return "is disabled, and may be deleted already: `rotate advance` finds out"
  elseif record.disabled then
    return "is disabled"
  elseif record.disabling then
    return "may be disabled already: `rotate advance` finds out"
  end
  return record.stop == "aborted" and "is as it was" or "works"
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
  local text = old_on_record(record)
  local is_unclear = text:find "may be" or record.finished
  if seen and not is_unclear then
    text = seen.gone and "is gone" or seen.valid and (record.disabled and "is ENABLED" or "works") or "is disabled"
  end
  return ("Old key %s ends in %s and %s%s%s."):format(old.id, old.last6, text, kept(job),
    seen and not seen.gone and text ~= "is gone" and "; " .. use(seen) or "")
end

-- What has become of the new key.
local function fate(record)
  local seen = record.seen and record.seen.new
  if #record.quarantine > 0 then
    return " and is being removed: `rotate advance` continues"
  elseif seen and seen.gone then
    return " and is gone"
  elseif seen and not seen.valid and record.published then
    return " and is DISABLED"
  end
  return record.published and not record.restored and " and is published" or ""
end

local function of_new(record)
  local seen, text = record.seen and record.seen.new, fate(record)
  local used = ""
  if seen and not seen.gone and not text:find "removed" then
    used = "; " .. use(seen)
    local kind, last = timestamp.read(seen.last_used)
    local ours = record.our_use and (record.our_use.service or record.our_use.here)
    if kind == "time" and ours and last <= ours + 2 then
      used = used .. ", by this rotation only"
    end
  end
  return ("New key %s ends in %s%s%s."):format(record.new.id, record.new.last6, text, used)
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
    add(record.finished and "It has ended: %s." or "It has stopped: %s.", record.reason)
  end
  lines[#lines + 1] = record.old and of_old(job) or nil
  lines[#lines + 1] = record.new and of_new(record) or nil
  for _, key in ipairs(record.left or {}) do
    add(key.id and "Left as it is: %s, %s, ends in %s." or "Left as it is: %s, %s.", key.what, key.id or key.name,
      key.last6)
  end
  if record.notice and notice.is_owed(record) then
    add(record.notice.problem and "The command on_published has failed: %s."
      or "The command on_published is still to be run.", record.notice.problem)
  end
  if record.state == "soaking" and record.evidence and not record.finished then
    add("Evidence: %s.", record.evidence)
  end
  if record.trouble then
    local trouble = record.trouble
    add("Last error, at %s (%.0f in a row): %s", moment(trouble.at), trouble.count, trouble.message)
  end
  return lines
end

return facts
