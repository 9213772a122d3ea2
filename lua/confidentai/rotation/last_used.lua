-- SPDX-License-Identifier: Apache-2.0
-- Tells whether the service's lastUsed is evidence. A key that shows no use may be in use: the service may show uses
-- late, or not at all. The key that our own calls authenticate with is certainly in use: its lastUsed must show that.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local duration = require "confidentai.duration"
local elapsed = require "confidentai.rotation.elapsed"
local timestamp = require "confidentai.timestamp"

local last_used = {}

---Seconds by which a use must be later than ours to be another's: the Date header has whole seconds.
last_used.MARGIN = 2

-- Seconds by which a shown use may lie ahead of the service's Date; within which uses count as shown at once, as the
-- Date header has whole seconds; and by which they may be late and be evidence still: a job that runs once a day may
-- see no later use than that of its last run.
local AHEAD, ROUNDING, LATEST = 300, 2, 2 * 86400

---Says when a key was last used.
---@param job confidentai.Job
---@param key confidentai.ApiKey
---@return string words as duration.use
function last_used.words(job, key)
  return duration.use(key.last_used, job:mark().service or job.clock())
end

---Returns the mark of a use that the service has shown, after which any use is another's; nil: it shows none.
---@param text? string lastUsed
---@return { here: number, service: number }?
function last_used.mark(text)
  local _, used = timestamp.read(text)
  return used and elapsed.mark(used, used)
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
    return nil, "when the key that this client uses was last used cannot be read"
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

---Returns true if a use of any of some keys is shown.
---@param keys confidentai.ApiKey[]
---@return boolean
function last_used.is_shown(keys)
  for _, key in ipairs(keys) do
    if timestamp.read(key.last_used) == "time" then
      return true
    end
  end
  return false
end

---Says that no use of any key is shown.
---@param scope "organization"|"project"
---@return string
function last_used.blindness(scope)
  return ("the service shows no use of any %s key"):format(scope)
end

---Finds out how late the service shows uses. It may show those of project keys otherwise than those of the
---organization's, or not at all.
---@param job confidentai.Job which has just made a call
---@param of_scope boolean a use of a key of the job's scope has to be shown, too
---@return number|false|nil lag seconds, 0: at once; false: lastUsed is not evidence
---@return string|confidentai.Error|nil why_or_err
function last_used.lag(job, of_scope)
  local keys, err = calls.list(job, core.organization(job.client).api_keys)
  if not keys then
    return nil, err
  end
  local lag, why = last_used.lag_in(job, keys)
  if lag and of_scope and job.record.scope == "project" then
    keys, err = calls.list(job)
    if not keys then
      return nil, err
    elseif not last_used.is_shown(keys) then
      return false, last_used.blindness "project"
    end
  end
  return lag, why
end

-- Returns true if every store can be read, so that each says that it does not hold the key.
local function is_told_by_stores(job)
  local descriptions = job.record.stores or {}
  for _, description in ipairs(descriptions) do
    if not description.readable then
      return false
    end
  end
  return descriptions[1] ~= nil
end

-- Returns true if a use of the key would be shown by now.
local function shows_uses(job, key, facts)
  local lag, why = facts.lag, nil
  if not lag then
    lag, why = last_used.lag(job, not is_told_by_stores(job))
  end
  if not lag then
    return lag, why, lag == false and "unshown" or nil
  end
  local _, created = timestamp.read(key.created_at)
  if lag > 0 and (created and elapsed.dated(job:mark()) < created + lag
    or facts.disabled and job:since(facts.disabled) < lag) then
    return false, "the service shows uses late, and may not show one yet", "unshown"
  end
  return true
end

---Decides if only this rotation has used a key.
---@param job confidentai.Job which has just made a call
---@param key confidentai.ApiKey as its own address shows it
---@param facts confidentai.GuardFacts
---@return boolean? unused nil: an error
---@return string|confidentai.Error|nil reason_or_err
---@return "used"|"unshown"|"unclear"|nil kind of the reason; unshown: a use need not be shown
function last_used.is_unused(job, key, facts)
  local read, last = timestamp.read(key.last_used)
  if facts.use_confirmed then
    return true
  elseif read == "unreadable" then
    return false, ("when it was last used cannot be read: '%s'"):format(key.last_used), "unclear"
  elseif last and not facts.own_use then
    return false, ("it was used at %s, though no store was given its secret"):format(key.last_used), "used"
  elseif last and last > elapsed.dated(facts.own_use) + (facts.margin or last_used.MARGIN) then
    return false, ("it was used at %s, after this rotation's own last use of it"):format(key.last_used), "used"
  elseif facts.ours_alone or facts.retired then
    return true
  end
  local shown, why, kind = shows_uses(job, key, facts)
  return shown, why, kind
end

return last_used
