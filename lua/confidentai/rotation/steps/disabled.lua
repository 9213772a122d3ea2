-- SPDX-License-Identifier: Apache-2.0
-- disabled: the old key is disabled, after the new one was proven again and the stores were read again. The new key is
-- proven once more after it, and the old one is shown to be refused where its secret is held.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local rivals = require "confidentai.rotation.rivals"
local standing = require "confidentai.rotation.standing"

-- Seconds between two looks whether a disabled key is refused already, or rivals have gone; and for which the service
-- may go on accepting a disabled key.
local POLL, PROPAGATION = 2, 60

-- Seconds: the first wait before the old key is disabled again after a failure, and the longest.
local BACKOFF, LONGEST_BACKOFF = 0.5, 60

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
  ok, err = job:halt("conflict", "the old key is disabled, and the service accepts its secret", "old_accepted")
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

-- The service refuses the new key, and an act of ours may have disabled the old one: it works again before anything
-- else. A key that is compromised, or that another party disabled, stays as it is.
local function enable_again(job)
  local record = job.record
  if record.options.compromised or record.disabled_by == "others" then
    local ok, err = job:halt("conflict", "the service refuses the new key, and the old one stays disabled: enable the "
      .. "new key, or rotate again", "new_refused")
    return ok, err
  end
  local ok, err = job:save("the service refuses the new key: enabling the old one", { key = record.old.id })
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.set_valid(job, record.old, true)
  if not result then
    return nil, err
  elseif result == "gone" then
    ok, err = job:halt("conflict", "the service refuses the new key, and the old one is gone: enable the new key",
      "new_refused")
    return ok, err
  end
  record.disabled, record.disabled_by = nil, nil
  if not record.disable_unclear then
    record.disabling = nil
  end
  ok, err = job:halt("conflict", "the service refuses the new key, so that the old one was enabled again: enable the "
    .. "new key and advance, or roll back", "new_refused")
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
    record.disabling, record.disable_unclear = nil, nil -- that attempt is over: who disables the key from now on is another
  end
  local ok
  ok, err = give_way(job, old)
  if ok == false and job.refused and record.disabling and old and not old.valid then
    ok, err = enable_again(job)
    ok = ok and false
  end
  return ok, err, old
end

-- An attempt that failed, or whose answer is lost. One that took effect is seen at once; else the whole step is done
-- again, as far as the client's retries reach.
local function settle(job, err, before)
  local record, settings = job.record, core.environment(job.client)
  if err.outcome == "not_applied" then
    record.disabling = before
  end
  record.disable_unclear = record.disabling ~= nil or nil
  local ok, problem = job:save("the old key was not seen to be disabled: " .. err.kind)
  if not ok then
    return nil, problem
  end
  local old = err.outcome == "unknown" and calls.get(job, record.old.id)
  if old and not old.valid then
    record.disabled, record.disabled_by = job:mark(), "rotation"
    ok, problem = job:save "the old key is disabled"
    return ok, problem
  end
  job.tries = (job.tries or 0) + 1
  local passing = err.kind == "network" or err.kind == "timeout" or err.status == 429 or (err.status or 0) >= 500
  if not passing or job.tries > (settings.max_retries or 0) or (err.retry_after or 0) > LONGEST_BACKOFF then
    return nil, err
  end
  return false, err.retry_after or math.min(LONGEST_BACKOFF, BACKOFF * 2 ^ (job.tries - 1)), true
end

-- The PUT, with its intent on record. It is sent once, and only while the proof of the new key is fresh.
local function disable(job, old)
  local record, before = job.record, job.record.disabling
  local ok, err, short
  record.disabling = job:mark()
  record.disable_unclear = before ~= nil or nil -- an attempt before may take effect yet
  ok, err = job:save("disabling the old key", { key = record.old.id })
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.set_valid(job, record.old, false, function() return proof.is_fresh(job) end)
  if result == "held back" or result == "gone" and old then
    record.disabling = before
    return false, POLL, true -- it took too long, or the key was there a moment ago: again from the start
  elseif not result and err.kind == "guard" then
    ok, err = job:halt("conflict", err.message)
    return ok, err
  elseif not result then
    ok, err, short = settle(job, err, before)
    return ok, err, short
  end
  -- Who has disabled it: an attempt before may have, whose answer is lost.
  record.disabled_by = (result == "changed" or before) and "rotation" or "others"
  record.disabled = job:mark()
  ok, err = job:save(result == "gone" and "the old key is gone already"
    or record.disabled_by == "others" and "the old key was disabled by others" or "the old key is disabled")
  return ok, err
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
  else
    local old
    ok, err, old = look(job)
    if ok then
      ok, err, more = disable(job, old)
    elseif ok == false then
      ok = true -- halted
    end
  end
  return ok, err, more
end
