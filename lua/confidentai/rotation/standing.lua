-- SPDX-License-Identifier: Apache-2.0
-- What must be true of the new key: at the moment in which the old key is disabled or deleted it works, and every store
-- holds it; and at each look before that, too, so that a person is told at once.

local adoption = require "confidentai.rotation.adoption"
local calls = require "confidentai.rotation.calls"
local guard = require "confidentai.rotation.guard"
local proof = require "confidentai.rotation.proof"
local rivals = require "confidentai.rotation.rivals"
local stores = require "confidentai.rotation.stores"

local standing = {}

-- Seconds between two proofs while nothing else happens; and where a proof may hide what is waited for: a job that runs
-- once a day must not meet one each time.
local HOURLY, RARELY = 3600, 5 * 3600

---The service refuses the new key. Looks why, and halts: what a person can do depends on that.
---@param job confidentai.Job
---@param text string what has happened
---@return true?
---@return confidentai.Error? err
function standing.refused(job, text)
  local key = calls.ask(job, job.record.new.id)
  local cause, why = "new_refused", ""
  if key == false then
    cause, why = "new_gone", ": that key is gone"
  elseif key and not key.valid then
    cause, why = "new_disabled", ": that key is disabled"
  elseif key then
    why = ": that key is enabled"
  end
  local ok, err = job:halt(cause, text .. why)
  return ok, err
end

---Proves the new key now. Halts when the service refuses it.
---@param job confidentai.Job
---@param kind? "routine" as of proof.work
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.prove(job, kind)
  local result, err = proof.work(job, kind)
  if result ~= "refused" then
    return result and true, err
  end
  local ok
  ok, err = standing.refused(job, "the service refuses the new key now")
  return ok and false, err
end

---Looks whether the new key, which no store was given yet, has been used by anybody else: then this record is an old
---copy, and stores may hold the key. A run that has made the key knows better.
---@param job confidentai.Job
---@return boolean? alone false: the rotation has halted
---@return confidentai.Error? err
function standing.is_alone(job)
  local record = job.record
  if job.made and job.made[record.new.id] or stores.may_hold_new(job) then
    return true
  end
  local alone, reason = guard.is_alone(job, record.new, record.our_use)
  if alone ~= false then
    return alone, reason
  end
  local ok, err = job:halt("new_claimed",
    ("key %s is not published yet, and %s; is the state folder an old copy?"):format(record.new.id, reason))
  return ok and false, err
end

---Checks everything. Halts when something is not as it must be.
---@param job confidentai.Job
---@param found table rivals, as the service shows them now
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.check(job, found)
  local ok, err = stores.complete(job)
  if not ok then
    return ok, err
  end
  local holds, label, content = stores.hold_new(job)
  if holds == nil then
    return nil, label
  elseif not holds then
    ok, err = rivals.settle(job, found, label, content)
    return ok and false, err
  end
  ok, err = standing.prove(job)
  return ok, err
end

-- The new key as it is now. False: halted, as others have changed it.
local function look_at_new(job)
  local identity = job.record.new
  local new, err = calls.get(job, identity.id)
  if new == nil then
    return nil, err
  end
  local cause, problem
  if not new then
    cause, problem = "new_gone", "another process or person has deleted the new key, which the stores hold"
  elseif not calls.is_same(job, new, identity) then
    cause, problem = "new_changed", ("key %s is not the new key on record any more"):format(identity.id)
  elseif not new.valid then
    cause, problem = "new_disabled", "another process or person has disabled the new key, which the stores hold"
  else
    return new
  end
  local ok
  ok, err = job:halt(cause, problem)
  return ok and false, err
end

-- Whether the stores that can be read hold the new secret. False: halted.
local function look_at_stores(job)
  local holds, label, content = stores.hold_new(job)
  if holds ~= false then
    return holds, label
  end
  local ok, err
  if job.record.state ~= "soaking" then
    ok, err = rivals.written(job, label, content, ("the store %s does not hold the new secret any more"):format(label))
    return ok and false, err
  end
  local found
  found, err = rivals.find(job)
  if not found then
    return nil, err
  end
  ok, err = rivals.settle(job, found, label, content)
  return ok and false, err
end

-- A proof once an hour. What it hides in the new key's lastUsed was looked at before, and is looked at after it.
local function prove_hourly(job)
  if job:since(job.record.our_use) < (adoption.is_late(job.record) and RARELY or HOURLY) then
    return true
  end
  local stands, err = standing.prove(job, "routine")
  if not stands then
    return stands, err
  end
  local new
  new, err = look_at_new(job)
  if not new then
    return new, err
  end
  adoption.note_own_use(job, new)
  local ok
  ok, err = job:keep()
  return ok, err
end

---Looks whether the new key works, and the stores hold it. Halts when others have changed that.
---@param job confidentai.Job
---@param see? fun(new: confidentai.ApiKey) told of the new key as it is before it is proven
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.watch(job, see)
  local stands, err = look_at_new(job)
  if stands and see then
    see(stands)
  end
  if stands then
    stands, err = look_at_stores(job)
  end
  if stands then
    stands, err = prove_hourly(job)
  end
  return stands, err
end

return standing
