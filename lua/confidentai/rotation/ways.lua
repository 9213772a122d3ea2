-- SPDX-License-Identifier: Apache-2.0
-- Ways on for a person: what each is for, and its command lines. One that the rotation would refuse is not made
-- (allowed.lua).

local allowed = require "confidentai.rotation.allowed"
local command_line = require "confidentai.command_line"
local known_options = require "confidentai.rotation.options"
local names = require "confidentai.rotation.names"
local store_kinds = require "confidentai.store"

local ways = {}

---A way on: what it is for, and its command lines, each as words. They are run in this order.
---@class confidentai.Way
---@field purpose string
---@field steps (string[]|{ again: table })[] the words of each; again: the command of this run, with other options

---Makes a way.
---@param purpose string
---@param ... string[] the words of its command lines
---@return confidentai.Way
function ways.make(purpose, ...)
  return { purpose = purpose, steps = { ... } }
end

---Returns a list of those ways that there are.
---@param ... confidentai.Way|false|nil
---@return confidentai.Way[]
function ways.list(...)
  local list = {}
  for i = 1, select("#", ...) do
    list[#list + 1] = (select(i, ...)) or nil
  end
  return list
end

---Returns the words of a verb of `rotate`, for this rotation.
---@param record table
---@param verb string
---@param ... string more words
---@return string[]
function ways.rotate(record, verb, ...)
  return { "confidentai", "rotate", verb, record.id, ... }
end

-- Adds words to a command line.
local function add(words, ...)
  for i = 1, select("#", ...) do
    words[#words + 1] = (select(i, ...))
  end
end

-- An id could be taken for an option.
local function add_id(words, id)
  add(words, (table.unpack or unpack)(id:sub(1, 1) == "-" and { "--", id } or { id })) -- luacheck: std max
end

local function add_place(words, record)
  if record.scope == "project" then
    add(words, command_line.option("--project", record.project_id))
  end
end

---Returns the words of a verb of `keys`, for a key of the rotation's scope.
---@param record table|confidentai.ApiKeys
---@param verb string
---@param id? string nil: of a verb that is about all keys
---@return string[]
function ways.of_key(record, verb, id)
  local words = { "confidentai", "keys", verb }
  add_place(words, record)
  if id then
    add_id(words, id)
  end
  return words
end

---@param record table
---@param purpose? string
---@return confidentai.Way
function ways.advance(record, purpose)
  return ways.make(purpose or "Continue", ways.rotate(record, "advance"))
end

---@param record table
---@return confidentai.Way
function ways.abandon(record)
  return ways.make("Close the record; all keys stay as they are", ways.rotate(record, "abandon"))
end

---@param record table
---@return confidentai.Way?
function ways.back(record)
  local seen = record.published and record.seen and record.seen.old or {}
  if record.rollback or allowed.rollback(record) or seen.gone and not seen.stale then
    return nil
  elseif seen.valid == false and not seen.stale and (not record.disabling or record.disabled_by == "others") then
    return ways.make("Go back to the old key, which others have disabled", ways.of_key(record, "enable", record.old.id),
      ways.rotate(record, "rollback"))
  end
  return ways.make(record.published and "Go back to the old key" or "Remove the new key",
    ways.rotate(record, "rollback"))
end

---Goes back with the old key's secret, which is asked for.
---@param record table
---@return confidentai.Way
function ways.back_with_secret(record)
  return ways.make("Give the old key's secret, and go back", ways.rotate(record, "rollback", "--ask-old-secret"))
end

---@param record table
---@return confidentai.Way?
function ways.keep(record)
  return not allowed.keep(record) and ways.make("Keep the new key after all", ways.rotate(record, "keep")) or nil
end

---@param record table
---@param purpose string
---@return confidentai.Way?
function ways.republish(record, purpose)
  return not allowed.republish(record)
    and ways.make(purpose, ways.rotate(record, "republish"), ways.rotate(record, "advance")) or nil
end

---@param record table
---@param purpose string
---@return confidentai.Way?
function ways.confirm(record, purpose)
  return allowed.confirm(record)
    and ways.make(purpose, ways.rotate(record, "confirm"), ways.rotate(record, "advance")) or nil
end

---A change of a key by hand, after which the rotation continues.
---@param record table
---@param verb string of `keys`
---@param id string
---@param purpose string
---@return confidentai.Way
function ways.change(record, verb, id, purpose)
  return ways.make(purpose, ways.of_key(record, verb, id), ways.rotate(record, "advance"))
end

-- A store as the option --store takes it.
local function spec_text(spec)
  if spec.kind == "exec" then
    return "exec:" .. command_line.text(spec.command)
  elseif spec.kind == "env_file" then
    return ("env_file:%s:%s"):format(spec.path, spec.variable)
  end
  return "file:" .. spec.path
end

---Returns the options by which the command is given the stores of a rotation; nil: only a program can give them.
---@param record table
---@return string[]? words
---@return string? folder in which their commands are to be named
function ways.store_options(record)
  local words, commands, check, folder = {}, 0, nil, nil
  for _, description in ipairs(record.stores) do
    local spec = description.spec
    if not store_kinds.revive(spec) then
      return nil
    elseif spec.kind == "exec" then
      commands, check, folder = commands + 1, check or spec.check, spec.folder
    end
    add(words, "--store", spec_text(spec))
  end
  if check and commands > 1 then
    return nil -- one check goes with one command
  elseif check then
    add(words, "--store-check", command_line.text(check))
  end
  return words, folder
end

-- A way whose command names stores: commands of these run where they were given.
local function with_stores(purpose, folder, words)
  if folder then
    return ways.make(purpose, { "cd", folder }, words)
  end
  return ways.make(purpose, words)
end

---Names the stores again, which says that they are this machine's.
---@param record table
---@return confidentai.Way?
function ways.give_stores(record)
  local words = ways.rotate(record, "advance")
  local options, folder = ways.store_options(record)
  add(words, (table.unpack or unpack)(options or {})) -- luacheck: std max
  return options and with_stores("If the stores are on this machine now, name them again", folder, words) or nil
end

-- A length of time as the options take it.
local function length(seconds)
  for _, unit in ipairs { { 86400, "d" }, { 3600, "h" }, { 60, "m" } } do
    if seconds > 0 and seconds % unit[1] == 0 then
      return ("%.0f%s"):format(seconds / unit[1], unit[2])
    end
  end
  return ("%.0fs"):format(seconds)
end

local function add_options(words, record, options)
  for _, name in ipairs { "soak", "soak_max", "grace" } do
    if options[name] and options[name] ~= known_options.list[name].default then
      add(words, "--" .. name:gsub("_", "-"), length(options[name]))
    end
  end
  if options.adoption and options.adoption ~= "observe" then
    add(words, "--adoption", options.adoption)
  end
  for _, name in ipairs { "replace", "compromised", "replace_store" } do
    add(words, options[name] and "--" .. name:gsub("_", "-") or nil)
  end
  if options.on_published then
    add(words, "--on-published", command_line.text(options.on_published))
  end
  if record.old and names.base(record.old.name) ~= record.base then
    add(words, command_line.option("--base", record.base))
  end
end

-- The words that begin a rotation with the options of this one, and the folder in which they mean the same; nil: only a
-- program can give them.
local function begin(record, also)
  local options, folder = ways.store_options(record)
  if not options or record.kind ~= "rotation" then
    return nil
  end
  local words, asked = { "confidentai", "rotate", "start" }, {}
  for name, value in pairs(record.options) do
    asked[name] = value
  end
  for _, name in ipairs(also or {}) do
    asked[name] = true
  end
  add_place(words, record)
  add(words, (table.unpack or unpack)(options)) -- luacheck: std max
  add_options(words, record, asked)
  add_id(words, record.old_id)
  return words, folder or record.options.on_published_folder
end

---Begins a rotation again that has ended before it published anything.
---@param record table
---@return confidentai.Way?
function ways.again(record)
  local words, folder = begin(record)
  return words and with_stores("Begin a new rotation of the old key", folder, words) or nil
end

---Makes another key in the place of a new one that cannot be brought to work.
---@param record table
---@return confidentai.Way?
function ways.renew(record)
  local words, folder = begin(record, { "replace", "replace_store" })
  local way = words and with_stores("Make another key, which replaces both", folder, words)
  if way then
    table.insert(way.steps, 1, ways.rotate(record, "abandon"))
  end
  return way
end

return ways
