-- SPDX-License-Identifier: Apache-2.0
-- The types of LuaCATS annotations, as lua-language-server reads them (https://luals.github.io/wiki/annotations):
-- where one ends in a line, and whether it is well formed.

local annotation = {}

local union

local function skip(text, at)
  return text:find("[^ ]", at) or #text + 1
end

-- The position after a word that must come next.
local function expect(text, at, word)
  at = skip(text, at)
  if text:sub(at, at + #word - 1) ~= word then
    error(("'%s' expected at '%s' of '%s'"):format(word, text:sub(at), text), 0)
  end
  return at + #word
end

local function is_next(text, at, word)
  at = skip(text, at)
  return text:sub(at, at + #word - 1) == word
end

-- Members between two brackets, separated by commas.
local function list(text, at, closing, member)
  while not is_next(text, at, closing) do
    at = member(text, skip(text, at))
    if not is_next(text, at, closing) then
      at = expect(text, at, ",")
    end
  end
  return expect(text, at, closing)
end

-- `name: type`, `name?: type`, `[type]: type`, `...: type`
local function field(text, at)
  if is_next(text, at, "[") then
    at = expect(text, union(text, at + 1), "]")
  else
    local _, last = text:find("^[%a_][%w_]*%??", at)
    if not last then
      error(("a name expected at '%s' of '%s'"):format(text:sub(at), text), 0)
    end
    at = last + 1
  end
  return union(text, expect(text, at, ":"))
end

local function parameter(text, at)
  local _, last = text:find("^%.%.%.", at)
  if not last then
    _, last = text:find("^[%a_][%w_]*%??", at)
  end
  if not last then
    error(("a parameter expected at '%s' of '%s'"):format(text:sub(at), text), 0)
  end
  at = last + 1
  return is_next(text, at, ":") and union(text, expect(text, at, ":")) or at
end

-- What follows `fun`.
local function signature(text, at)
  at = list(text, expect(text, at, "("), ")", parameter)
  if is_next(text, at, ":") then
    at = union(text, expect(text, at, ":"))
    while is_next(text, at, ",") do
      at = union(text, expect(text, at, ","))
    end
  end
  return at
end

local function atom(text, at, names)
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == '"' then
    return expect(text, text:find('"', at + 1, true) or #text + 1, '"')
  elseif first == "{" then
    return list(text, at + 1, "}", field)
  elseif first == "(" then
    return expect(text, union(text, at + 1), ")")
  end
  local _, last, name = text:find("^([%a_][%w_.]*)", at)
  if not last then
    error(("a type expected at '%s' of '%s'"):format(text:sub(at), text), 0)
  elseif name == "fun" then
    return signature(text, last + 1)
  end
  names[#names + 1] = name
  if text:sub(last + 1, last + 1) == "<" then
    return list(text, last + 2, ">", union)
  end
  return last + 1
end

-- The names in the type that is being read.
local reading

union = function(text, at)
  while true do
    at = atom(text, at, reading)
    while text:find("^%[%]", at) or text:find("^%?", at) do
      at = at + (text:sub(at, at) == "?" and 1 or 2)
    end
    if not text:find("^ ?|", at) then
      return at
    end
    at = expect(text, at, "|")
  end
end

---Reads the type that a text begins with. Raises when it is none.
---@param text string
---@return string type
---@return string rest what follows it, without blanks before it
---@return string[] names that the type is made of: "string", "confidentai.Client"
function annotation.read(text)
  reading = {}
  local after = union(text, 1)
  return text:sub(1, after - 1), text:sub(skip(text, after)), reading
end

return annotation
