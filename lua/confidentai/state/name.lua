-- SPDX-License-Identifier: Apache-2.0
-- File names of keys, and back. A key is text of any characters, its parts separated by slashes:
--   records/7/organization/ci deploy   is the file   records,7,organization,ci%20deploy
-- One flat name, so that one folder is to be synced. A name too long for a file is cut into folders, marked by a plus
-- at the end, which no name of a key has.

local name = {}

-- File systems allow 255 bytes; what stands beside a file has its name and a prefix.
local LONGEST = 200
-- The path of a file in cut folders must stay within what systems allow, 4096 bytes, escapes included.
local LONGEST_KEY = 1000

local function escape(character)
  return ("%%%02X"):format(character:byte())
end

---What is wrong with a key; nil: nothing.
---@param key any
---@return string?
function name.problem(key)
  if type(key) ~= "string" then
    return "string expected, got " .. type(key)
  elseif key == "" or #key > LONGEST_KEY then
    return ("a text of 1 to %d bytes is expected"):format(LONGEST_KEY)
  end
end

---The name of a key, in one piece. It begins with no dot: such names are those of other files of the folder.
---@param key string
---@return string
function name.flatten(key)
  local flat = key:gsub("[^A-Za-z0-9_.%-/]", escape):gsub("/", ",")
  if #flat > LONGEST then
    flat = flat:gsub("%.", escape) -- each piece begins with no dot
  else
    flat = flat:gsub("^%.", escape)
  end
  return flat
end

---The path of a name within the state folder.
---@param flat string
---@return string folders "" or a path that ends in a slash
---@return string file
function name.cut(flat)
  local folders = {}
  while #flat > LONGEST do
    folders[#folders + 1] = flat:sub(1, LONGEST) .. "+/"
    flat = flat:sub(LONGEST + 1)
  end
  return table.concat(folders), flat
end

---The key of a name.
---@param flat string
---@return string
function name.restore(flat)
  local key = flat:gsub(",", "/"):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  return key
end

return name
