-- SPDX-License-Identifier: Apache-2.0
-- Random numbers that are the same on every Lua: of a seed, by the generator of Park and Miller, whose products every
-- Lua's numbers hold exactly.

local MODULUS, FACTOR = 2147483647, 16807

local Random = {}
Random.__index = Random

local random = {}

---@param seed integer
function random.new(seed)
  local self = setmetatable({ state = seed % (MODULUS - 1) + 1 }, Random)
  for _ = 1, 4 do -- of seeds that are neighbours, the first numbers are too
    self:below(2)
  end
  return self
end

---An integer from 0 up to n - 1.
function Random:below(n)
  self.state = self.state * FACTOR % MODULUS
  return math.floor(self.state / MODULUS * n)
end

---An integer from a to b.
function Random:from(a, b)
  return a + self:below(b - a + 1)
end

---Whether one of n is drawn.
function Random:one_in(n)
  return self:below(n) == 0
end

---One element of an array.
function Random:pick(list)
  return list[self:from(1, #list)]
end

---So many random bytes, or as many as are drawn of `alphabet`.
function Random:text(length, alphabet)
  local characters = {}
  for i = 1, length do
    local at = alphabet and self:from(1, #alphabet)
    characters[i] = alphabet and alphabet:sub(at, at) or string.char(self:below(256))
  end
  return table.concat(characters)
end

return random
