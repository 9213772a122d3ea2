-- SPDX-License-Identifier: Apache-2.0
-- Names of the keys that rotations make: `<base>~g<generation>~<op>`. A name cannot be changed later, and lookups go
-- by name: an op is unique, so that a key whose create was never answered is known by it.

local names = {}

-- Base32 as in RFC 4648, in small letters.
local DIGITS = "abcdefghijklmnopqrstuvwxyz234567"

-- Eight digits of five bits: 40 bits, five bytes.
local OP_BYTES = 5
local OP_PATTERN = "[a-z2-7][a-z2-7][a-z2-7][a-z2-7][a-z2-7][a-z2-7][a-z2-7][a-z2-7]"

-- Bytes of a name that may have been cut, as it begins like ours and is so long.
local LONG = 60

---The text of an operation.
---@param random fun(count: integer): string bytes
---@return string op 8 characters
function names.op(random)
  local value, digits = 0, {}
  for byte in random(OP_BYTES):gmatch "." do
    value = value * 256 + byte:byte()
  end
  for i = 8, 1, -1 do
    local digit = value % 32
    digits[i] = DIGITS:sub(digit + 1, digit + 1)
    value = (value - digit) / 32
  end
  return table.concat(digits)
end

---The name of a key.
---@param base string
---@param generation integer
---@param op string
---@return string
function names.make(base, generation, op)
  return base .. ("~g%d~%s"):format(generation, op) -- in 5.1, %s ends at a NUL
end

---Returns true if a key's name is the one that was sent, or what the service has made of it: cut, in other letters,
---without blanks. An op is in no other name.
---@param name? string as the service shows it
---@param attempt { name: string, op: string }
---@return boolean ours
---@return boolean? altered
function names.is_of(name, attempt)
  if name == attempt.name then
    return true, false
  elseif not name or name == "" then
    return false
  end
  local shown, sent = name:lower(), attempt.name:lower()
  local is_cut = #shown >= math.min(LONG, #sent - #attempt.op) and sent:sub(1, #shown) == shown
  local ours = shown:find(attempt.op, 1, true) ~= nil or is_cut
  return ours, ours or nil
end

---The keys whose name is the one that was sent, or made of it.
---@param keys confidentai.ApiKey[]
---@param attempt { name: string, op: string }
---@return confidentai.ApiKey[]
function names.find(keys, attempt)
  local found = {}
  for _, key in ipairs(keys) do
    if names.is_of(key.name, attempt) then
      found[#found + 1] = key
    end
  end
  return found
end

---Takes a name apart.
---@param name? string
---@return string? base nil: the name is none of a rotation's
---@return integer? generation
---@return string? op
function names.parse(name)
  local base, generation, op = (name or ""):match("^(.+)~g([1-9]%d*)~(" .. OP_PATTERN .. ")$")
  if not base or #generation > 9 then
    return nil
  end
  return base, math.floor(tonumber(generation)), op
end

---The generation of the next key of a base: one more than the highest that there is.
---@param keys confidentai.ApiKey[]
---@param base string
---@param on_record? integer the highest on record: its key may not be listed yet
---@return integer? generation nil: no name of that generation could be read back
---@return string? problem for people
function names.next(keys, base, on_record)
  local generation = math.max(names.highest(keys, base), on_record or 0) + 1
  local of, read = names.parse(names.make(base, generation, ("a"):rep(8)))
  if of ~= base or read ~= generation then
    return nil, ("no key of '%s' can be named: generation %d is there, and the next number has too many "
      .. "digits: give another base, or delete that key"):format(base, generation - 1)
  end
  return generation
end

---The base of a name: what the user calls it.
---@param name? string
---@return string?
function names.base(name)
  return names.parse(name) or name
end

---The highest generation of a base among keys; 0 when there is none.
---@param keys confidentai.ApiKey[]
---@param base string
---@return integer
function names.highest(keys, base)
  local highest = 0
  for _, key in ipairs(keys) do
    local of, generation = names.parse(key.name)
    if of == base and generation > highest then
      highest = generation
    end
  end
  return highest
end

return names
