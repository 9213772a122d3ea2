-- SPDX-License-Identifier: Apache-2.0
-- disabled: the old key is disabled, after the new one was proven again and the stores were read again. The new key is
-- proven once more after it, and the old one is shown to be refused where its secret is held.

local adoption = require "confidentai.rotation.adoption"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local retire = require "confidentai.rotation.retire"
local rivals = require "confidentai.rotation.rivals"
local standing = require "confidentai.rotation.standing"
local stores = require "confidentai.rotation.stores"

-- Seconds between two looks whether a disabled key is refused already, or rivals have gone; and for which the service
-- may go on accepting a disabled key.
local POLL, PROPAGATION = 2, 60

local function enter_grace(job, what)
  local ok, err = job:enter("grace", what)
  return ok, err
end

-- The old secret must not work any more. Not held: nothing can be shown.
local function show_refused(job)
  local record = job.record
  local result, err = proof.try_old(job)
  if not result then
    return nil, err
  end
  local ok
  if result == "not held" then
    ok, err = enter_grace(job, "disabled; its secret is not held, so that its refusal was not tried")
    return ok, err
  elseif result == "refused" then
    ok, err = enter_grace(job, "disabled, and refused")
    return ok, err
  elseif job:since(record.disabled) < PROPAGATION then
    return false, POLL, true
  end
  ok, err = job:halt("old_accepted", "the old key is disabled, and the service accepts its secret")
  return ok, err
end

-- Whether we are the one to disable the old key.
local function give_way(job, old)
  local found, err = rivals.find(job)
  if found == nil then
    return nil, err
  elseif found == false then
    return job:failure("api", "the service's list of keys is incomplete; nothing was disabled")
  end
  local ok
  if #job.record.quarantine > 0 then -- of our own name, and not ours
    ok, err = quarantine.work(job)
    if not ok or job.record.stop then
      return ok and false, err
    end
  end
  local stands
  stands, err = standing.check(job, found)
  if not stands then
    return stands, err
  elseif found.newer and old and old.valid then
    local id = core.key_id(job.api_keys, found.newer)
    ok, err = job:halt("newer_key", ("key %s ('%s') is newer than the new key of this rotation, enabled, and not made "
      .. "by it"):format(id, found.newer.name), id)
    return ok and false, err
  elseif found.winner and old and old.valid then
    ok, err = job:halt("rival_first", "another rotation of this key has the lower id, and disables the old key")
    return ok and false, err
  end
  return true
end

-- The service refuses the new key, and an act of ours may have disabled the old one: it works again before anything
-- else. A key that is compromised, or that another party disabled, stays as it is.
local function enable_again(job)
  local record = job.record
  if record.options.compromised or record.disabled_by == "others" then
    local ok, err = standing.refused(job, "the service refuses the new key, and the old one stays disabled")
    return ok, err
  end
  local ok, err = job:intend("the service refuses the new key: enabling the old one", record.old.id)
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.set_valid(job, record.old, true)
  if not result then
    return nil, err
  elseif result == "gone" then
    ok, err = standing.refused(job, "the service refuses the new key, and the old one is gone")
    return ok, err
  end
  local pending = record.disable_unclear and record.disabling
  retire.forget(record)
  record.disabling, record.disable_unclear = pending, pending and true
  ok, err = standing.refused(job, "the service refuses the new key, so that the old one was enabled again")
  return ok, err
end

-- The new key must work now that the old one does not.
local function stand_alone(job)
  local result, err = proof.work(job)
  if not result then
    return nil, err
  end
  local ok
  if result == "accepted" then
    job.record.alone = true
    ok, err = job:save "the new key works without the old one"
  else
    ok, err = enable_again(job)
  end
  return ok, err
end

-- Everything that has to be true before the old key is disabled. With true: the old key, or false.
local function look(job)
  local record = job.record
  local old, err = calls.get(job, record.old.id)
  if old == nil then
    return nil, err
  end
  if old and old.valid and record.disabling and job:since(record.disabling) > record.options.settle then
    -- That attempt is over: who disables the key from now on is another.
    retire.forget(record)
  end
  local ok
  ok, err = give_way(job, old)
  if ok == false and job.refused and record.disabling and old and not old.valid then
    ok, err = enable_again(job)
    ok = ok and false
  end
  return ok, err, old
end

---@param job confidentai.Job
return function(job)
  local record = job.record
  local ok, err, more
  if not record.old or not record.old.id then
    ok, err = enter_grace(job, "there is no old key")
  elseif record.disabled and not record.alone then
    ok, err = stand_alone(job)
  elseif record.disabled then
    ok, err, more = show_refused(job)
  elseif stores.is_settling(job, "old") then
    ok, err, more = false, POLL, true
  else
    local begun = job.clock()
    local old
    ok, err, old = look(job)
    if ok and adoption.is_outdated(job, old) then
      ok, err = job:enter("soaking", "the old key was used since: the soak continues")
    elseif ok then
      ok, err, more = retire.disable(job, record, { identity = record.old, name = "the old key",
        changed = "old_changed", is_there = old,
        is_fresh = function() return proof.is_fresh(job) and guard.is_recent(job, begun) end })
    elseif ok == false then
      ok = true -- halted
    end
  end
  return ok, err, more
end
