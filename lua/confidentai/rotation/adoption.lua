-- SPDX-License-Identifier: Apache-2.0
-- Whether those who use the old key have taken the new one over. The service's lastUsed is evidence, when it moves as
-- it should; else the time alone counts, or somebody says so.

local elapsed = require "confidentai.rotation.elapsed"
local timestamp = require "confidentai.timestamp"

local adoption = {}

-- Seconds: an old key that was not used for so long has nobody to wait for.
local UNUSED = 30 * 86400

-- Seconds within which our own proof must show in the new key's lastUsed, and by which lastUsed may lie ahead.
local LAG, AHEAD = 600, 300

-- Seconds by which a use must be later than ours to be another's: the Date header has whole seconds.
local MARGIN = 2

-- As the service shows it now: a job that runs once a month may use the old key in the middle of the soak.
local function is_unused(job, old)
  local kind, last = timestamp.read(old.last_used)
  return kind == "never" or last ~= nil and elapsed.dated(job:mark()) - last > UNUSED
end

-- Whether lastUsed of the new key can be believed; false, and why not.
local function is_reliable(job, last, now)
  local ours = job.record.our_use
  if last and last > now + AHEAD then
    return false, "lastUsed lies in the future"
  elseif job:since(ours) > LAG and (not last or last < elapsed.dated(ours) - LAG) then
    return false, "lastUsed does not show our own use of the new key"
  end
  return true
end

-- Follows the old key's lastUsed: since when it stands still.
local function stands_still(job, old)
  local seen = job.record.old_use
  if not seen or seen.last_used ~= (old.last_used or "never") then
    job.record.old_use = { last_used = old.last_used or "never", since = seen and job:mark() or job.record.published }
    local kind, last = timestamp.read(old.last_used)
    if kind == "unreadable" or last and last > elapsed.dated(job.record.published) then
      job.record.old_use.since = job:mark()
    end
    job.moved = true
  end
  return job:since(job.record.old_use.since)
end

-- "observe": the new key is used by somebody else than us, and the old one has not been for the length of the soak.
local function observe(job, new, old)
  local soak, now = job.record.options.soak, elapsed.dated(job:mark())
  local kind, last = timestamp.read(new.last_used)
  if kind == "unreadable" or timestamp.read(old.last_used) == "unreadable" then
    return ("the time of the %s key's last use cannot be read"):format(kind == "unreadable" and "new" or "old"), soak
  end
  local still = stands_still(job, old)
  local reliable, why = is_reliable(job, last, now)
  if not reliable then
    return nil, why
  end
  local ours = job.record.our_use
  if not last or last <= elapsed.dated(ours) + MARGIN then
    return "the new key has not been used by anybody else than this rotation", soak
  elseif still < soak then
    return ("the old key was used in the last %.0f s"):format(soak), soak - still
  end
  return "adopted", "the new key is in use, the old one is not"
end

local function by_time(job, why)
  local soak, passed = job.record.options.soak, job:since(job.record.published)
  if passed >= soak then
    return "adopted", why
  end
  return why .. ": the soak is not over", soak - passed
end

---What the evidence says.
---@param job confidentai.Job
---@param new confidentai.ApiKey
---@param old confidentai.ApiKey|false false: it is gone
---@return string verdict "adopted", or what is missing
---@return string|number why_or_left on what evidence; or seconds until it may be different
function adoption.look(job, new, old)
  local record = job.record
  local options = record.options
  if not old or not old.valid then
    return "adopted", "the old key does not work any more"
  elseif options.soak == 0 or options.compromised or options.replace then
    return "adopted", "no soak was wanted"
  elseif record.confirmed then
    return "adopted", "it was confirmed"
  elseif options.adoption == "confirm" then
    return "somebody has to confirm it", options.soak
  end
  local verdict, left
  if options.adoption == "time" then
    verdict, left = by_time(job, "the time alone counts")
  elseif record.self then
    verdict, left = by_time(job, "the new key does the rotation's own work, so that its use is no evidence")
  elseif is_unused(job, old) then
    verdict, left = by_time(job, "nobody had used the old key for 30 days")
  else
    local why
    verdict, why = observe(job, new, old)
    left = why
    if not verdict then
      verdict, left = by_time(job, why)
    end
  end
  return verdict, left
end

return adoption
