-- SPDX-License-Identifier: Apache-2.0
-- The way back, from any state before the delete of the old key: a rotation backwards. The old key works and is in the
-- stores again, the new one soaks, is disabled, is kept for the grace and is deleted. Every part looks at what is
-- there, so that it goes on after any interruption.

local calls = require "confidentai.rotation.calls"
local creating = require "confidentai.rotation.steps.creating"
local guard = require "confidentai.rotation.guard"
local quarantine = require "confidentai.rotation.quarantine"
local retire = require "confidentai.rotation.retire"
local returning = require "confidentai.rotation.returning"
local stores = require "confidentai.rotation.stores"

local rollback = {}

-- Seconds: the longest soak of the new key, and between two looks.
rollback.LONGEST_SOAK = 3600
local LONGEST, POLL = 3600, 2

-- Seconds between two looks at a key that was deleted and is in the list yet.
local LATER = 300

---Returns true if a store may hold the new secret, or may have held it.
---@param job confidentai.Job
---@return boolean
function rollback.is_published(job)
  local record = job.record
  if record.published or record.restored then
    return true
  end
  local state = record.state
  return state ~= "planned" and state ~= "creating" and state ~= "escrowed" and state ~= "proven"
    and (stores.may_hold_new(job) or job.escrow.damaged == true)
end

---Looks whether the way back leads to a key that works, before anything is written.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err of kind "guard": it does not
function rollback.look(job)
  if not rollback.is_published(job) then
    return true
  end
  local ok, err = returning.look(job)
  return ok, err
end

-- What was seen to be gone is told so; else the new key, if there is one, is disabled and watched from here on.
local function finish(job, is_gone)
  local record = job.record
  record.finished = true
  local text = "rolled back: " .. (is_gone and "the new key is gone" or record.new and "the new key is being removed"
    or "no new key was made")
  local ok, err = job:halt("rolled_back", record.old and text .. ", the old one is as it was" or text)
  return ok, err
end

-- Before a key is known there is nothing to undo but a create that may have happened: its key, if any, goes.
local function end_creating(job)
  local attempt = job.record.attempt
  local ok, err, short
  if not attempt or not attempt.sent then
    ok, err = finish(job)
    return ok, err
  end
  attempt.final = attempt.final or "rolled back before a key was known; what may come late is removed"
  job.sendable = nil
  ok, err, short = creating(job)
  return ok, err, short
end

-- Nobody has the new secret: no store was written.
local function clean_up(job)
  quarantine.add(job, { job.record.new })
  local ok, err = finish(job)
  return ok, err
end

-- Returns the seconds that are left of a length of time since a mark.
local function left(job, seconds, mark)
  return math.max(0, seconds - job:since(mark))
end

-- The soak of the new key: those who have it take the old one over again.
local function soak(job)
  local record, back = job.record, job.record.back
  local ok, err, short = returning.watch(job)
  if not ok then
    return ok, err, short
  end
  local new
  new, err = calls.get(job, record.new.id)
  if new == nil then
    return nil, err
  elseif not new then
    ok, err = finish(job, true)
    return ok, err
  end
  -- Those who have a new key that does not work any more gain nothing by waiting.
  local length = (back.now or not new.valid) and 0 or math.min(record.options.soak, rollback.LONGEST_SOAK)
  local wait = left(job, length, record.restored)
  if wait > 0 then
    return false, wait
  end
  ok, err = job:enter("disabled", "the new key has soaked")
  return ok, err
end

-- The service refuses the old key after the new one was disabled: the new one works again at once.
local function enable_new(job)
  local back = job.record.back
  local ok, err = job:intend("the service refuses the old key: enabling the new one", job.record.new.id)
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.set_valid(job, job.record.new, true)
  if not result then
    return nil, err
  end
  retire.forget(back)
  ok, err = returning.refused(job)
  return ok, err
end

