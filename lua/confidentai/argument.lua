-- SPDX-License-Identifier: Apache-2.0
-- Checks of arguments. What is wrong with one is the caller's mistake, so these raise, at the caller's line, and name
-- the function and the argument. They never quote a value, which may be a secret; a name that they quote may be one,
-- too, that was put in the wrong place: what looks like a key is covered.

local core = require "confidentai.core"

local argument = {}

-- From where a check runs to the user's line: the check, the public function, the user.
local LEVEL = 3

---Raises an error about an argument, in the words of Lua's own functions.
---@param position integer position of the argument, from 1
---@param name string the public function
---@param problem string
---@param level? integer how many calls further up the user stands
function argument.refuse(position, name, problem, level)
  error(("bad argument #%d to '%s' (%s)"):format(position, name, core.redact(problem)), LEVEL + (level or 0))
end

---Checks what a method was called on: another object of ours would pass for it by its fields.
---@param class string "Client", "ApiKeys" ...
---@param name string the public method
---@param value any
function argument.self(class, name, value)
  class = "confidentai." .. class
  if type(value) ~= "userdata" or getmetatable(value) ~= class then
    error(("calling '%s' on a bad self (%s expected: is it called with a colon?)"):format(name, class), LEVEL)
  end
end

---Checks an object of ours that is an argument.
---@param position integer
---@param class string "Client"
---@param name string the public function
---@param value any
function argument.object(position, class, name, value)
  class = "confidentai." .. class
  if type(value) ~= "userdata" or getmetatable(value) ~= class then
    argument.refuse(position, name, ("%s expected, got %s"):format(class, type(value)), 1)
  end
end

---Checks a string.
---@param position integer
---@param name string the public function
---@param value any
function argument.text(position, name, value)
  if type(value) ~= "string" then
    argument.refuse(position, name, "string expected, got " .. type(value), 1)
  end
end

---Whether a value is of a type, or of one of several.
---@param value any
---@param types string "string", "string|table"
---@return boolean
function argument.has_type(value, types)
  for name in types:gmatch "[^|]+" do
    if type(value) == name then
      return true
    end
  end
  return false
end

local function is_count(value)
  return type(value) == "number" and value >= 1 and value % 1 == 0
end

---Checks a table of named fields: each known, of the right type.
---@param position integer
---@param name string the public function
---@param value any
---@param fields table<string, string> type by field name; "count": a whole number from 1
---@param required? string a field that must be there
---@param level? integer as of refuse
function argument.fields(position, name, value, fields, required, level)
  level = 1 + (level or 0)
  if type(value) ~= "table" then
    argument.refuse(position, name, "table expected, got " .. type(value), level)
  end
  for field, content in pairs(value) do
    local wanted = fields[field]
    if not wanted then
      argument.refuse(position, name, ("unknown field '%s'"):format(tostring(field)), level)
    elseif wanted == "count" then
      if not is_count(content) then
        argument.refuse(position, name, ("field '%s': a whole number from 1 is expected"):format(field), level)
      end
    elseif type(content) ~= wanted then
      argument.refuse(position, name, ("field '%s': %s expected, got %s"):format(field, wanted, type(content)), level)
    end
  end
  if required and value[required] == nil then
    argument.refuse(position, name, ("field '%s' is missing"):format(required), level)
  end
end

---Checks the id of a key.
---@param position integer
---@param name string the public function
---@param api_keys confidentai.ApiKeys whose key it is
---@param value any
---@return string id as it goes into a path
function argument.key_id(position, name, api_keys, value)
  local id, problem = core.key_id(api_keys, value)
  if not id then
    argument.refuse(position, name, problem, 1)
  end
  return id
end

---Checks the name of a key.
---@param position integer
---@param name string the public function
---@param value any
---@return string
function argument.key_name(position, name, value)
  if type(value) ~= "string" then
    argument.refuse(position, name, "name: string expected, got " .. type(value), 1)
  elseif value == "" then
    argument.refuse(position, name, "name: a non-empty string is expected", 1)
  elseif not core.is_utf8(value) then
    argument.refuse(position, name, "name: valid UTF-8 is expected", 1)
  end
  return value
end

return argument
