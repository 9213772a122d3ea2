-- SPDX-License-Identifier: Apache-2.0
-- JSON for the sandbox: arrays stay arrays when empty, members come in a fixed order, whole numbers have no
-- fraction and slashes are not escaped, on every Lua. lua-cjson alone promises none of these.

local cjson = require "cjson"

local codec = cjson.new()
codec.decode_invalid_numbers(false)

local json = { null = cjson.null }

local array_mt = { __name = "confidentai.sandbox.array" }

-- Members that people look for first come first.
local rank = {}
for position, name in ipairs {
  "success", "data", "error", "deprecated", "link", "n", "id", "type", "name", "valid", "value",
} do
  rank[name] = position
end

local function before(a, b)
  local rank_a, rank_b = rank[a] or math.huge, rank[b] or math.huge
  if rank_a ~= rank_b then return rank_a < rank_b end
  return a < b
end

local raw_mt = { __name = "confidentai.sandbox.raw" }

---A text that stands in JSON as it is, whatever it is.
---@param text string
---@return table raw
function json.raw(text)
  return setmetatable({ text = text }, raw_mt)
end

---Marks a table as an array, so that it is one in JSON even when empty.
---@param list? table
---@return table list the same table
function json.array(list)
  return setmetatable(list or {}, array_mt)
end

local function encode_string(text)
  -- Escapes are read one at a time, so that the slash of an escaped backslash before a slash is left alone.
  return (codec.encode(text):gsub("\\(.)", function(escaped)
    return escaped == "/" and "/" or nil
  end))
end

local function encode_number(number)
  if number % 1 == 0 and number > -2 ^ 53 and number < 2 ^ 53 then
    return string.format("%.0f", number)
  end
  -- Some versions of lua-cjson cannot write more than 14 digits, too few for microseconds since 1970.
  local text = codec.encode(number)
  if tonumber(text) ~= number then text = string.format("%.17g", number):gsub(",", ".") end
  return text
end

local encode

local function encode_array(list)
  local parts = {}
  for index = 1, #list do parts[index] = encode(list[index]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names, before)
  for index, name in ipairs(names) do
    parts[index] = encode_string(name) .. ":" .. encode(object[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

---Encodes a value.
---@param value any string, number, boolean, json.null, or a table of these; one with [1] is an array
---@return string text
function encode(value)
  local kind = type(value)
  if kind == "string" then return encode_string(value) end
  if kind == "number" then return encode_number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then
    if getmetatable(value) == raw_mt then return value.text end
    local is_array = getmetatable(value) == array_mt or value[1] ~= nil
    return is_array and encode_array(value) or encode_object(value)
  end
  return "null"
end
json.encode = encode

local to_integer = math.tointeger or function() return nil end

-- Removes nulls, and turns 7.0 into 7 where the Lua knows the difference.
local function clean(value)
  if type(value) == "number" then return to_integer(value) or value end
  if value == cjson.null then return nil end
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do copy[name] = clean(member) end
  return copy
end

---Decodes a text.
---@param text string
---@return any value without nulls; nil when the text is not JSON
---@return string? message what is wrong with the text
function json.decode(text)
  local ok, value = pcall(codec.decode, text)
  if not ok then return nil, tostring(value) end
  return clean(value)
end

return json
