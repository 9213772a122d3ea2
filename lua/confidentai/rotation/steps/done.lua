-- SPDX-License-Identifier: Apache-2.0
-- done: the old key is deleted, after a last look at everything, and the escrow is wiped.

local calls = require "confidentai.rotation.calls"
local elapsed = require "confidentai.rotation.elapsed"
local proof = require "confidentai.rotation.proof"
local retire = require "confidentai.rotation.retire"
local rivals = require "confidentai.rotation.rivals"
local standing = require "confidentai.rotation.standing"
local stores = require "confidentai.rotation.stores"
local timestamp = require "confidentai.timestamp"

-- Seconds between two looks at a key that was deleted and is in the list yet; the same after a while, and how often the
-- time of settling that is.
local POLL, LATER, PATIENCE = 2, 300, 3

-- Returns why the old key may have been used after it was disabled, and a consumer may still need it; nil: it was not.
local function late_use(record, old)
  local kind, last = timestamp.read(old.last_used)
  if record.use_confirmed then
    return nil
  elseif kind == "unreadable" then
    return "the time of the old key's last use cannot be read"
  elseif last and last > elapsed.dated(record.disabled) + retire.MARGIN then
    return "the old key was used after it was disabled"
  end
end

-- The key is deleted, and the list shows it yet. A while is waited for in this run.
local function look_later(job)
  local short = job:since(job.record.deleting) < PATIENCE * job.record.options.settle
  return false, short and POLL or LATER, short
end

local function finish(job, what)
  local record = job.record
  record.finished = true
  local unshown = proof.unshown(record)
  local ok, err = job:save(unshown and what .. "; " .. unshown or what)
  return ok, err
end

-- A secret that has leaked is seen to be refused before the end, where it is held. True; false: halted.
local function show_refused(job)
  local record = job.record
  if not record.options.compromised or record.refused then
    return true
  end
  local result, err = proof.try_old(job)
  if result ~= "accepted" then
    return result and true, err
  end
  local ok
  ok, err = job:halt("old_accepted", "the service accepts the compromised secret, though its key is "
    .. (record.disabled and "disabled" or "not there") .. ": find out whose it is by `confidentai identify --probe`")
  return ok and false, err
end

-- Why the old key is not deleted, by what the guard says of it.
local REASONS = { stored = "store_written", used = "old_used", unclear = "old_used", claimed = "old_enabled",
  foreign = "old_changed" }

local function delete(job)
  local old = job.record.old
  local result, reason, kind = retire.delete(job, job.record, old, "the old key")
  local ok, err
  if result == "late" then
    return look_later(job)
  elseif result then
    ok, err = finish(job, "the old key is deleted")
  elseif result == false then
    ok, err = job:halt(REASONS[kind], ("key %s is not deleted: %s"):format(old.id, reason))
  elseif reason.kind == "guard" then
    ok, err = job:halt(stores.missing(job) and "store_not_given" or "own_key", reason.message)
  else
    return nil, reason
  end
  return ok, err
end

---@param job confidentai.Job
return function(job)
  local record = job.record
  local ok, err
  if not record.old or not record.old.id then
    ok, err = show_refused(job)
    if ok then
      ok, err = finish(job, "finished")
    end
    return ok == false or ok, err
  end
  local old
  local listed
  old, err, listed = calls.get(job, record.old.id)
  if listed and record.deleting then
    return look_later(job)
  elseif old == nil then
    return nil, err
  elseif old and old.valid then
    record.disabled_by = "others" -- whoever disables it now
    ok, err = job:halt("old_enabled", "another process or person has enabled the old key again")
    return ok, err
  elseif old and not record.deleting and retire.left(job, record) > 0 then
    ok, err = job:enter("grace", "the grace is not over")
    return ok, err
  end
  ok, err = show_refused(job)
  if ok and not old then
    ok, err = finish(job, "the old key is gone")
    return ok, err
  elseif not ok then
    return ok == false or nil, err
  end
  local reason = late_use(record, old)
  if reason then
    ok, err = job:halt("old_used", reason)
    return ok, err
  end
  local found
  found, err = rivals.find(job)
  if not found then
    return nil, err
  end
  ok, err = standing.check(job, found)
  if ok then
    local short
    ok, err, short = delete(job)
    return ok, err, short
  end
  return ok == false or nil, err -- false: halted
end
