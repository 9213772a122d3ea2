-- SPDX-License-Identifier: Apache-2.0
-- escrowed: the secret is safe. The list must show exactly one key of the name: a proxy may have delivered the create
-- twice, and only one of the two answers arrived.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"
local quarantine = require "confidentai.rotation.quarantine"
local suspects = require "confidentai.rotation.suspects"

-- Seconds between two looks at the list.
local POLL = 2

local function count(job, keys)
  local ours, others = nil, {}
  for _, key in ipairs(guard.find(job, keys, job.record.attempt)) do
    if core.key_id(job.api_keys, key) == job.record.new.id then
      ours = key
    else
      others[#others + 1] = calls.identity(job, key)
    end
  end
  return ours, others
end

local function is_gone(job)
  suspects.add(job, job.record.attempt) -- the list was late already: it may show the key after all
  job.record.finished = true
  local ok, err = job:halt("new_deleted", "the new key was deleted before it was published; the old one is as it was")
  return ok, err
end

-- The list does not show the new key: it may be stale. After a while its own address decides.
local function look_alone(job)
  if not job:has_passed(job.record.escrowed, job.record.options.settle) then
    return false, POLL, true
  end
  local key, err = calls.get(job, job.record.new.id)
  if key == nil then
    return nil, err
  elseif key == false then
    return is_gone(job)
  end
  return key
end

---@param job confidentai.Job
return function(job)
  local keys, err = calls.census(job)
  if keys == nil then
    return nil, err
  end
  local ours, others = nil, {}
  if keys then
    ours, others = count(job, keys)
  end
  if not ours then
    local short
    ours, err, short = look_alone(job)
    if not ours or ours == true then
      return ours, err, short
    end
  end
  quarantine.add(job, others)
  local ok
  ok, err = job:enter("proven", "counted", { others = #others })
  return ok, err
end
