-- SPDX-License-Identifier: Apache-2.0
-- Disables and deletes the key that is on its way out: the old one, or in a rollback the new one. The disable is sent
-- once, while the proof of the key that stays is fresh. A failure or a lost answer leads to the whole step again, with
-- a new proof.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"

local retire = {}

-- Seconds: a use that the service shows so soon after the key was disabled may have been before.
retire.MARGIN = 60

-- Seconds: between two tries, the first wait after a failure, and the longest.
local POLL, BACKOFF, LONGEST_BACKOFF = 2, 0.5, 60

-- Returns true for a failure that may be over at the next try.
local function is_passing(err)
  return err.kind == "network" or err.kind == "timeout" or err.status == 429 or (err.status or 0) >= 500
end

-- An attempt that failed, or whose answer is lost. One that took effect is seen at once; else the whole step is done
-- again, as far as the client's retries reach.
local function settle(job, facts, key, err, before)
  if err.outcome == "not_applied" then
    facts.disabling = before
  end
  facts.disable_unclear = facts.disabling ~= nil or nil
  local ok, problem = job:save(("%s was not seen to be disabled: %s"):format(key.name, err.kind))
  if not ok then
    return nil, problem
  end
  local found = err.outcome == "unknown" and calls.get(job, key.identity.id)
  if found and not found.valid then
    facts.disabled, facts.disabled_by = job:mark(), "rotation"
    ok, problem = job:save(key.name .. " is disabled")
    return ok, problem
  end
  job.tries = (job.tries or 0) + 1
  local most = core.environment(job.client).max_retries or 0
  if not is_passing(err) or job.tries > most or (err.retry_after or 0) > LONGEST_BACKOFF then
    return nil, err
  end
  return false, err.retry_after or math.min(LONGEST_BACKOFF, BACKOFF * 2 ^ (job.tries - 1)), true
end

---Disables a key, with its intent on record before.
---@param job confidentai.Job
---@param facts table of the record: `disabling` and `disabled` (marks), `disable_unclear` (an attempt may take effect
---late) and `disabled_by` ("rotation" or "others") are set
---@param key { identity: table, name: string, changed: string, is_fresh: (fun(): boolean), is_there: any } name: "the
---old key" or "the new key"; changed: the cause of a stop, where it is not the one on record any more; is_fresh: true
---while the proof of the key that stays is good enough; is_there: it was seen a moment ago, so that a 404 now proves
---nothing
---@return boolean? ok as a step does: false: to be tried again
---@return number|confidentai.Error? wait_or_err
---@return boolean? short
function retire.disable(job, facts, key)
  local before = facts.disabling
  facts.disabling = job:mark()
  facts.disable_unclear = before ~= nil or nil -- an attempt before may take effect yet
  local ok, err = job:intend("disabling " .. key.name, key.identity.id)
  if not ok then
    return nil, err
  end
  local result, other
  result, err, other = calls.set_valid(job, key.identity, false, key.is_fresh)
  if result == "held back" or result == "gone" and key.is_there then
    facts.disabling = before
    return false, POLL, true -- it took too long, or the service contradicts itself: again from the start
  elseif not result and err.kind == "guard" then
    facts.disabling = before
    ok, err = job:halt(other and key.changed or "own_key", err.message)
    return ok, err
  elseif not result then
    local done, wait, short = settle(job, facts, key, err, before)
    return done, wait, short
  end
  -- Who has disabled it: an attempt before may have, whose answer is lost.
  facts.disabled_by = (result == "changed" or before) and "rotation" or "others"
  facts.disabled = job:mark()
  ok, err = job:save(key.name .. (result == "gone" and " is gone already"
    or facts.disabled_by == "others" and " was disabled by others" or " is disabled"))
  return ok, err
end

---Returns the seconds for which a disabled key is kept yet, 0 or less when the grace is over. A run in which the next
---rotation begins does not wait for that; its record stays as it is, as that rotation may not begin.
---@param job confidentai.Job
---@param facts table of the record: as of retire.disable
---@return number
function retire.left(job, facts)
  local options = job.record.options
  local grace = (job.ends_grace or options.compromised) and 0 or options.grace
  return grace - (facts.disabled and job:since(facts.disabled) or 0)
end

---Deletes a disabled key, where the guard allows it, with its intent on record before. An intent that led to no request
---is taken back: there still is a way back.
---@param job confidentai.Job
---@param facts table of the record: as of retire.disable, and `use_confirmed`; `deleting` (mark) is set
---@param identity table of the key
---@param name string "the old key" or "the new key"
---@return "deleted"|"gone"|"late"|false|nil done as of guard.delete
---@return string|confidentai.Error|nil reason_or_err
---@return string? kind as of guard.delete
function retire.delete(job, facts, identity, name)
  local before = facts.deleting
  local result, reason, kind = guard.delete(job, identity, { named = true, retired = true, own_use = facts.disabled,
    margin = retire.MARGIN, use_confirmed = facts.use_confirmed, intend = function()
      facts.deleting = job:mark()
      local ok, err = job:intend("deleting " .. name, identity.id)
      return ok, err
    end })
  if result == nil and kind == "unsent" then
    facts.deleting = before
    local ok, err = job:keep()
    if not ok then
      return nil, err
    end
  end
  return result, reason, kind
end

---Returns true if a disable of ours may still take effect, so that a change in the other direction has to wait.
---@param job confidentai.Job
---@param facts table as of retire.disable
---@return boolean
function retire.is_unsettled(job, facts)
  return facts.disabling ~= nil and (not facts.disabled or facts.disable_unclear == true)
    and job:since(facts.disabling) < job.record.options.settle
end

---Forgets a disable, once the key works again. The caller saves.
---@param facts table as of retire.disable
function retire.forget(facts)
  facts.disabling, facts.disabled, facts.disable_unclear, facts.disabled_by = nil, nil, nil, nil
end

return retire
