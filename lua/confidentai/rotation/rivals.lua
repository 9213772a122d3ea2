-- SPDX-License-Identifier: Apache-2.0
-- Others at work: two rotators that share no state folder may rotate the same key. The lowest id of a generation wins.
-- A loser never touches the old key; its own goes, unless a store of its own holds it: then two stores have a working
-- key each, which is better than one with none.

local calls = require "confidentai.rotation.calls"
local census = require "confidentai.rotation.census"
local core = require "confidentai.core"
local names = require "confidentai.rotation.names"
local quarantine = require "confidentai.rotation.quarantine"

local rivals = {}

-- Ids are numbers, or texts that are compared as such.
local function is_lower(id, other)
  local number, other_number = tonumber(id), tonumber(other)
  if number and other_number then
    return number < other_number
  end
  return id < other
end

---What a list of the scope's keys shows of others' work. Keys of our own name that are not ours go into quarantine; the
---caller saves.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[]
---@return { winner: confidentai.ApiKey?, list: confidentai.ApiKey[] } winner: a rival before which we give way
function rivals.look(job, keys)
  local record, found = job.record, { list = {} }
  for _, key in ipairs(keys) do
    local id = core.key_id(job.api_keys, key)
    local base, generation = names.parse(key.name)
    if id ~= record.new.id and base == record.base and generation == record.generation then
      if key.name == record.attempt.name then
        quarantine.add(job, { calls.identity(job, key) })
      else
        found.list[#found.list + 1] = key
        if is_lower(id, record.new.id) and (not found.winner or is_lower(id, core.key_id(job.api_keys, found.winner)))
        then
          found.winner = key
        end
      end
    end
  end
  return found
end

---The rivals that the service shows now.
---@param job confidentai.Job
---@return table|false|nil found as of `look`; false: the list leaves keys out
---@return confidentai.Error? err
function rivals.find(job)
  local keys, err = census.take(job)
  if not keys then
    return keys, err
  end
  return rivals.look(job, keys)
end

---The rival whose secret a text may be.
---@param found table as of `look`
---@param content string|false|nil
---@return confidentai.ApiKey?
function rivals.owner(found, content)
  for _, key in ipairs(found.list) do
    if type(content) == "string" and content:sub(-6) == key.value:sub(-6) then
      return key
    end
  end
end

return rivals
