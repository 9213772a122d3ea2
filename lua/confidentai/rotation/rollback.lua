-- SPDX-License-Identifier: Apache-2.0
-- The way back, from any state before the delete of the old key: it works again and is in the stores again before the
-- new one goes. Every part looks at what is there, so that it goes on after any interruption.

local calls = require "confidentai.rotation.calls"
local creating = require "confidentai.rotation.steps.creating"
local identity = require "confidentai.rotation.identity"
local notice = require "confidentai.rotation.notice"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local stores = require "confidentai.rotation.stores"

local rollback = {}

-- Seconds between two looks, and for which the service may go on refusing a key that was enabled.
local POLL, PROPAGATION = 2, 60

---Why there is no way back; nil: there is.
---@param record table
---@return string?
function rollback.refusal(record)
  if record.finished then
    return "the rotation has ended"
  elseif record.deleting then
    return "the delete of the old key is on record: it may be gone"
  elseif record.options.compromised and record.published then
    return "the old key is compromised, so that nothing goes back to it: rotate again"
  end
end

-- Whether a store may have been written.
local function is_published(record)
  return record.state ~= "escrowed" and record.state ~= "proven"
end

local function finish(job)
  job.record.finished = true
  local ok, err = job:halt("aborted", job.record.old
    and "rolled back: the new key is removed, the old one is as it was" or "rolled back: the new key is removed")
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

-- Going back to a key that somebody else has ended would leave the stores with a key that does not work.
local function check_old(job)
  local record = job.record
  if not record.old or not is_published(record) then
    return true
  end
  local old, err = calls.get(job, record.old.id)
  if old == nil then
    return nil, err
  elseif not old or not old.valid then
    return job:failure("guard", old and "the old key was disabled by somebody else: enable it first, or advance"
      or "the old key is gone: there is no way back; advance")
  end
  return true
end

-- The old key works again, and is shown to where its secret is held. True, or what the caller returns.
local function enable_old(job)
  local record = job.record
  if not record.disabling then
    local ok, err = check_old(job)
    return ok, err
  elseif record.options.compromised then
    return true
  elseif (not record.disabled or record.disable_unclear)
    and job:since(record.disabling) < record.options.settle then
    return false, POLL, true -- the disable may still take effect
  end
  local ok, err = job:save("enabling the old key", { key = record.old.id })
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.set_valid(job, record.old, true)
  if not result then
    return nil, err
  elseif result == "gone" then
    return job:failure("guard", "the old key is gone: there is no way back; keep the new one and advance")
  end
  local secret = proof.old_secret(job)
  if not secret then
    return true
  end
  result, err = calls.try(job, secret)
  if not result then
    return nil, err
  elseif result == "accepted" then
    return true
  elseif job:since(record.rollback) < PROPAGATION then
    return false, POLL, true
  end
  return job:failure("guard", "the old key is enabled and its secret is refused: the new one stays where it is")
end

-- Who took the new secret over has to take the old one over again, before the new one goes.
local function tell_users(job)
  local ok, err = notice.work(job)
  if not ok then
    return nil, err
  elseif notice.is_owed(job.record) and not job.record.confirmed then
    return job:failure("store", ("the command on_published has failed, and the new key stays until it succeeds: %s; "
      .. "mend it, or tell the users of the key yourself and confirm; then advance"):format(job.record.notice.problem))
  end
  return true
end

-- Of a client's own key: from here on the old key acts, as no key removes itself.
local function become_old(job)
  local record = job.record
  if not record.self or identity.last6(job) ~= record.new.last6 then
    return true
  end
  local secret = proof.old_secret(job)
  if not secret then
    return job:failure("guard",
      "the old key's secret is not held, and the new key cannot remove itself: resume with another organization key")
  end
  identity.become(job, secret, record.new)
  return true
end

local function restore_stores(job)
  local record = job.record
  if not is_published(record) or record.restored then
    return true
  end
  local missing = stores.missing(job)
  local ok, label = false, missing
  if not missing then
    ok, label = stores.restore(job)
  end
  if ok == nil then
    return nil, label
  elseif not ok and not record.confirmed then
    return job:failure("store", ("what %s held before is not known: give the store and old_secret, or put the old "
      .. "secret there by hand and confirm"):format(label))
  end
  record.restored = true
  if record.published then
    notice.owe(record, "restored")
  end
  local err
  ok, err = job:save "the stores hold what they held before"
  return ok, err
end

---Goes back, as a step does.
---@param job confidentai.Job
---@return boolean?
---@return number|confidentai.Error?
---@return boolean?
function rollback.work(job)
  local record = job.record
  local ok, more, short
  if record.state == "planned" or record.state == "creating" then
    ok, more, short = end_creating(job)
    return ok, more, short
  end
  for _, part in ipairs { enable_old, restore_stores, tell_users, become_old } do
    ok, more, short = part(job)
    if not ok then
      return ok, more, short
    end
  end
  quarantine.add(job, { record.new })
  ok, more = finish(job)
  return ok, more
end

return rollback
