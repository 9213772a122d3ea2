-- SPDX-License-Identifier: Apache-2.0
-- soaking: both keys work, until those who use the old one have taken the new one over. The process may exit.

local adoption = require "confidentai.rotation.adoption"
local calls = require "confidentai.rotation.calls"

-- Seconds between two looks: a tenth of the soak, in these bounds.
local SHORTEST, LONGEST = 30, 3600

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

---@param job confidentai.Job
return function(job)
  local record = job.record
  local new, err = calls.get(job, record.new.id)
  if new == nil then
    return nil, err
  elseif new == false or not new.valid then
    local ok
    ok, err = lost(job, new)
    return ok, err
  end
  local old = false
  if record.old and record.old.id then
    old, err = calls.get(job, record.old.id)
    if old == nil then
      return nil, err
    end
  end
  local verdict, left = adoption.look(job, new, old)
  local ok
  if verdict == "adopted" then
    ok, err = job:enter("disabled", "adopted: " .. left)
  elseif job:since(record.published) >= record.options.soak_max then
    ok, err = job:halt("stalled", "nothing shows that the new key has been taken over: " .. verdict)
  else
    job.evidence = verdict
    if job.moved then
      job.moved = nil
      ok, err = job:save("the old key's lastUsed has moved")
      if not ok then
        return nil, err
      end
    end
    return false, check_interval(job, left)
  end
  return ok, err
end