local function disable(job)
  local record, back, begun = job.record, job.record.back, job.clock()
  if not back.disabled and stores.is_settling(job, "new") then
    return false, POLL, true
  end
  local ok, err, short = returning.watch(job, true)
  if not ok and job.old_refused and back.disabled then
    ok, err = enable_new(job)
    return ok, err
  elseif not ok then
    return ok, err, short
  elseif back.disabled then
    ok, err = job:enter("grace", "the new key is disabled, and the old one works without it")
    return ok, err
  end
  ok, err, short = retire.disable(job, back, { identity = record.new, name = "the new key", changed = "new_changed",
    is_fresh = function() return returning.is_fresh(job) and guard.is_recent(job, begun) end })
  return ok, err, short
end

-- The new key is kept, disabled; as long as it is, the rollback can be withdrawn.
local function keep(job)
  local record, back = job.record, job.record.back
  local ok, err, short = returning.watch(job)
  if not ok then
    return ok, err, short
  end
  local new
  new, err = calls.get(job, record.new.id)
  if new == nil then
    return nil, err
  elseif new and new.valid then
    ok, err = job:halt("new_enabled", "another process or person has enabled the new key again")
    return ok, err
  end
  local wait = new and retire.left(job, back) or 0
  if wait > 0 then
    return false, math.min(wait, LONGEST)
  end
  ok, err = job:enter("done", "the grace is over")
  return ok, err
end

-- Why the new key is not deleted, by what the guard says of it.
local REASONS = { stored = "new_held", used = "new_used", unclear = "new_used", claimed = "new_enabled",
  foreign = "new_changed" }

-- Deletes the new key, where the guard allows it.
local function delete(job)
  local record, back = job.record, job.record.back
  local ok, err, short = returning.watch(job, true)
  if not ok then
    return ok, err, short
  elseif not back.deleting and retire.left(job, back) > 0 then
    local new
    new, err = calls.get(job, record.new.id)
    if new == nil then
      return nil, err
    elseif new then
      ok, err = job:enter("grace", "the grace is not over")
      return ok, err
    end
  end
  local result, reason, kind = retire.delete(job, back, record.new, "the new key")
  if result == "late" or kind == "listed" then
    return false, LATER
  elseif result then
    ok, err = finish(job, true)
  elseif result == false or reason.kind == "guard" then
    ok, err = job:halt(result == nil and "own_key" or REASONS[kind],
      ("key %s is not deleted: %s"):format(record.new.id, result == nil and reason.message or reason))
  else
    return nil, reason
  end
  return ok, err
end

-- The old key works, is in the stores and acts, where it is the client's own.
local function go_back(job)
  local record = job.record
  local parts = { returning.enable_old, returning.restore_stores, returning.tell_users, returning.become_old }
  for _, part in ipairs(parts) do
    local ok, more, short = part(job)
    if not ok then
      return ok, more, short
    end
  end
  if record.stop then
    return true -- halted
  elseif record.kind == "provision" or not record.old then
    local ok, err = clean_up(job)
    return ok, err
  end
  record.back.soaks, record.evidence = true, nil
  local ok, err = job:enter("soaking", "rolled back: the new key soaks")
  return ok, err
end

local backwards = { soaking = soak, disabled = disable, grace = keep, done = delete }

---Goes back, as a step does.
---@param job confidentai.Job
---@return boolean?
---@return number|confidentai.Error?
---@return boolean?
function rollback.work(job)
  local record = job.record
  local ok, more, short
  record.back = record.back or {}
  if record.state == "planned" or record.state == "creating" then
    ok, more, short = end_creating(job)
    return ok, more, short
  elseif not rollback.is_published(job) then
    ok, more = clean_up(job)
    return ok, more
  end
  ok, more = stores.complete(job)
  if ok and not record.back.soaks then
    ok, more, short = go_back(job)
  elseif ok then
    ok, more = returning.become_old(job)
    if ok then
      ok, more, short = backwards[record.state](job)
    end
  end
  if ok == false and record.stop then
    ok = true -- halted
  end
  return ok, more, short
end

return rollback
