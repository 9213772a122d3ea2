-- SPDX-License-Identifier: Apache-2.0
-- soaking: both keys work, until those who use the old one have taken the new one over. The process may exit.

local adoption = require "confidentai.rotation.adoption"
local calls = require "confidentai.rotation.calls"
local notice = require "confidentai.rotation.notice"
local standing = require "confidentai.rotation.standing"

-- Seconds between two looks: a tenth of the soak, in these bounds.
local SHORTEST, LONGEST = 30, 3600

-- Seconds after which a look that found nothing new is on record, too.
local REMIND = 1800

local function check_interval(job, left)
  local interval = math.max(SHORTEST, math.min(LONGEST, job.record.options.soak / 10))
  return math.max(1, math.min(interval, left))
end

-- The old key as it is now; false: there is none. With an error: nil.
local function look_at_old(job)
  local old = job.record.old
  if not old or not old.id then
    return false
  end
  local key, err = calls.get(job, old.id)
  return key, err
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
  local old
  old, err = look_at_old(job)
  if old == nil then
    return nil, err
  end
  local verdict, left, stuck
  ok, err = standing.watch(job, function(new)
    verdict, left, stuck = adoption.look(job, new, old)
  end)
  if not ok then
    return ok == false or nil, err
  end
  local untold = waits_for_notice(job, old)
  if untold then
    verdict, left, stuck = "the command on_published has failed: " .. record.notice.problem, notice.AGAIN, nil
  end
  if verdict == "adopted" then
    ok, err = job:enter("disabled", "adopted: " .. left)
  elseif job:since(record.published) >= record.options[stuck and "soak" or "soak_max"] then
    ok, err = job:halt(untold and "command_failed" or "not_taken_over",
      "nothing shows that the consumers use the new key: " .. verdict)
  else
    ok, err = go_on(job, verdict, check_interval(job, left))
  end
  return ok, err
end
