-- SPDX-License-Identifier: Apache-2.0
-- A table as bytes with a checksum: the form of records and escrows. A flipped bit, a torn write and a file of
-- something else are told from what was written.

local core = require "confidentai.core"

local sealed = {}

local VERSION = 1

---@param kind "record"|"escrow"|"stray"
---@param value table
---@return string bytes
function sealed.encode(kind, value)
  local text = core.json_encode(value)
  return ("confidentai %s %d %s\n%s\n"):format(kind, VERSION, core.checksum(text), text)
end

---@param kind "record"|"escrow"|"stray"
---@param bytes string
---@return table? value
---@return string? problem for people
---@return boolean? newer a newer version of this program wrote it: it is whole, and must be left as it is
function sealed.decode(kind, bytes)
  local of, version, checksum, text = bytes:match("^confidentai (%l+) (%d+) (%x+)\n(.*)\n$")
  if not of or of ~= kind then
    return nil, ("it is damaged, or not a %s of this program"):format(kind)
  elseif tonumber(version) ~= VERSION then
    local problem = "it has version %s, and this program reads version %d: use the newer program"
    return nil, problem:format(version, VERSION), tonumber(version) > VERSION
  elseif core.checksum(text) ~= checksum then
    return nil, "it is damaged: its checksum does not match"
  end
  local value = core.json_decode(text)
  if type(value) ~= "table" then
    return nil, "it is damaged"
  end
  return value
end

---The number of bytes that a value of so many bytes in strings takes at most: JSON writes a byte as six in the worst
---case.
---@param bytes integer
---@return integer
function sealed.size(bytes)
  return 6 * bytes + 4096
end

return sealed
