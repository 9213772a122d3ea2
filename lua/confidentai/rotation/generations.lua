-- SPDX-License-Identifier: Apache-2.0
-- The keys of a base, as the service lists them: the current one, which the store holds, those before and those after.

local all_keys = require "confidentai.all_keys"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local names = require "confidentai.rotation.names"
local timestamp = require "confidentai.timestamp"

local generations = {}

---Returns when a key was created.
---@param key confidentai.ApiKey
---@return number? seconds since 1970; nil: the service does not say it, or not readably
function generations.created(key)
  local _, seconds = timestamp.read(key.created_at)
  return seconds
end

-- The keys of the base, each with its generation; the adopted one is of generation 0.
local function members(job, keys, base, adopted)
  local list = {}
  for _, key in ipairs(keys) do
    local of, generation = names.parse(key.name)
    if of == base then
      list[#list + 1] = { key = key, generation = generation }
    elseif adopted and core.key_id(job.api_keys, key) == adopted then
      list[#list + 1] = { key = key, generation = 0 }
    end
  end
  return list
end

local function find_current(list, content)
  local found = {}
  for _, member in ipairs(list) do
    if content and member.key.value:sub(-6) == content:sub(-6) then
      found[#found + 1] = member
    end
  end
  return found
end

---Sorts the keys of a base around the one that the store holds.
---@param job confidentai.Job
---@param base string
---@param content string|false what the store holds
---@param adopt? string id of the key that was there before ensure
---@return { base: string, all: confidentai.ApiKey[], current: confidentai.ApiKey?, older: confidentai.ApiKey[],
---newer: confidentai.ApiKey[], used: confidentai.ApiKey[] }? view used: the current one and the older ones
---@return confidentai.Error? err
function generations.look(job, base, content, adopt)
  local keys, err = calls.list(job)
  if not keys then
    return nil, err
  elseif keys.unreadable then -- what is not among the others may be the current key
    return job:failure("protocol", all_keys.problem("keys", keys).message, "not_applied")
  end
  local list = members(job, keys, base, adopt)
  local current = find_current(list, content)
  if #current > 1 then
    return job:failure("guard", ("several keys of '%s' end in the store's last 6 characters: which one it holds is not "
      .. "clear, and nothing was changed"):format(base), "not_applied")
  end
  local view = { base = base, all = keys, current = current[1] and current[1].key, older = {}, newer = {}, used = {} }
  view.used[1] = view.current
  for _, member in ipairs(list) do
    if current[1] and member.generation < current[1].generation then
      view.older[#view.older + 1] = member.key
      view.used[#view.used + 1] = member.key
    elseif not current[1] or member.key ~= current[1].key then
      view.newer[#view.newer + 1] = member.key
    end
  end
  return view
end

return generations
