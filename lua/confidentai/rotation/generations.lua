-- SPDX-License-Identifier: Apache-2.0
-- The keys of a base, as the service lists them: the current one, which the store holds, those before and those after.

local all_keys = require "confidentai.all_keys"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local names = require "confidentai.rotation.names"
local refusals = require "confidentai.rotation.refusals"
local timestamp = require "confidentai.timestamp"

local generations = {}

---Returns when a key was created.
---@param key confidentai.ApiKey
---@return number? seconds since 1970; nil: the service does not say, or it cannot be read
function generations.created(key)
  local kind, seconds = timestamp.read(key.created_at)
  return kind == "time" and seconds or nil
end

---@class confidentai.Family
---@field base string
---@field all confidentai.ApiKey[] the keys of the scope
---@field members { key: confidentai.ApiKey, generation: integer }[] those of the base

---Lists the keys of the scope, and finds those of a base.
---@param job confidentai.Job
---@param base string
---@param adopted? string id of the key that was there before ensure: it is of generation 0
---@return confidentai.Family? family
---@return confidentai.Error? err
function generations.list(job, base, adopted)
  local keys, err = calls.list(job)
  if not keys then
    return nil, err
  elseif keys.unreadable then -- what is not among the others may be the current key
    return job:failure("protocol", all_keys.problem("keys", keys).message, "not_applied")
  end
  local members = {}
  for _, key in ipairs(keys) do
    local of, generation = names.parse(key.name)
    if of == base and not calls.shows_end(key) then
      return refusals.make("end_hidden", ("the service does not show the last 6 characters of key %s (%s), by which it "
        .. "is told what the store holds: nothing was changed"):format(tostring(key.id), key.value),
        refusals.list(job.api_keys))
    elseif of == base then
      members[#members + 1] = { key = key, generation = generation }
    elseif adopted and core.key_id(job.api_keys, key) == adopted then
      members[#members + 1] = { key = key, generation = 0 }
    end
  end
  return { base = base, all = keys, members = members }
end

local function find_current(members, content)
  local found = {}
  for _, member in ipairs(members) do
    if content and member.key.value:sub(-6) == content:sub(-6) then
      found[#found + 1] = member
    end
  end
  return found
end

---@class confidentai.GenerationView
---@field base string
---@field all confidentai.ApiKey[] the keys of the scope
---@field current? confidentai.ApiKey the one that the store holds
---@field generation? integer of the current one
---@field older confidentai.ApiKey[]
---@field newer confidentai.ApiKey[]

---Sorts the keys of a base around the one that the store holds.
---@param job confidentai.Job
---@param family confidentai.Family
---@param content string|false what the store holds
---@return confidentai.GenerationView? view
---@return confidentai.Error? err
function generations.around(job, family, content)
  local found = find_current(family.members, content)
  if #found > 1 then
    local text = "several keys of '%s' end in the store's last 6 characters: which one it holds is not clear, and "
      .. "nothing was changed"
    return refusals.make("ends_alike", text:format(family.base), refusals.list(job.api_keys))
  end
  local current = found[1]
  local view = { base = family.base, all = family.all, current = current and current.key,
    generation = current and current.generation, older = {}, newer = {} }
  for _, member in ipairs(family.members) do
    if current and member.generation < current.generation then
      view.older[#view.older + 1] = member.key
    elseif member ~= current then
      view.newer[#view.newer + 1] = member.key
    end
  end
  return view
end

return generations
