-- SPDX-License-Identifier: Apache-2.0
-- disabled: the old key is disabled, after the new one was proven again and the stores were read again, and is shown to
-- be refused where its secret is held.

local calls = require "confidentai.rotation.calls"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local rivals = require "confidentai.rotation.rivals"
local standing = require "confidentai.rotation.standing"

-- Seconds between two looks whether a disabled key is refused already, or rivals have gone; and for which the service
-- may go on accepting a disabled key.
local POLL, PROPAGATION = 2, 60

local function enter_grace(job, what)
  local ok, err = job:enter("grace", what)
  return ok, err
end

-- The old secret must not work any more. Not known: nothing can be shown.
local function show_refused(job)
  local record, secret = job.record, proof.old_secret(job)
  if not secret then
    local ok, err = enter_grace(job, "disabled; its secret is not held, so that its refusal was not tried")
    return ok, err
  end
  local result, err = calls.try(job, secret)
  if not result then
    return nil, err
  end
  local ok
  if result == "refused" then
    record.refused = true
    ok, err = enter_grace(job, "disabled, and refused")
    return ok, err
  elseif job:since(record.disabled) < PROPAGATION then
    return false, POLL, true
  end
  ok, err = job:halt("conflict", "the old key is disabled, and the service accepts its secret")
  return ok, err
end

-- Whether we are the one to disable the old key.
local function give_way(job, old)
  local found, err = rivals.find(job)
  if found == nil then
    return nil, err
  elseif found == false then
    return job:failure("api", "the service's list of keys leaves some out; nothing was disabled")
  end
  local ok
  if #job.record.quarantine > 0 then -- of our own name, and not ours
    ok, err = quarantine.work(job)
    if not ok then
      return nil, err
    end
  end
  local stands
  stands, err = standing.check(job, found)
  if not stands then
    return stands, err
  elseif found.winner and old and old.valid then
    ok, err = job:halt("superseded", "another rotation of this key has the lower id, and disables the old key")
    return ok and false, err
  end
  return true
end

-- Everything that has to be true before the old key is disabled. With true: the old key, or false.
local function look(job)
  local old, err = calls.get(job, job.record.old.id)
  if old == nil then
    return nil, err
  end
  local ok
  ok, err = give_way(job, old)
  return ok, err, old
end

-- The PUT, with its intent on record.
local function disable(job, old)
  local record = job.record
  local ok, err
  if not proof.is_fresh(job) then
    return true -- it took too long: again from the start
  end
  record.disable_unclear = record.disabling ~= nil or nil -- an attempt before may take effect yet
  record.disabling = job:mark()
  ok, err = job:save("disabling the old key", { key = record.old.id })
  if not ok then
    return nil, err
  end
  local result, unclear
  result, err, unclear = calls.set_valid(job, record.old, false)
  if result == "gone" and old then
    return true -- it was there a moment ago: again from the start
  elseif not result then
    if err.kind == "guard" then
      ok, err = job:halt("conflict", err.message)
      return ok, err
    end
    return nil, err
  end
  record.disable_unclear = record.disable_unclear or unclear
  record.disabled = job:mark()
  ok, err = job:save(result == "gone" and "the old key is gone already" or "the old key is disabled")
  return ok, err
end

---@param job confidentai.Job
return function(job)
  local record = job.record
  local ok, err, more
  if not record.old or not record.old.id then
    ok, err = enter_grace(job, "there is no old key")
  elseif record.disabled then
    ok, err, more = show_refused(job)
  else
    local old
    ok, err, old = look(job)
    if ok then
      ok, err = disable(job, old)
    elseif ok == false then
      ok = true -- halted
    end
  end
  return ok, err, more
end
