-- SPDX-License-Identifier: Apache-2.0
-- Suspects: names under which a create was sent and no key was found. The service may commit it late, so they are
-- looked for until their time is over.

local calls = require "confidentai.rotation.calls"
local guard = require "confidentai.rotation.guard"
local quarantine = require "confidentai.rotation.quarantine"

local suspects = {}

-- Seconds for which a suspect is looked for.
suspects.LIFE = 86400

-- Seconds between two looks, when nothing else makes one.
local INTERVAL = 3600

---Makes the name of a create a suspect. The caller saves.
---@param job confidentai.Job
---@param attempt { name: string, op: string, from: table }
function suspects.add(job, attempt)
  local list = job.record.suspects
  list[#list + 1] = { name = attempt.name, op = attempt.op, from = attempt.from, since = job:mark() }
end

---Puts into quarantine what a list shows of suspects, and forgets those whose time is over. Saves what changed.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[] of the scope
---@param complete boolean whether these are all: else a suspect's time is not over yet
---@return true?
---@return confidentai.Error? err
local function look(job, keys, complete)
  local before, left = #job.record.quarantine, {}
  for _, suspect in ipairs(job.record.suspects) do
    for _, key in ipairs(guard.find(job, keys, suspect)) do
      quarantine.add(job, { calls.identity(job, key) }, { from = suspect.from })
    end
    if not complete or job:since(suspect.since) < suspects.LIFE then
      left[#left + 1] = suspect
    end
  end
  local found = #job.record.quarantine > before
  if not found and #left == #job.record.suspects then
    return true
  end
  job.record.suspects = left
  local ok, err = job:save(found and "found a key whose create had been given up" or "a suspect's time is over")
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
  local keys, err, shown = calls.census(job)
  if keys == nil then
    return nil, err
  end
  local ok
  ok, err = look(job, keys or shown, keys ~= false)
  return ok, err
end

---Seconds until they should be looked for again; nil when there are none.
---@param job confidentai.Job
---@return number?
function suspects.wait(job)
  local wait
  for _, suspect in ipairs(job.record.suspects) do
    local left = math.max(1, suspects.LIFE - job:since(suspect.since))
    wait = math.min(wait or INTERVAL, left)
  end
  return wait
end

return suspects
