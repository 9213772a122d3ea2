-- SPDX-License-Identifier: Apache-2.0
-- What a file of the state folder holds: a line, and the bytes that somebody stored.
--   confidentai-state 1 CHECKSUM VERSION SIZE NAME
-- The checksum is over all that follows it. The version is random and made for each write: no two contents that a key
-- ever had share one, also after the key was deleted.

local core = require "confidentai.core"

local entry = {}

local MARK = "confidentai-state 1 "
-- The version of a file that only keeps a name in the folder for a key that is not there yet.
local RESERVED = "reserved"

-- The most that a line takes beside the name: mark, checksum, version, size of up to ten digits, blanks, line end.
local LINE = #MARK + 9 + 17 + 11 + 1

local function wrap(bytes, version, flat)
  local rest = (" %s %.0f %s\n"):format(version, #bytes, flat) .. bytes -- in 5.1, %s ends at a NUL
  return MARK .. core.checksum(rest) .. rest
end

---The content of a file that holds what somebody stored, under a new version.
---@param bytes string
---@param flat string the name of the key
---@return string content
---@return string version
function entry.seal(bytes, flat)
  local version = core.random(8):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return wrap(bytes, version, flat), version
end

---The content of a file that keeps the name of a key.
---@param flat string
---@return string
function entry.reserve(flat)
  return wrap("", RESERVED, flat)
end

---The size of the file of a key whose content has `size` bytes, at most.
---@param size number
---@param flat string
---@return number
function entry.size(size, flat)
  return LINE + #flat + size
end

---What a file holds.
---@param content string
---@param flat string the name of the key that it should belong to
---@return string? bytes nil: the key is not there, or the file is damaged
---@return string? version
---@return string? problem
function entry.open(content, flat)
  local sum, rest = content:match("^" .. MARK:gsub("%-", "%%-") .. "(%x+)( .*)$")
  if not sum or core.checksum(rest) ~= sum then
    return nil, nil, "is damaged: its checksum is wrong"
  end
  local version, size, owner, from = rest:match "^ (%S+) (%d+) (%S+)\n()"
  if owner ~= flat then
    return nil, nil, "belongs to another key: it was renamed or copied"
  elseif version == RESERVED then
    return nil
  elseif #rest - from + 1 ~= tonumber(size) then
    return nil, nil, "is damaged: its size is wrong"
  end
  return rest:sub(from), version
end

return entry
