-- SPDX-License-Identifier: Apache-2.0
-- Rotations that have ended. The last one of a key stays in its record; before the next one of that key begins, it is
-- appended to a file of JSON lines, one for each base. No secret is in it.

local core = require "confidentai.core"
local record = require "confidentai.rotation.record"

local history = {}

---A rotation that has ended.
---@class confidentai.EndedRotation
---@field id string
---@field kind "rotation"|"provision"
---@field base string the name under which the key is known
---@field scope "organization"|"project"
---@field project_id? string
---@field organization string id
---@field generation integer of the new key
---@field old_id? string
---@field new_id? string
---@field state string "done", or what it has stopped at
---@field reason? string why
---@field began? number seconds since 1970
---@field ended? number seconds since 1970
---@field stores string[] labels
---@field history table[] what happened, oldest first; each has `at`, `what` and `state`

-- Bytes of lines that are kept for a base; the oldest go first. Some twenty rotations.
local LARGEST = 262144

---What is kept of a record that has ended.
---@param content table of a record
---@return confidentai.EndedRotation
function history.entry(content)
  local stores, events = {}, content.history
  for i, description in ipairs(content.stores) do
    stores[i] = description.label
  end
  return {
    id = content.id, kind = content.kind, base = content.base, scope = content.scope, project_id = content.project_id,
    organization = content.organization, generation = content.generation, old_id = content.old_id,
    new_id = content.new and content.new.id, state = content.stop or "done", reason = content.reason,
    began = events[1] and events[1].at, ended = events[1] and events[#events].at, stores = stores, history = events,
  }
end

local function key_of(record_key)
  return (record.base_of(record_key):gsub("^records/", "history/"))
end

-- The lines of a text, oldest first, each with its line end.
local function lines_of(text)
  local list = {}
  for line in text:gmatch "[^\n]+\n" do
    list[#list + 1] = line
  end
  return list
end

-- The newest lines that fit.
local function shorten(list)
  local from, size = #list + 1, 0
  while from > 1 and (from > #list or size + #list[from - 1] <= LARGEST) do
    from = from - 1
    size = size + #list[from]
  end
  return table.concat(list, "", from)
end

---Keeps a rotation that has ended, before its record is removed.
---@param state confidentai.State
---@param record_key string
---@param content table of the record
---@return true?
---@return confidentai.Error? err it could not be kept
function history.keep(state, record_key, content)
  local key = key_of(record_key)
  local text, version = state.get(key)
  local problem = not text and version or nil
  if not problem then
    local list = lines_of(text or "")
    list[#list + 1] = core.json_encode(history.entry(content)) .. "\n"
    local written, why, message = state.cas(key, shorten(list), text and version or nil)
    if written then
      return true
    end
    problem = message or why
  end
  return record.failure(("the rotation %s that has ended cannot be kept: %s"):format(content.id, problem))
end

-- Adds the entries of a file of lines.
local function read(state, key, add)
  local text, problem = state.get(key)
  if not text and problem then
    return record.failure(("the history %s cannot be read: %s"):format(key, problem))
  end
  for _, line in ipairs(lines_of(text or "")) do
    local entry = core.json_decode(line)
    if type(entry) ~= "table" or type(entry.id) ~= "string" then
      return record.failure(("the history %s is damaged"):format(key))
    end
    add(entry)
  end
  return true
end

---All rotations that have ended, oldest first.
---@param state confidentai.State
---@param jobs confidentai.Job[] the records that are there
---@return confidentai.EndedRotation[]? list
---@return confidentai.Error[]|confidentai.Error problems with single files, or why nothing can be listed
function history.all(state, jobs)
  local keys, message = state.list "history/"
  if not keys then
    return record.failure("the history cannot be listed: " .. tostring(message))
  end
  local list, seen, problems = {}, {}, {}
  local function add(entry)
    if not seen[entry.id] then -- a run may have died between keeping it and removing its record
      seen[entry.id] = true
      list[#list + 1] = entry
    end
  end
  for _, key in ipairs(keys) do
    local ok, err = read(state, key, add)
    problems[#problems + 1] = not ok and err or nil
  end
  for _, job in ipairs(jobs) do
    if job.record.finished then
      add(history.entry(job.record))
    end
  end
  table.sort(list, function(a, b)
    if (a.ended or 0) ~= (b.ended or 0) then
      return (a.ended or 0) < (b.ended or 0)
    end
    return a.id < b.id
  end)
  return list, problems
end

return history
