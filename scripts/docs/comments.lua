-- SPDX-License-Identifier: Apache-2.0
-- The doc comments of a file of Lua: its classes, and its functions.

local annotation = require "scripts.docs.annotation"

local comments = {}

---@class docs.Value a parameter, a field or what is returned
---@field name? string
---@field optional? boolean
---@field type string
---@field names string[] that the type is made of
---@field text string

---@class docs.Function
---@field owner string the variable that it is a field of: "Client"
---@field separator ":"|"."
---@field name string
---@field arguments string[] as they are declared
---@field text string
---@field generics string[]
---@field params docs.Value[]
---@field returns docs.Value[]
---@field private boolean not for users

---@class docs.Class
---@field name string
---@field parent? string
---@field text string
---@field fields docs.Value[]

local function join(lines)
  return (table.concat(lines, " "):gsub("^ +", ""):gsub(" +$", ""))
end

-- Splits a comment into its text and its tags; the lines after a tag belong to it, but in a class, where they belong to
-- the next field.
local function split(lines)
  local before, tags, is_class = {}, {}, false
  for _, line in ipairs(lines) do
    local tag, rest = line:match "^@(%a+) ?(.*)$"
    if tag then
      is_class = is_class or tag == "class"
      tags[#tags + 1] = { tag = tag, line = rest, before = is_class and join(before) or nil }
      before = is_class and {} or before
    elseif is_class or #tags == 0 then
      before[#before + 1] = line
    else
      tags[#tags].line = tags[#tags].line .. " " .. line
    end
  end
  return join(before), tags, is_class
end

-- "name type text", "name? type text"
local function named(line, before)
  local name, optional, rest = line:match "^([%w_.]+)(%??) (.*)$"
  if not name then
    error(("a name and a type expected in '%s'"):format(line), 0)
  end
  local value = { name = name, optional = optional == "?" }
  value.type, value.text, value.names = annotation.read(rest)
  if before and before ~= "" then
    value.text = value.text == "" and before or before .. " " .. value.text
  end
  return value
end

-- "type name text"; more types after a comma are not ours.
local function returned(line)
  local type, rest, names = annotation.read(line)
  local name, text = rest:match "^([%w_.]+) ?(.*)$"
  return { type = type, names = names, name = name, text = text or "" }
end

local function class_of(tags)
  local name, parent = tags[1].line:match "^([%w_.]+):? ?(.*)$"
  if parent ~= "" and select(2, annotation.read(parent)) ~= "" then
    error(("class %s: '%s' is no type"):format(name, parent), 0)
  end
  local class = { name = name, parent = parent ~= "" and parent or nil, text = tags[1].before, fields = {} }
  for i = 2, #tags do
    if tags[i].tag ~= "field" then
      error(("class %s: its comment has '@%s', where fields are expected"):format(name, tags[i].tag), 0)
    end
    class.fields[i - 1] = named(tags[i].line, tags[i].before)
  end
  return class
end

-- Adds a tag to a function.
local readers = {
  param = function(made, line) made.params[#made.params + 1] = named(line) end,
  ["return"] = function(made, line) made.returns[#made.returns + 1] = returned(line) end,
  generic = function(made, line) made.generics[#made.generics + 1] = line end,
  private = function(made) made.private = true end,
}

---Raises unless what is declared and what is documented are the same, and what is returned has names.
---@param made docs.Function
function comments.check(made)
  local documented = {}
  for i, param in ipairs(made.params) do
    documented[i] = param.name
  end
  if table.concat(documented, ", ") ~= table.concat(made.arguments, ", ") then
    error(("%s%s%s: its arguments are (%s), and (%s) are documented"):format(made.owner, made.separator, made.name,
      table.concat(made.arguments, ", "), table.concat(documented, ", ")), 0)
  end
  for _, value in ipairs(made.returns) do
    if not value.name and value.text == "" then
      error(("%s%s%s: what it returns has no name"):format(made.owner, made.separator, made.name), 0)
    end
  end
end

local function function_of(text, tags, declaration)
  local path, separator, name, arguments = declaration:match "^function ([%w_.]-)([.:])([%w_]+)%((.-)%)"
  if not path then
    return nil
  end
  local made = { owner = path:match "[%w_]+$", separator = separator, name = name, arguments = {}, text = text,
    generics = {}, params = {}, returns = {}, private = false }
  for argument in arguments:gmatch "[%w_.]+" do
    made.arguments[#made.arguments + 1] = argument
  end
  for _, tag in ipairs(tags) do
    if not readers[tag.tag] then
      error(("%s: '@%s' is not known here"):format(name, tag.tag), 0)
    end
    readers[tag.tag](made, tag.line)
  end
  return made
end

---Reads a file. Raises when a doc comment is not well formed.
---@param path string
---@return { functions: docs.Function[], classes: docs.Class[] } found in their order
function comments.read(path)
  local found, block, number = { functions = {}, classes = {} }, {}, 0
  local function finish(line)
    local text, tags, is_class = split(block)
    block = {}
    if is_class then
      found.classes[#found.classes + 1] = class_of(tags)
    else
      found.functions[#found.functions + 1] = function_of(text, tags, line)
    end
  end
  local function take(line)
    number = number + 1
    local text = line:match "^%-%-%- ?(.*)$"
    if text then
      block[#block + 1] = text
    elseif #block > 0 then
      local ok, problem = pcall(finish, line)
      if not ok then
        error(("%s:%d: %s"):format(path, number, problem), 0)
      end
    end
  end
  for line in io.lines(path) do
    take(line)
  end
  take ""
  return found
end

return comments
