-- SPDX-License-Identifier: Apache-2.0
-- A list of keys that proves something. The service's lists may be short: one counts only if it shows every key that
-- was there before the create and is there still. One that is stale, but complete, is what waiting is for.

local core = require "confidentai.core"
local calls = require "confidentai.rotation.calls"

local census = {}

---The ids of keys, for the record.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[]
---@return string[]
function census.snapshot(job, keys)
  local ids = {}
  for i, key in ipairs(keys) do
    ids[i] = core.key_id(job.api_keys, key)
  end
  return ids
end

---All keys of the scope. Keys of the record's snapshot that are gone are taken out of it.
---@param job confidentai.Job
---@return confidentai.ApiKey[]|false|nil keys false: the list leaves keys out that are there
---@return confidentai.Error? err
function census.take(job)
  local keys, err = calls.list(job)
  if not keys then
    return nil, err
  end
  local seen, kept = {}, {}
  for _, key in ipairs(keys) do
    seen[core.key_id(job.api_keys, key)] = true
  end
  for _, id in ipairs(job.record.snapshot or {}) do
    if seen[id] then
      kept[#kept + 1] = id
    else
      local key
      key, err = calls.get(job, id)
      if key then
        return false
      elseif key == nil then
        return nil, err
      end
    end
  end
  if job.record.snapshot then
    job.record.snapshot = kept
  end
  return keys
end

---The keys of a name.
---@param keys confidentai.ApiKey[]
---@param name string
---@return confidentai.ApiKey[]
function census.named(keys, name)
  local found = {}
  for _, key in ipairs(keys) do
    if key.name == name then
      found[#found + 1] = key
    end
  end
  return found
end

return census
