-- SPDX-License-Identifier: Apache-2.0
-- Whether those who use the old key have taken the new one over. The service's lastUsed is evidence when it moves as it
-- should; else a person has to say so. Time alone counts only where it was asked for, or nothing used the old key.

local duration = require "confidentai.duration"
local elapsed = require "confidentai.rotation.elapsed"
local timestamp = require "confidentai.timestamp"

local adoption = {}

-- Seconds: an old key that was not used for so long has nobody to wait for.
local UNUSED = 30 * 86400

-- Seconds within which our own proof must show in the new key's lastUsed, and by which lastUsed may lie ahead.
local LAG, AHEAD = 600, 300

-- Seconds by which a use must be later than ours to be another's: the Date header has whole seconds.
local MARGIN = 2

-- As the service shows it now: a job that runs once a month may use the old key in the middle of the soak.
local function is_unused(job, old)
  local kind, last = timestamp.read(old.last_used)
  return kind == "never" or last ~= nil and elapsed.dated(job:mark()) - last > UNUSED
end

-- Returns true if lastUsed of the new key shows our own use of it, so that lastUsed is evidence at all; nil: not yet;
-- false: it cannot be believed; and why not.
local function is_reliable(job, last)
  local ours = job.record.our_use
  if last and last > elapsed.dated(job:mark()) + AHEAD then
    return false, "lastUsed lies in the future"
  elseif last and last >= elapsed.dated(ours) - LAG then
    return true
  end
  return job:since(ours) <= LAG and nil, "lastUsed does not show our own use of the new key"
end

-- Follows the old key's lastUsed from look to look. The first one shows no movement: it is what the next are compared
-- with. A time that cannot be read may be another one at each look; one that is not shown any more is not a use.
local function follow(job, old)
  local record, kind = job.record, timestamp.read(old.last_used)
  local shown, seen = old.last_used or "never", record.old_use
  if not seen or kind == "unreadable" or kind == "time" and seen.last_used ~= shown then
    record.old_use = { last_used = shown, since = job:mark(), moved = seen ~= nil }
    job.moved = seen ~= nil and seen.last_used ~= shown
  end
  return record.old_use
end

---Keeps what the new key's lastUsed shows after our own use of it: only another value is a use by others. The caller
---saves.
---@param job confidentai.Job
---@param new confidentai.ApiKey as it is after our use
function adoption.note_own_use(job, new)
  job.record.own_use_shown = new.last_used or "never"
end

-- Returns lastUsed as the look after our own use showed it, if it showed that use.
local function own_use_shown(record)
  local _, shown = timestamp.read(record.own_use_shown)
  return shown and shown >= elapsed.dated(record.our_use) - MARGIN and shown or nil
end

---Returns true while lastUsed is evidence that is waited for, and the service shows it late: a proof would hide what
---others did just before it.
---@param record table
---@return boolean
function adoption.is_late(record)
  return record.state == "soaking" and record.options.adoption == "observe" and not record.self
    and not record.taken_over and own_use_shown(record) == nil
end

-- Returns true if others than this rotation have used the new key. That is kept, as our next proof hides it. Before our
-- own use was shown, a later value may be that one.
local function is_taken_over(job, new, last)
  local record = job.record
  if not record.own_use_shown then
    adoption.note_own_use(job, new) -- the first look
  elseif record.own_use_shown ~= new.last_used and last then
    local shown = own_use_shown(record)
    if last > (shown or elapsed.dated(record.our_use) + MARGIN) then
      record.taken_over = record.taken_over or job:mark()
    end
  end
  return record.taken_over ~= nil
end

local function by_time(job, why)
  local soak, passed = job.record.options.soak, job:since(job.record.published)
  if passed >= soak then
    return "adopted", why
  end
  return why .. ": the soak is not over", soak - passed
end

-- "observe": the new key is used by somebody else than us, and the old one has not been for the length of the soak.
local function observe(job, new, old)
  local soak, seen = job.record.options.soak, follow(job, old)
  local still = job:since(seen.since)
  local kind, last = timestamp.read(new.last_used)
  local reliable, why = is_reliable(job, last)
  local taken_over = is_taken_over(job, new, last)
  local in_use = seen.moved and still < soak and "the old key was used less than " .. duration.length(soak) .. " ago"
  if kind == "unreadable" or timestamp.read(old.last_used) == "unreadable" then
    return ("the time of the %s key's last use cannot be read"):format(kind == "unreadable" and "new" or "old"), soak
  elseif not reliable then
    local stuck = reliable == false and not in_use
    return in_use or why .. (stuck and ": only a person can confirm" or " yet"), stuck and soak or LAG, stuck
  elseif not in_use and is_unused(job, old) then
    local verdict, left = by_time(job, "the old key had not been used for 30 days")
    return verdict, left
  elseif not taken_over then
    return "only this rotation has used the new key", soak
  elseif still < soak then
    return in_use or "the old key has not been watched for " .. duration.length(soak) .. " yet", soak - still
  end
  return "adopted", "the new key is in use, the old one is not"
end

-- Returns true if lastUsed is not what decides.
local function is_decided(record)
  local options = record.options
  return options.soak == 0 or options.compromised or options.replace or record.confirmed
    or options.adoption ~= "observe" or record.self
end

---Returns true if the old key was used since the last look of the soak, so that what was concluded then is out of date:
---a run that was to disable it may have failed, or was stopped, for days.
---@param job confidentai.Job
---@param old confidentai.ApiKey|false
---@return boolean
function adoption.is_outdated(job, old)
  local seen = job.record.old_use
  return old and old.valid and seen ~= nil and not is_decided(job.record)
    and timestamp.read(old.last_used) == "time" and old.last_used ~= seen.last_used
end

---What the evidence says.
---@param job confidentai.Job
---@param new confidentai.ApiKey
---@param old confidentai.ApiKey|false false: it is gone
---@return string verdict "adopted", or what is missing
---@return string|number why_or_left on what evidence; or seconds until it may be different
---@return boolean? stuck true: lastUsed is no evidence, so that only a person can say more
function adoption.look(job, new, old)
  local record = job.record
  local options = record.options
  if not old or not old.valid then
    return "adopted", "the old key does not work any more"
  elseif options.soak == 0 or options.compromised or options.replace then
    return "adopted", "no soak was wanted"
  elseif record.confirmed then
    return "adopted", "it was confirmed"
  elseif options.adoption == "confirm" then
    return "a person must confirm it", options.soak
  end
  local verdict, left, stuck
  if options.adoption == "time" then
    verdict, left = by_time(job, "the time alone counts")
  elseif record.self then
    verdict, left = by_time(job, "the new key does the rotation's own work, so its use is not evidence")
  else
    verdict, left, stuck = observe(job, new, old)
  end
  return verdict, left, stuck
end

return adoption
