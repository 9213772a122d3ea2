-- SPDX-License-Identifier: Apache-2.0
-- The record of one rotation: who, in which state, and the history of intents and facts. Every intent is written before
-- the act. It has no secret. Each rotation has a record of its own, under its base and its generation: keys that are
-- named alike share the base. A generation is given once, so that of two that begin alike only one is written.

local core = require "confidentai.core"
local schema = require "confidentai.rotation.schema"
local sealed = require "confidentai.rotation.sealed"

local record = {}

-- Events kept; those of a rotation that goes well are a dozen.
local LONGEST_HISTORY = 200

---Returns the key below which the records of a base are. A process that begins something of the base holds it.
---@param organization string id
---@param place string "organization", or a project's id
---@param base string
---@return string
function record.base_key(organization, place, base)
  local segment = base:gsub("[%%/]", function(character) return ("%%%02X"):format(character:byte()) end)
  return ("records/%s/%s/%s"):format(organization, place, segment)
end

---The key of a record in the state.
---@param base_key string
---@param generation integer
---@return string
function record.key(base_key, generation)
  return ("%s/%d"):format(base_key, generation)
end

---The key of a record's base.
---@param key string of a record
---@return string
function record.base_of(key)
  return key:match "^(.*)/[^/]*$"
end

---The key of the escrow that lies beside a record.
---@param key string of a record
---@return string
function record.escrow_key(key)
  return (key:gsub("^records/", "escrows/"))
end

---An error about the state folder.
---@param message string
---@return nil
---@return confidentai.Error err of kind "state"
function record.failure(message)
  return nil, core.failure { kind = "state", message = message }
end

-- Records lay at the place of their base once: one for all keys that were named alike.
local FORMER = "^records/[^/]+/[^/]+/[^/]+$"

-- What a person can do about a record that cannot be used.
local function unusable(key, problem, of_other_version)
  local remedy = of_other_version and "advance it with the version that wrote it, or move it away"
    or "restore it from a backup; keys that it may have made are found by: confidentai rotate doctor"
  local _, err = record.failure(("the record %s cannot be used: %s; this rotation stops, no other does"):format(key,
    problem))
  err.next = remedy
  return nil, err
end

---Reads a record.
---@param state confidentai.State
---@param key string
---@return table? content nil, nil: there is none
---@return string|confidentai.Error? version_or_err
function record.read(state, key)
  local bytes, version = state.get(key)
  if not bytes then
    if version then
      return record.failure(("the record %s cannot be read: %s"):format(key, version))
    end
    return nil
  end
  local content, problem, newer = sealed.decode("record", bytes)
  if key:find(FORMER) then
    problem, newer = "an earlier version of this program wrote it, which had one record for a name", true
  elseif content then
    problem, newer = schema.problem(content)
  end
  if problem then
    local _, err = unusable(key, problem, newer)
    return nil, err
  end
  return content, version
end

-- What a write came to, for people.
local problems = {
  conflict = "another process has advanced this rotation meanwhile",
  failed = "the record could not be written",
  unknown = "the record may or may not have been written",
}

---Writes a record over the version that was read.
---@param state confidentai.State
---@param key string
---@param content table
---@param version? string nil: there must be none
---@return string? version
---@return confidentai.Error? err
function record.write(state, key, content, version)
  content.revision = (content.revision or 0) + 1
  local new, problem, message = state.cas(key, sealed.encode("record", content), version)
  if not new then
    return record.failure(("%s%s (%s)"):format(problems[problem] or problem, message and ": " .. message or "", key))
  end
  return new
end

---Adds an event to a record's history.
---@param content table
---@param event table { what, here, service, ... }
function record.note(content, event)
  local history = content.history
  history[#history + 1] = event
  if #history > LONGEST_HISTORY then
    table.remove(history, 2) -- the first says how it began
  end
end

return record
