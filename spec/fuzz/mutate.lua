-- SPDX-License-Identifier: Apache-2.0
-- Damages text: bits that flip, cuts, insertions, pieces that are doubled or come from elsewhere, very much of one.

local mutate = {}

-- What formats trip over.
local WORDS = {
  "\0", "\r\n", "\n", "\r", "\t", " ", '"', "'", "`", "\\", "\\\\", "=", "#", "$", "${A}", "$(b)", "{", "}", "[", "]",
  ",", ":", "/", "..", "~", "%", "%s", "%00", "-", "-1", "0", "1", "9", "99999999999999999999", "1e400", "NaN", "null",
  "true", "\239\187\191", "\255\254", "\237\160\128", "\\u0000", "\\ud800", "confident_", "~g1~", "T", "Z", "export ",
}

-- A range of a text, which may be empty.
local function range(text, random)
  local from = random:from(1, #text + 1)
  return from, from + random:below(math.min(#text + 2 - from, random:pick { 2, 8, 64, 4096 })) - 1
end

local function replace(text, from, to, new)
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

local ways = {}

function ways.flip(text, random)
  if text == "" then
    return text
  end
  local at, bit = random:from(1, #text), 2 ^ random:below(8)
  local byte = text:byte(at)
  byte = math.floor(byte / bit) % 2 == 1 and byte - bit or byte + bit
  return replace(text, at, at, string.char(math.floor(byte)))
end

function ways.set(text, random)
  local at = random:from(1, #text + 1)
  return replace(text, at, at, string.char(random:below(256)))
end

function ways.cut_out(text, random)
  local from, to = range(text, random)
  return replace(text, from, to, "")
end

function ways.cut_short(text, random)
  return text:sub(1, random:below(#text + 1))
end

function ways.insert(text, random)
  local at = random:from(1, #text + 1)
  return replace(text, at, at - 1, random:text(random:from(1, 8)))
end

function ways.insert_word(text, random)
  local at = random:from(1, #text + 1)
  return replace(text, at, at - 1, random:pick(WORDS))
end

function ways.overwrite(text, random)
  local word = random:pick(WORDS)
  local at = random:from(1, #text + 1)
  return replace(text, at, at + #word - 1, word)
end

function ways.double(text, random)
  local from, to = range(text, random)
  return replace(text, from, from - 1, text:sub(from, to))
end

function ways.move(text, random)
  local from, to = range(text, random)
  local piece = text:sub(from, to)
  local rest = replace(text, from, to, "")
  local at = random:from(1, #rest + 1)
  return replace(rest, at, at - 1, piece)
end

function ways.splice(text, random, others)
  local other = random:pick(others)
  return text:sub(1, random:below(#text + 1)) .. other:sub(random:from(1, #other + 1))
end

function ways.repeat_much(text, random)
  local at = random:from(1, #text + 1)
  local piece = random:one_in(2) and random:pick(WORDS) or text:sub(at, at + random:below(8))
  return replace(text, at, at - 1, piece:rep(random:pick { 10, 100, 1000, 10000 }))
end


-- In an order that is the same everywhere; the frequent ones several times.
local names = { "flip", "flip", "set", "cut_out", "cut_short", "insert", "insert_word", "insert_word", "overwrite",
  "double", "move", "splice" }

---A damaged text.
---@param text string
---@param random table
---@param others? string[] of which pieces may come
---@return string
function mutate.text(text, random, others)
  others = others or { text }
  if random:one_in(50) then
    return ways.repeat_much(text, random)
  end
  for _ = 1, random:pick { 1, 1, 1, 2, 3, 8 } do
    text = ways[random:pick(names)](text, random, others)
  end
  return text
end

return mutate
