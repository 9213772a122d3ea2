-- SPDX-License-Identifier: Apache-2.0
-- Carries a rotation on: step by step, until it has to wait, stops or ends. What an earlier run left behind comes
-- first.

local identity = require "confidentai.rotation.identity"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local rollback = require "confidentai.rotation.rollback"
local stores = require "confidentai.rotation.stores"
local suspects = require "confidentai.rotation.suspects"
local trouble = require "confidentai.rotation.trouble"

local advance = {}

local steps = {
  planned = require "confidentai.rotation.steps.creating",
  creating = require "confidentai.rotation.steps.creating",
  escrowed = require "confidentai.rotation.steps.escrowed",
  proven = require "confidentai.rotation.steps.proven",
  published = require "confidentai.rotation.steps.published",
  soaking = require "confidentai.rotation.steps.soaking",
  disabled = require "confidentai.rotation.steps.disabled",
  grace = require "confidentai.rotation.steps.grace",
  done = require "confidentai.rotation.steps.done",
}

-- After the end: nothing of a secret stays, and suspects are looked for until their time is over.
local function clean_up(job)
  local record = job.record
  local ok, err = job.escrow:wipe()
  if ok and #record.suspects == 0 and #record.quarantine == 0 and not record.settled then
    record.settled = true
    ok, err = job:save "settled"
  end
  if not ok then
    return nil, err
  end
  return true
end

-- Looks for what may have come late, and removes what nobody shall use.
local function tidy(job)
  local ok, err = quarantine.work(job)
  if ok then
    ok, err = suspects.work(job)
  end
  if ok then
    ok, err = quarantine.work(job)
  end
  return ok, err
end

-- States in which stores are read or written.
local STORED = { published = true, soaking = true, disabled = true, grace = true, done = true }

-- One step: as a step does. Without its stores, or with those of another machine, it would take absence for a fact.
local function step(job)
  local record = job.record
  if STORED[record.state] and not record.rollback then
    local complete, err = stores.complete(job)
    if not complete then
      return complete == false or nil, err
    end
  end
  local ok, more, short = (record.rollback and rollback.work or steps[record.state])(job)
  return ok, more, short
end

-- The shorter of two waits, each of which may be none.
local function soonest(one, other)
  return one and other and math.min(one, other) or one or other
end

-- Steps until there is nothing that can be done now.
local function work(job)
  local record = job.record
  while true do
    local short
    local ok, more = quarantine.work(job)
    if not ok then
      return nil, more
    elseif record.finished then
      ok, more = proof.show(job)
      if ok then
        ok, more = clean_up(job)
      end
      if not ok then
        return nil, more
      end
      return true, soonest(suspects.wait(job), quarantine.wait(job))
    elseif record.stop then
      return true
    end
    ok, more, short = step(job)
    if ok == nil then
      return nil, more
    elseif ok == false then
      return true, short and more or soonest(more, quarantine.wait(job)), short
    end
  end
end

-- A halt is looked at again: whoever advances may have resolved it. One that stands is not written again.
local function lift(job)
  local record = job.record
  if not record.finished then
    job.halted = { stop = record.stop, reason = record.reason, cause = record.cause, about = record.about,
      state = record.state }
    job:clear_stop()
  end
end

-- A run that ends early leaves the halt as it is on record.
local function break_off(job, err)
  local record, halted = job.record, job.halted
  if not record.stop and halted.stop and halted.state == record.state then
    record.stop, record.reason, record.cause, record.about = halted.stop, halted.reason, halted.cause, halted.about
  end
  err.state = record.stop or record.state
  return nil, err
end

local function fail(job, err)
  trouble.note(job, err)
  return break_off(job, err)
end

-- What the pending secret held is not known where it cannot be read: nothing may be concluded from that, and nothing be
-- done. True, or what `once` returns.
local function check_escrow(job)
  local problem = job.escrow.problem
  if not problem then
    return true
  elseif not job.escrow.damaged or job.record.finished then
    local _, err = job:failure("state", problem)
    return fail(job, err)
  end
  local ok, err = job:halt("secret_damaged", problem)
  return ok and false, err
end

---Does what can be done now.
---@param job confidentai.Job
---@return true?
---@return number|confidentai.Error? wait_or_err seconds until there is more to do; nil: nothing
---@return boolean? short whether the wait is part of a step, and no soak or grace
function advance.once(job)
  proof.recover(job)
  lift(job)
  local usable, problem = check_escrow(job)
  if not usable then
    return usable == false or nil, problem
  end
  local found, err = identity.need(job)
  if not found then
    return fail(job, err)
  end
  local ok, more, short = tidy(job)
  if ok then
    ok, more, short = work(job)
  end
  if ok then
    local kept, problem_with_record = trouble.clear(job)
    ok, more = kept and true or nil, kept and more or problem_with_record
  end
  if not ok then
    return fail(job, more)
  end
  return true, more, short
end

---Goes on through the waits within steps, until it is time to wait for soak or grace.
---@param job confidentai.Job
---@return true?
---@return number|confidentai.Error? wait_or_err
function advance.run(job)
  while true do
    local ok, more, short = advance.once(job)
    if not ok then
      return nil, more
    elseif not short then
      return true, more
    end
    local _, err = job.pause(more)
    if err then
      return break_off(job, err) -- nothing waits here any more; the rotation is as it should be
    end
  end
end

return advance
