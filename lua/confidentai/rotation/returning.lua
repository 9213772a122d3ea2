-- SPDX-License-Identifier: Apache-2.0
-- The parts of a rollback that bring the old key back: it works, the stores hold it, those who read them are told, and
-- it acts where it is the client's own. And what must stay true of it until the new key is gone.

local calls = require "confidentai.rotation.calls"
local identity = require "confidentai.rotation.identity"
local notice = require "confidentai.rotation.notice"
local proof = require "confidentai.rotation.proof"
local retire = require "confidentai.rotation.retire"
local stores = require "confidentai.rotation.stores"
local ways = require "confidentai.rotation.ways"

local returning = {}

-- Seconds: between two looks; for which the service may go on refusing a key that was enabled; for which a proof is
-- good enough to act on; and between two proofs.
local POLL, PROPAGATION, FRESH, HOURLY = 2, 60, 60, 3600

-- Returns why the rotation cannot go back to the old key, and the cause of a stop; nil: it can.
local function problem_with(job, old)
  local record = job.record
  if not old then
    return "the old key is gone", "back_gone"
  elseif not calls.is_same(job, old, record.old) then
    return ("key %s is not the old key on record any more"):format(record.old.id), "back_changed"
  elseif not old.valid and (not record.disabling or record.disabled_by == "others") then
    return ("the old key %s was disabled by another process or person"):format(record.old.id), "back_disabled"
  end
end

-- Nothing leads back without the old key's secret.
local function without_secret(job, message)
  local _, err = job:failure("guard", message)
  err.ways = ways.list(ways.back_with_secret(job.record), ways.advance(job.record))
  return nil, err
end

-- Looks whether each store can get back what it held.
local function look_at_stores(job)
  local missing, reason = stores.missing(job)
  if missing then
    local _, err = job:failure("guard", reason)
    err.ways = ways.list(ways.give_stores(job.record), ways.abandon(job.record))
    return nil, err
  end
  for i, store in ipairs(job.stores) do
    local content, err = stores.get(job, store)
    if content == nil and err then
      return nil, err
    elseif stores.is_secret(content, job.record.new.last6) and stores.before(job, i) == nil then
      return without_secret(job, ("the previous content of %s is not known: give old_secret, or put the old secret "
        .. "there by hand"):format(store.label))
    end
  end
  return true
end

---Looks whether the way back leads to a key that works. Nothing is written.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err of kind "guard": it does not
function returning.look(job)
  local record = job.record
  if record.old then
    local old, err = calls.get(job, record.old.id)
    if old == nil then
      return nil, err
    end
    local problem = problem_with(job, old)
    if problem then
      return job:failure("guard", problem .. ": nothing was changed, and this rotation can only advance")
    elseif record.self and identity.last6(job) == record.new.last6 and not proof.old_secret(job) then
      return without_secret(job,
        "the old key's secret is not held, and the new key cannot remove itself: resume with another organization key")
    end
  end
  local ok, err = look_at_stores(job)
  return ok, err
end

-- Tries the old secret, where it is held. Notes when, and whether it was refused.
local function prove_old(job)
  local secret = proof.old_secret(job)
  local result, err = "accepted", nil
  if secret then
    result, err = calls.try(job, secret)
  end
  job.old_refused = result == "refused"
  job.old_proven_at = result == "accepted" and job.clock() or nil
  if result == "accepted" then
    job.record.back.proven = job:mark()
  end
  return result, err
end

---Returns true while the last proof of the old key by this process is recent enough.
---@param job confidentai.Job
---@return boolean
function returning.is_fresh(job)
  return job.old_proven_at ~= nil and math.abs(job.clock() - job.old_proven_at) <= FRESH
end

-- Enables the old key, which this rotation has disabled, or may have. True, or what the caller returns.
local function enable(job, old)
  local record = job.record
  if not record.disabling then
    return true
  end
  local ok, err
  if not old.valid then
    ok, err = job:intend("enabling the old key", record.old.id)
    if not ok then
      return nil, err
    end
    local result
    result, err = calls.set_valid(job, record.old, true)
    if not result then
      return nil, err
    elseif result == "gone" then
      ok, err = job:halt("back_gone", "the old key is gone")
      return ok and false, err
    end
  end
  retire.forget(record)
  record.alone, record.refused, record.back.enabled = nil, nil, job:mark()
  ok, err = job:save "the old key is enabled"
  return ok, err
end

