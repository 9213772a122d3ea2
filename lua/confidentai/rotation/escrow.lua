-- SPDX-License-Identifier: Apache-2.0
-- The escrow of a rotation: the answer to its create, from the moment it arrives, and what the stores held before. It
-- lies beside the record, is readable by its owner only, and is wiped when the rotation ends.

local core = require "confidentai.core"
local record = require "confidentai.rotation.record"
local sealed = require "confidentai.rotation.sealed"

local Escrow = {}
Escrow.__index = Escrow

local escrow = {}

-- Bytes of an answer for which room is made. One that is longer is kept if there is room.
local ANSWER = 16384

-- What an escrow may hold, of the content that has a right checksum: whoever edits files can make one.
local function is_whole(content)
  local answer, previous = content.answer, content.previous
  if answer ~= nil and type(answer) ~= "string" or previous ~= nil and type(previous) ~= "table" then
    return false
  end
  for _, text in pairs(previous or {}) do
    if text ~= false and type(text) ~= "string" then
      return false
    end
  end
  return true
end

-- Reads what is there: the content; or nil, what is wrong with it, and whether it is damaged for good.
local function read(bytes, message, damaged)
  if not bytes then
    return nil, message, damaged
  end
  local content, problem, newer = sealed.decode("escrow", bytes)
  if content and not is_whole(content) then
    content, problem = nil, "it is damaged: its fields are not those of a pending secret"
  end
  return content, problem, problem and not newer
end

---The escrow of a record, as it lies in the state. One that cannot be used has a `problem`, in words: what it held is
---not known, which is something else than that it held nothing. `damaged`: it never can be.
---@param state confidentai.State
---@param record_key string
---@param id string of the rotation: what another one left counts as nothing
---@return table escrow
function escrow.open(state, record_key, id)
  local self = setmetatable({ state = state, key = record.escrow_key(record_key), id = id }, Escrow)
  local bytes, version, damaged = state.get(self.key)
  self.version = bytes and version
  local content, problem
  content, problem, self.damaged = read(bytes, version, damaged)
  self.damaged = self.damaged == true
  self.problem = problem and ("the pending secret %s cannot be used: %s"):format(self.key, problem)
  if not content or content.id ~= id then
    content = { id = id }
  end
  self.content = content
  return self
end

local function write(self)
  if self.problem then
    return record.failure(self.problem)
  end
  self.reserved = nil -- it is used up, or its state unknown
  local version, problem, message = self.state.cas(self.key, sealed.encode("escrow", self.content), self.version)
  if not version then
    return record.failure(("the pending secret could not be saved: %s"):format(message or problem))
  end
  self.version = version
  return true
end

---Makes room for an answer, so that a full disk is found before a key is made.
---@return true?
---@return confidentai.Error? err
function Escrow:reserve()
  if self.reserved then
    return true
  elseif self.problem then
    return record.failure(self.problem)
  end
  local ok, message = self.state.reserve(self.key, sealed.size(ANSWER))
  if not ok then
    return record.failure(("there is no room for the pending secret, so nothing was created: %s"):format(message))
  end
  self.reserved = true
  return true
end

---Keeps a raw answer.
---@param op string of the create that it answers
---@param answer string
---@return true?
---@return confidentai.Error? err the answer is in memory nevertheless
function Escrow:keep_answer(op, answer)
  self.content.op, self.content.answer = op, answer
  local ok, err = write(self)
  return ok, err
end

---Keeps what the stores held before: by position, a text, or false for nothing.
---@param previous table<integer, string|false>
---@return true?
---@return confidentai.Error? err
function Escrow:keep_previous(previous)
  local list = {}
  for i, content in pairs(previous) do -- string keys: an array with holes is no JSON
    list[tostring(i)] = content
  end
  self.content.previous = list
  local ok, err = write(self)
  return ok, err
end

---What a store held before the rotation wrote it.
---@param i integer position of the store
---@return string|false? previous nil: not known
function Escrow:previous(i)
  return (self.content.previous or {})[tostring(i)]
end

-- The record in a complete answer.
local function decode(answer)
  local data = core.envelope(answer) and (core.json_decode(answer) or {}).data
  local key = type(data) == "table" and data.apiKey
  return type(key) == "table" and type(key.value) == "string" and key or nil
end

---The secret that the answer to a create holds.
---@param op string
---@param last6 string the last 6 characters of the key that it must be of
---@return string? secret nil: it holds none of that key
function Escrow:secret(op, last6)
  local answer = self.content.op == op and self.content.answer
  if not answer then
    return nil
  end
  local key = decode(answer)
  if key then
    return key.value:sub(-6) == last6 and core.key_format(key.value) and key.value or nil
  end
  -- Of an answer that broke off, the secret may be there whole: only the closing quote says so.
  for secret in answer:gmatch '"(confident_[%w_+/=-]+)"' do
    if secret:sub(-6) == last6 then
      return secret
    end
  end
end

---Wipes and removes the escrow, and the room that was made for it.
---@return true?
---@return confidentai.Error? err
function Escrow:wipe()
  if self.problem and not self.damaged then
    return record.failure(self.problem)
  end
  self.content, self.reserved = { id = self.id }, nil
  local ok, problem, message = self.state.cas(self.key, nil, self.version)
  if not ok then
    return record.failure(("the pending secret could not be removed: %s"):format(message or problem))
  end
  self.version = nil
  return true
end

return escrow
