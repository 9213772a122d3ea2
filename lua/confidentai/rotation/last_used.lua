-- SPDX-License-Identifier: Apache-2.0
-- Tells whether the service's lastUsed is evidence. A key that shows no use may be in use: the service may show uses
-- late, or not at all. The key that our own calls authenticate with is certainly in use: its lastUsed must show that.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local elapsed = require "confidentai.rotation.elapsed"
local timestamp = require "confidentai.timestamp"

local last_used = {}

-- Seconds by which a shown use may lie ahead of the service's Date; within which uses count as shown at once, as the
-- Date header has whole seconds; and by which they may be late and be evidence still: a job that runs once a day may
-- see no later use than that of its last run.
local AHEAD, ROUNDING, LATEST = 300, 2, 2 * 86400

local function count_of(seconds)
  if seconds <= 0 then -- a clock that is ahead of the service's; math.ceil may give -0 on LuaJIT
    return "0 s"
  end
  for _, unit in ipairs { { 2 * 86400, 86400, "days" }, { 7200, 3600, "hours" }, { 120, 60, "minutes" } } do
    if seconds >= unit[1] then
      return ("%.0f %s"):format(math.floor(seconds / unit[2]), unit[3])
    end
  end
  return ("%.0f s"):format(math.ceil(seconds))
end

---Says when a key was last used.
---@param job confidentai.Job
---@param key confidentai.ApiKey whose use is shown
---@return string words such as "last used 4 s ago"
function last_used.words(job, key)
  local _, used = timestamp.read(key.last_used)
  local now = job:mark().service
  if not used or not now then
    return "last used at " .. core.redact(tostring(key.last_used))
  end
  return ("last used %s ago"):format(count_of(now - used))
end

-- Returns true unless a key is certainly not the one that the job's calls authenticate with.
local function may_act(job, key)
  if job.credential then
    return core.ends_alike(key, job.credential) ~= false
  end
  return job.client:owns(key) ~= false
end

-- Returns the seconds by which a key's lastUsed is behind its use now; nil and why: it does not show that use.
local function lag_of(job, key)
  local kind, shown = timestamp.read(key.last_used)
  local lag = shown and elapsed.dated(job:mark()) - shown
  if kind == "never" then
    return nil, "the service does not show the use of the key that this client uses"
  elseif kind == "unreadable" then
    return nil, "the service shows the use of the key that this client uses by a time that cannot be read"
  elseif lag < -AHEAD then
    return nil, "the service shows uses that lie in the future"
  elseif lag > LATEST then
    return nil, "the service shows the use of the key that this client uses more than two days late"
  end
  return lag > ROUNDING and lag or 0
end

---Finds out how late the service shows uses, from a list of the organization's keys.
---@param job confidentai.Job which has just made a call
---@param keys confidentai.ApiKey[]
---@return number|false lag seconds, 0: at once; false: lastUsed is not evidence
---@return string? why with false
function last_used.lag_in(job, keys)
  local longest
  for _, key in ipairs(keys) do
    if key.valid and may_act(job, key) then
      local lag, why = lag_of(job, key)
      if not lag then
        return false, why
      end
      longest = math.max(longest or 0, lag)
    end
  end
  if not longest then
    return false, "the service does not list the key that this client uses"
  end
  return longest
end

---Finds out how late the service shows uses.
---@param job confidentai.Job which has just made a call
---@return number|false|nil lag seconds, 0: at once; false: lastUsed is not evidence
---@return string|confidentai.Error|nil why_or_err
function last_used.lag(job)
  local keys, err = calls.list(job, core.organization(job.client).api_keys)
  if not keys then
    return nil, err
  end
  local lag, why = last_used.lag_in(job, keys)
  return lag, why
end

return last_used