---The old key works again, which is shown where its secret is held. As a part of a step does.
---@param job confidentai.Job
---@return boolean? ok false: halted, or to be tried again
---@return number|confidentai.Error? wait_or_err
---@return boolean? short
function returning.enable_old(job)
  local record = job.record
  if not record.old then
    return true
  elseif retire.is_unsettled(job, record) then
    return false, POLL, true -- the disable may still take effect
  end
  local old, err = calls.get(job, record.old.id)
  if old == nil then
    return nil, err
  end
  local problem, cause = problem_with(job, old)
  local ok
  if problem then
    ok, err = job:halt(cause, problem)
    return ok and false, err
  end
  ok, err = enable(job, old)
  if not ok then
    return ok, err
  end
  local result
  result, err = prove_old(job)
  if not result then
    return nil, err
  elseif result == "accepted" then
    return true
  elseif job:since(record.back.enabled or record.rollback) < PROPAGATION then
    return false, POLL, true
  end
  ok, err = job:halt("back_refused", "the old key is enabled, and its secret is refused; the new key stays in the "
    .. "stores")
  return ok and false, err
end

---The stores hold again what they held before.
---@param job confidentai.Job
---@return boolean?
---@return confidentai.Error? err
function returning.restore_stores(job)
  local record = job.record
  if record.restored then
    return true
  end
  local ok, label, readable = stores.restore(job, record.back.put_back)
  if ok == nil then
    return nil, label
  elseif not ok then
    record.back.unknown = not readable or nil
    local saved, err = job:keep()
    if not saved then
      return nil, err
    end
    return job:failure("store", (record.kind == "rotation" and "the previous content of %s is not known: give the "
      .. "store and old_secret, or put the old secret there by hand%s"
      or "%s may hold the new secret: if it does, take that out by hand%s"):format(label,
        readable and "" or " and confirm"))
  end
  record.restored, record.back.unknown = job:mark(), nil
  if record.published then
    notice.owe(record, "restored")
  end
  local err
  ok, err = job:save "the stores hold what they held before"
  return ok, err
end

---Runs the command on_published again: who took the new secret over has to take the old one over again.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err
function returning.tell_users(job)
  local ok, err = notice.work(job)
  if not ok then
    return nil, err
  elseif notice.is_owed(job.record) and not job.record.back.told then
    return job:failure("store", ("the command on_published has failed, and the new key stays until it succeeds: %s; "
      .. "fix it, or have the consumers read the key again and confirm; then advance"):format(
      job.record.notice.problem))
  end
  return true
end

---Of a client's own key: from here on the old key acts, as no key removes itself.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err
function returning.become_old(job)
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

---The service refuses the old key after the new one was disabled, which works again. Looks why, and halts.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err
function returning.refused(job)
  local record = job.record
  local old, err = calls.ask(job, record.old.id)
  local cause, why = "back_gone", "gone"
  if old == nil then
    return nil, err
  elseif old then
    cause, why = old.valid and "back_refused" or "back_disabled", old.valid and "enabled" or "disabled"
  end
  local ok
  ok, err = job:halt(cause, "the service refuses the old key, so that the new one was enabled again: the old key is "
    .. why)
  return ok, err
end

-- The first store that holds the new secret again; nil, nil: none does.
local function holds_new(job)
  local store, err = stores.find(job, function(content) return stores.is_secret_of(content, job.record.new.last6) end)
  if store == nil then
    return nil, err
  end
  return store and ("the store %s holds the new secret again"):format(store.label) or nil
end

---Looks whether the old key works and no store holds the new one, which can be seen. Halts when others have changed
---that.
---@param job confidentai.Job
---@param now? boolean the old secret is tried now, not only once an hour
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function returning.watch(job, now)
  local record = job.record
  local old, err = calls.get(job, record.old.id)
  if old == nil then
    return nil, err
  end
  job.old_refused = not old or not old.valid
  local problem, cause = problem_with(job, old)
  if not problem then
    problem, err = holds_new(job)
    cause = "new_held"
    if err then
      return nil, err
    end
  end
  if not problem and (now or not record.back.proven or job:since(record.back.proven) >= HOURLY) then
    local result
    result, err = prove_old(job)
    if not result then
      return nil, err
    end
    problem, cause = result == "refused" and "the service refuses the old key" or nil, "back_refused"
    local ok
    ok, err = job:keep()
    if not ok then
      return nil, err
    end
  end
  if not problem then
    return true
  end
  local ok
  ok, err = job:halt(cause, problem)
  return ok and false, err
end

return returning
