-- SPDX-License-Identifier: Apache-2.0
-- The records of one base, which keys that are named alike share. Each rotation has a record of its own, under its
-- generation, so that none is written over another. A record that has ended goes when the next rotation of its key
-- begins: the history keeps what it said, and the new record what it had left to do.

local calls = require "confidentai.rotation.calls"
local escrow = require "confidentai.rotation.escrow"
local guard = require "confidentai.rotation.guard"
local history = require "confidentai.rotation.history"
local names = require "confidentai.rotation.names"
local quarantine = require "confidentai.rotation.quarantine"
local record = require "confidentai.rotation.record"

local base_records = {}

---A record as it was read.
---@class confidentai.BaseRecord
---@field key string in the state
---@field content table
---@field version string

---Reads the records of a base.
---@param state confidentai.State
---@param base_key string as of `record.base_key`
---@return confidentai.BaseRecord[]? list newest generation first; without those that cannot be read
---@return confidentai.Error? err nil: all could be read; without a list: they could not be listed
function base_records.read(state, base_key)
  local keys, message = state.list(base_key .. "/")
  if not keys then
    return record.failure("the records cannot be listed: " .. tostring(message))
  end
  local _, problem = record.read(state, base_key) -- where an earlier version had one
  local list = {}
  for _, key in ipairs(keys) do
    local content, version = record.read(state, key)
    if content then
      list[#list + 1] = { key = key, content = content, version = version }
    end
    problem = problem or not content and version or nil
  end
  table.sort(list, function(a, b) return a.content.generation > b.content.generation end)
  return list, problem
end

---Returns the create of a record that has made a key, by its name; nil: none has.
---@param content table
---@param id string
---@param name? string as the service shows it
---@return { name: string, op: string, from: table }?
function base_records.find_attempt(content, id, name)
  local last = content.attempt
  if guard.was_there(content, id) then
    return nil -- of a long name that was cut, its own may be the beginning
  end
  for _, list in ipairs { { last }, last and last.earlier or {}, content.suspects } do
    for _, attempt in ipairs(list) do
      if names.is_of(name, attempt) then
        return attempt
      end
    end
  end
end

-- Returns true if a record says of a key that its rotation made it.
local function has_made(content, id, name)
  return quarantine.holds(content, id) or content.new and content.new.id == id
    or base_records.find_attempt(content, id, name) ~= nil
end

---Returns a function that tells which keys belong to rotations of other old keys, beside that of a job. The records are
---read when it is first called.
---@param job confidentai.Job
---@return fun(id: string, name: string?): boolean
function base_records.others(job)
  local list
  return function(id, name)
    list = list or base_records.read(job.state, record.base_of(job.key)) or {}
    for _, item in ipairs(list) do
      local content = item.content
      if content.id ~= job.record.id and content.old_id ~= job.record.old_id
        and (content.old_id == id or has_made(content, id, name)) then
        return true
      end
    end
    return false
  end
end

---Returns the highest generation on record; 0: there is none.
---@param list confidentai.BaseRecord[]
---@return integer
function base_records.highest(list)
  return list[1] and list[1].content.generation or 0
end

---What is to begin.
---@class confidentai.Wanted
---@field kind "rotation"|"provision"
---@field base string
---@field old_id? string
---@field key? confidentai.ApiKey the old one
---@field name? string of the old key
---@field keys confidentai.ApiKey[] all of the scope
---@field highest? integer generation on record
---@field generation? integer of the new key

---Finds the record that is just what is wanted, and under way.
---@param list confidentai.BaseRecord[]
---@param wanted confidentai.Wanted
---@return confidentai.BaseRecord?
function base_records.find_same(list, wanted)
  for _, item in ipairs(list) do
    local content = item.content
    if not content.finished and content.kind == wanted.kind and content.old_id == wanted.old_id
      and not (content.rollback and content.kind == "rotation") then
      return item
    end
  end
end

---Returns true if all that is left of a rotation is its grace, and a rotation of the key that works on may end that. By
---nothing else is it ended: the key that is kept is the way back.
---@param content table
---@param wanted confidentai.Wanted
---@return boolean
function base_records.is_ending(content, wanted)
  local stays = content.rollback and content.old_id or content.new and content.new.id
  return not content.finished and (content.state == "grace" or content.state == "done") and stays ~= nil
    and stays == wanted.old_id
end

---Finds a rotation that must end before: of the same key, or one that made the key. A provisioning waits for each, as
---it could not tell whose store it was given.
---@param list confidentai.BaseRecord[]
---@param wanted confidentai.Wanted
---@return confidentai.BaseRecord?
function base_records.find_obstacle(list, wanted)
  for _, item in ipairs(list) do
    local content = item.content
    local concerns = wanted.kind == "provision" or content.old_id == wanted.old_id
      or has_made(content, wanted.old_id, wanted.name)
    if not content.finished and concerns and not base_records.is_ending(content, wanted) then
      return item
    end
  end
end

-- Stops after which the new key may be in use: the record is all that is known of it.
local KEEPS_NEW = { abandoned = true, superseded = true }

---Returns true if a record that has ended is of no use any more when something begins: the key that it left is rotated,
---or what it did not achieve is tried again.
---@param content table
---@param wanted { kind: string, old_id: string? }
---@return boolean
function base_records.is_passed_on(content, wanted)
  if not content.finished then
    return false
  elseif not content.stop then
    return content.new ~= nil and content.new.id == wanted.old_id
  end
  return not KEEPS_NEW[content.stop] and content.kind == wanted.kind and content.old_id == wanted.old_id
end

-- What a record that has ended has left to do is done by the new one. Keys that its creates have made by now are not of
-- those that were there before.
local function inherit(self, content, keys)
  local ours = {}
  for _, suspect in ipairs(content.suspects) do
    table.insert(self.record.suspects, suspect)
    for _, id in ipairs(calls.ids(self, guard.find(self, keys, suspect, content))) do
      ours[id] = true
    end
  end
  for _, entry in ipairs(content.quarantine) do
    table.insert(self.record.quarantine, entry)
    ours[entry.id] = true
  end
  local snapshot = {}
  for _, id in ipairs(self.record.snapshot) do
    snapshot[#snapshot + 1] = not ours[id] and id or nil
  end
  self.record.snapshot = snapshot
end

-- Returns true if a record lies about that another one of the list has been passed: its process died between the two
-- writes.
local function is_left_behind(list, content)
  for _, item in ipairs(content.settled and list or {}) do
    if item.content.generation > content.generation and base_records.is_passed_on(content, item.content) then
      return true
    end
  end
  return false
end

---Passes records that have ended on to the one that begins, which is not written yet.
---@param self confidentai.Job
---@param list confidentai.BaseRecord[]
---@param wanted confidentai.Wanted
---@return confidentai.BaseRecord[]? passed to be removed once the new record is written
---@return confidentai.Error? err
function base_records.pass_on(self, list, wanted)
  local passed = {}
  for _, item in ipairs(list) do
    if base_records.is_passed_on(item.content, wanted) then
      local ok, err = history.keep(self.state, item.key, item.content)
      if not ok then
        return nil, err
      end
      inherit(self, item.content, wanted.keys)
      passed[#passed + 1] = item
    elseif is_left_behind(list, item.content) then
      passed[#passed + 1] = item
    end
  end
  return passed
end

---Removes records that were passed on, with what is left of their secrets. One that another process has written
---meanwhile, or that cannot be removed, stays: it harms nothing.
---@param state confidentai.State
---@param passed confidentai.BaseRecord[]
function base_records.remove(state, passed)
  for _, item in ipairs(passed) do
    if escrow.open(state, item.key, item.content.id):wipe() then
      state.cas(item.key, nil, item.version)
    end
  end
end

return base_records
