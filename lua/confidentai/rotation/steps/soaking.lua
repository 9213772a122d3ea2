-- SPDX-License-Identifier: Apache-2.0
-- soaking: both keys work, until those who use the old one have taken the new one over. The process may exit.

local adoption = require "confidentai.rotation.adoption"
local calls = require "confidentai.rotation.calls"
local notice = require "confidentai.rotation.notice"

-- Seconds between two looks: a tenth of the soak, in these bounds.
local SHORTEST, LONGEST = 30, 3600

-- Seconds after which a look that found nothing new is on record, too.
local REMIND = 1800

-- The new key is not what it was when it was published: somebody is at work.
local function lost(job, new)
  local ok, err = job:halt("conflict", new
    and "somebody has disabled the new key, which the stores hold: enable it, or roll back"
    or "somebody has deleted the new key, which the stores hold: roll back")
  return ok, err
end

local function check_interval(job, left)
  local interval = math.max(SHORTEST, math.min(LONGEST, job.record.options.soak / 10))
  return math.max(1, math.min(interval, left))
end

-- Both keys, as they are now; nil: an error, or halted.
local function look(job)
  local record = job.record
  local new, err = calls.get(job, record.new.id)
  if new == nil then
    return nil, nil, err
  elseif new == false or not new.valid then
    local ok
    ok, err = lost(job, new)
    return nil, ok, err
  end
  local old = false
  if record.old and record.old.id then
    old, err = calls.get(job, record.old.id)
    if old == nil then
      return nil, nil, err
    end
  end
  return new, old
end

-- While the command on_published has not succeeded, users may still have to be told of the new key. That does not keep
-- a key alive that works no more, or that nobody shall use.
local function waits_for_notice(job, old)
  local record = job.record
  return notice.is_owed(record) and old and old.valid and not record.confirmed and not record.options.compromised
    and not record.options.replace
end

-- Goes on soaking. What was found is on record when it is new, and from time to time, so that others see that somebody
-- looks.
local function go_on(job, evidence, wait)
  local record = job.record
  local seen = record.looked
  if job.moved or record.evidence ~= evidence or not seen or job:since(seen) >= REMIND then
    local what = job.moved and "the old key's lastUsed has moved" or record.evidence ~= evidence and evidence or nil
    job.moved, record.evidence, record.looked = nil, evidence, job:mark()
    local ok, err
    if what then
      ok, err = job:save(what)
    else
      ok, err = job:keep()
    end
    if not ok then
      return nil, err
    end
  end
  return false, wait
end

---@param job confidentai.Job
return function(job)
  local record = job.record
  local ok, err = notice.work(job)
  if not ok then
    return nil, err
  end
  local new, old
  new, old, err = look(job)
  if not new then
    return old, err
  end
  local verdict, left, stuck = adoption.look(job, new, old)
  if waits_for_notice(job, old) then
    verdict, left, stuck = "the command on_published has failed: " .. record.notice.problem, notice.AGAIN, nil
  end
  if verdict == "adopted" then
    ok, err = job:enter("disabled", "adopted: " .. left)
  elseif job:since(record.published) >= record.options[stuck and "soak" or "soak_max"] then
    ok, err = job:halt("stalled", "nothing shows that the new key has been taken over: " .. verdict)
  else
    ok, err = go_on(job, verdict, check_interval(job, left))
  end
  return ok, err
end
