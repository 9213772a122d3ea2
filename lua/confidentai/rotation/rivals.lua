-- SPDX-License-Identifier: Apache-2.0
-- Others at work: two rotators that share no state folder may rotate the same key. The lowest id of a generation wins.
-- A loser never touches the old key; its own goes, unless a store of its own holds it: then two stores have a working
-- key each, which is better than one with none. A key that consumers may have read from a store soaks before it goes. A
-- rotation that is on record here, of another key of the same name, is not a rival: it has its own old key and stores.

local base_records = require "confidentai.rotation.base_records"
local calls = require "confidentai.rotation.calls"
local store_content = require "confidentai.rotation.store_content"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"
local names = require "confidentai.rotation.names"
local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local stores = require "confidentai.rotation.stores"

local rivals = {}

-- Ids are numbers, or texts that are compared as such.
local function is_lower(id, other)
  local number, other_number = tonumber(id), tonumber(other)
  if number and other_number then
    return number < other_number
  end
  return id < other
end

---Looks in a list of the scope's keys for the work of others. Further keys that creates of this record have made go
---into quarantine; the caller saves.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[]
---@return { winner: confidentai.ApiKey?, newer: confidentai.ApiKey?, list: confidentai.ApiKey[] } winner: a rival of
---our generation before which we give way; newer: an enabled key of this base that came after ours, or has our name,
---and was not made by a rotation on record here; list: all other keys that carry this base and a generation
function rivals.look(job, keys)
  local record, found, is_of_others = job.record, { list = {} }, base_records.others(job)
  for _, key in ipairs(keys) do
    local id = core.key_id(job.api_keys, key)
    local base, generation = names.parse(key.name)
    local attempt = id ~= record.new.id and base_records.find_attempt(record, id, key.name)
    local ours, _, kind = attempt, nil, nil
    if attempt then
      ours, _, kind = guard.is_ours(job, key, { attempt = attempt })
    end
    if ours or kind == "unclear" then
      quarantine.add(job, { calls.identity(job, key) }, attempt)
    elseif attempt then
      found.newer = found.newer or key.valid and key or nil
    elseif id ~= record.new.id and base == record.base then
      found.list[#found.list + 1] = key
      local is_newer = key.valid and generation > record.generation
      local wins = generation == record.generation and is_lower(id, record.new.id)
        and (not found.winner or is_lower(id, core.key_id(job.api_keys, found.winner)))
      if (is_newer or wins) and not is_of_others(id, key.name) then
        found.newer = found.newer or is_newer and key or nil
        found.winner = wins and key or found.winner
      end
    end
  end
  return found
end

---The rivals that the service shows now.
---@param job confidentai.Job
---@return table|false|nil found as of `look`; false: the list leaves keys out
---@return confidentai.Error? err with nil and false
function rivals.find(job)
  local keys, err = calls.census(job)
  if not keys then
    return keys, err
  end
  return rivals.look(job, keys)
end

-- The rival whose secret a text may be. The keys of earlier generations, the old one among them, were there when this
-- rotation began: a store that holds one of these again was put back, or shows what it held before.
local function owner(job, found, content)
  for _, key in ipairs(found.list) do
    local _, generation = names.parse(key.name)
    if key.valid and generation >= job.record.generation and stores.is_secret_of(content, key.value:sub(-6)) then
      return key
    end
  end
end

-- Whether no store holds our key: then nobody misses it.
local function is_unpublished(job)
  local secret, err = proof.secret(job)
  if not secret then
    return nil, err
  end
  local ours
  ours, err = stores.find(job, function(held) return held == nil or held == secret end)
  if ours == nil then
    return nil, err
  end
  return not ours
end

---Others have written a store. Halts.
---@param job confidentai.Job
---@param label string of the store
---@param content string|false what it holds now
---@param text string what happened to it
---@return true?
---@return confidentai.Error? err
function rivals.written(job, label, content, text)
  local several = false
  for i, description in ipairs(job.record.stores) do
    if description.label == label then
      several = select(2, store_content.env_file_problem(job.stores[i], content))
    end
  end
  local ok, err = job:halt(several and "env_file_written" or "store_written",
    ("%s: it holds %s"):format(text, several and "several variables" or store_content.words(job, content)), label)
  return ok, err
end

---A store holds neither what it held before nor the new secret: a rival's, or what somebody wrote by hand. Halts.
---Before a rival whose key is in all stores our own goes, after a soak where a store may have held it.
---@param job confidentai.Job
---@param found table as of `look`
---@param label string of the store
---@param content string|false
---@return true?
---@return confidentai.Error? err
function rivals.settle(job, found, label, content)
  local rival = owner(job, found, content)
  local ok, err
  if not rival then
    ok, err = rivals.written(job, label, content,
      ("another process or person has written the store %s since the rotation began"):format(label))
    return ok, err
  end
  local unpublished
  unpublished, err = is_unpublished(job)
  if unpublished == nil then
    return nil, err
  elseif unpublished then
    quarantine.add(job, { job.record.new }, nil, stores.may_hold_new(job))
    job.record.finished = true
  end
  ok, err = job:halt("rival_published", ("another rotation has published its key '%s' in %s"):format(rival.name, label))
  return ok, err
end

return rivals
