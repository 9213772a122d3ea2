-- SPDX-License-Identifier: Apache-2.0
-- Quarantine: a key that this rotation made and nobody shall use is recorded, disabled, seen disabled, deleted, and
-- seen gone. It goes on after any interruption, as the record lists what is left.

local calls = require "confidentai.rotation.calls"

local quarantine = {}

---Puts keys on the record's list. The caller saves.
---@param job confidentai.Job
---@param identities table[] as of calls.identity
function quarantine.add(job, identities)
  local list = job.record.quarantine
  for _, identity in ipairs(identities) do
    local known = false
    for _, other in ipairs(list) do
      known = known or other.id == identity.id
    end
    if not known then
      list[#list + 1] = identity
    end
  end
end

---Removes one key.
---@param job confidentai.Job
---@param identity table
---@return true?
---@return confidentai.Error? err
---@return true? other the key is not the one on record any more: it is somebody else's, and was left alone
function quarantine.remove(job, identity)
  local result, err, other = calls.set_valid(job, identity, false)
  if not result then
    return nil, err, other
  end
  if result ~= "gone" then
    local key
    key, err = calls.get(job, identity.id)
    if key == nil then
      return nil, err
    elseif key and key.valid then
      return job:failure("guard", ("key %s is enabled again while it is being removed"):format(identity.id))
    end
    result, err, other = calls.delete(job, identity)
    if not result then
      return nil, err, other
    end
  end
  local key
  key, err = calls.get(job, identity.id)
  if key == nil then
    return nil, err
  elseif key then
    return job:failure("api", ("key %s was deleted and is there still"):format(identity.id), "unknown")
  end
  return true
end

---Removes what is on the list.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err what is left stays on the list
function quarantine.work(job)
  local list = job.record.quarantine
  while list[1] do
    local identity = list[1]
    local ok, err, other = quarantine.remove(job, identity)
    if not ok and not other then
      return nil, err
    end
    table.remove(list, 1)
    ok, err = job:save(ok and "removed a key that nobody shall use" or "left a key alone that is somebody else's",
      { key = identity.id, name = identity.name })
    if not ok then
      return nil, err
    end
  end
  return true
end

return quarantine
