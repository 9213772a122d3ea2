-- SPDX-License-Identifier: Apache-2.0
-- Suspects: names under which a create was sent and no key was found. The service may commit it late, so they are
-- looked for until their time is over.

local calls = require "confidentai.rotation.calls"
local census = require "confidentai.rotation.census"
local quarantine = require "confidentai.rotation.quarantine"

local suspects = {}

-- Seconds for which a suspect is looked for.
local LIFE = 86400

-- Seconds between two looks, when nothing else makes one.
local INTERVAL = 3600

---Makes a name a suspect. The caller saves.
---@param job confidentai.Job
---@param name string
function suspects.add(job, name)
  local list = job.record.suspects
  list[#list + 1] = { name = name, since = job:mark() }
end

---Puts into quarantine what a list shows of suspects, and forgets those whose time is over. Saves what changed.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[] all of the scope
---@return true?
---@return confidentai.Error? err
function suspects.look(job, keys)
  local found, left = {}, {}
  for _, suspect in ipairs(job.record.suspects) do
    for _, key in ipairs(census.named(keys, suspect.name)) do
      found[#found + 1] = calls.identity(job, key)
    end
    if job:since(suspect.since) < LIFE then
      left[#left + 1] = suspect
    end
  end
  if #found == 0 and #left == #job.record.suspects then
    return true
  end
  quarantine.add(job, found)
  job.record.suspects = left
  local ok, err = job:save(#found > 0 and "found a key whose create had been given up" or "a suspect's time is over")
  return ok, err
end

---Looks for the suspects, if there are any.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err
function suspects.work(job)
  if #job.record.suspects == 0 then
    return true
  end
  local keys, err = calls.list(job)
  if not keys then
    return nil, err
  end
  local ok
  ok, err = suspects.look(job, keys)
  return ok, err
end

---Seconds until they should be looked for again; nil when there are none.
---@param job confidentai.Job
---@return number?
function suspects.wait(job)
  local wait
  for _, suspect in ipairs(job.record.suspects) do
    local left = math.max(1, LIFE - job:since(suspect.since))
    wait = math.min(wait or INTERVAL, left)
  end
  return wait
end

return suspects
