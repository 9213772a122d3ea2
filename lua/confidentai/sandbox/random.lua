-- SPDX-License-Identifier: Apache-2.0
-- Where ids and secrets come from: the system's random numbers, or a seeded generator that gives the same on
-- every Lua (math.random does not).

local Random = {}
Random.__index = Random

local base36 = "0123456789abcdefghijklmnopqrstuvwxyz"
local base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- The "minimal standard" generator of Park and Miller: each step is exact in a double, so in every Lua.
local modulus, multiplier = 2147483647, 16807

---A new source.
---@param seed? number a whole number; without it the numbers come from /dev/urandom
---@return table random
function Random.new(seed)
  local self = setmetatable({}, Random)
  if seed then
    self.position = seed % (modulus - 1) + 1
    for _ = 1, 8 do self:byte() end -- neighbouring seeds begin alike
  end
  return self
end

---One random byte.
---@return integer byte from 0 to 255
function Random:byte()
  if not self.position then return self:bytes(1):byte() end
  self.position = self.position * multiplier % modulus
  return math.floor(self.position / 4096) % 256
end

---Random bytes.
---@param count integer how many
---@return string bytes
function Random:bytes(count)
  if not self.position then
    local device = assert(io.open("/dev/urandom", "rb"))
    local bytes = device:read(count)
    device:close()
    return bytes
  end
  local list = {}
  for index = 1, count do list[index] = string.char(self:byte()) end
  return table.concat(list)
end

---Random hexadecimal digits.
---@param count integer how many bytes; twice as many digits
---@return string text
function Random:hex(count)
  return (self:bytes(count):gsub(".", function(char) return string.format("%02x", char:byte()) end))
end

---An id of the form the platform uses for projects, such as clq9z3x1k0001la08f7t3g5p2.
---@return string id 25 lower-case letters and digits
function Random:id()
  local id = self:bytes(23):gsub(".", function(char)
    local position = char:byte() % 36 + 1
    return base36:sub(position, position)
  end)
  return "cl" .. id
end

---Random bytes in base64, so that `+`, `/` and `=` occur.
---@param count integer how many bytes
---@return string text
function Random:base64(count)
  local text = self:bytes(count):gsub("..?.?", function(group)
    local a, b, c = group:byte(1, 3)
    local number = a * 65536 + (b or 0) * 256 + (c or 0)
    local chars = {}
    for index = 4, 1, -1 do
      local digit = number % 64
      chars[index] = base64:sub(digit + 1, digit + 1)
      number = (number - digit) / 64
    end
    return table.concat(chars):sub(1, #group + 1) .. ("="):rep(3 - #group)
  end)
  return text
end

return Random
