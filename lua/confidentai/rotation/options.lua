-- SPDX-License-Identifier: Apache-2.0
-- The options of rotations, as data: one table drives their check, the reference and the type annotations. Wrong types,
-- unknown names and numbers out of range raise, as in confidentai.new.

local argument = require "confidentai.argument"
local core = require "confidentai.core"
local location = require "confidentai.store.location"

local options = {}

local DAY = 86400

-- Seconds, a hundred years: later days could not be written down.
local LONGEST = 36500 * DAY

---@class confidentai.RotationOption
---@field type string type of the value, or several with | between
---@field annotation? string its type for the reference and lua-language-server, where `type` says less
---@field default any
---@field of string the functions that take it
---@field choices? table<string, true>
---@field choices_text? string the same for messages
---@field doc string

-- Which functions take an option: r rotate, p provision, e ensure, o open, l list,
-- h history, d doctor.
---@type table<string, confidentai.RotationOption>
options.list = {
  store = { type = "table", annotation = "confidentai.Store|confidentai.Store[]", of = "rpe",
    doc = "a store, or an array of stores: where the new secret goes" },
  stores = { type = "table", annotation = "confidentai.Store[]", of = "od",
    doc = "stores that a record cannot make again: callbacks, by their labels" },
  soak = { type = "number", default = DAY, of = "re", doc = "seconds for which both keys work" },
  soak_max = { type = "number", default = 30 * DAY, of = "r", doc = "seconds after which a soak is stalled" },
  grace = { type = "number", default = 7 * DAY, of = "re", doc = "seconds for which the old key is kept, disabled" },
  adoption = { type = "string", annotation = '"observe"|"time"|"confirm"', default = "observe", of = "r",
    choices = { observe = true, time = true, confirm = true }, choices_text = '"observe", "time" or "confirm"',
    doc = "what ends the soak: lastUsed of both keys, the time alone, or rotation:confirm()" },
  state_dir = { type = "string|table", annotation = "string|confidentai.State", of = "rpolhd",
    doc = "the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user" },
  base = { type = "string", of = "r",
    doc = "the name under which the key is known; default: the old key's, without a rotation's suffix, else key-<id>" },
  ended = { type = "boolean", default = false, of = "ol", doc = "ended rotations, too" },
  old_secret = { type = "string", of = "ro", doc = "the old key's secret: lets it be proven that it is refused" },
  replace = { type = "boolean", default = false, of = "r", doc = "the old key may be disabled or absent; no soak" },
  compromised = { type = "boolean", default = false, of = "r", doc = "no soak, no grace, no way back to the old key" },
  replace_store = { type = "boolean", default = false, of = "rp", doc = "the store may hold something else" },
  require_other_manager = { type = "string", of = "r",
    doc = "the secret of another enabled organization key, without which a client's own key is not rotated" },
  dry_run = { type = "boolean", default = false, of = "r", doc = "plans only" },
  on_published = { type = "table", annotation = "string[]", of = "re",
    doc = "a command, as an array of words, that is run once the stores hold another secret" },
  settle = { type = "number", of = "rpe",
    doc = "seconds for which to look for the key of a create without an answer; default: the longer of 60 and twice "
      .. "the timeout" },
  max_age = { type = "number", default = 30 * DAY, of = "e", doc = "seconds after which a key is replaced" },
  adopt = { type = "string|number|userdata", annotation = "integer|string|confidentai.ApiKey", of = "e",
    doc = "the key that is current, the first time" },
  abandon = { type = "string|number|userdata", annotation = "integer|string|confidentai.ApiKey", of = "e",
    doc = "a key whose secret is lost: a new one is made where the store holds nothing" },
  renew = { type = "boolean", default = false, of = "e",
    doc = "a new key is made where the store holds a secret that does not work, and is of no key" },
  manager_store = { type = "table", annotation = "confidentai.Store", of = "e",
    doc = "the store of the client's own key, if that is to be replaced" },
  fix = { type = "table", annotation = "string[]", of = "d",
    doc = "what the doctor may do: an array of the ids of its findings" },
  on_step = { type = "function", annotation = "fun(step: confidentai.Step)", of = "rpeod",
    doc = "called with each step; never a secret" },
  clock = { type = "function", annotation = "fun(): number", of = "rpeold",
    doc = "seconds since 1970; default: os.time" },
  pause = { type = "function", annotation = "fun(seconds: number)", of = "rpeod",
    doc = "waits for so many seconds; default: as the client's driver does" },
  random = { type = "function", annotation = "fun(count: integer): string", of = "rpeod",
    doc = "so many random bytes; default: the system's" },
}

local function problem_with(option, name, value)
  if not argument.has_type(value, option.type) then
    return ("option '%s': %s expected, got %s"):format(name, (option.type:gsub("|", " or ")), type(value))
  elseif type(value) == "number" and option.type == "number" and not (value >= 0 and value <= LONGEST) then
    return ("option '%s': seconds from 0 to a hundred years are expected"):format(name)
  elseif option.choices and not option.choices[value] then
    return ("option '%s': %s is expected"):format(name, option.choices_text)
  elseif name == "base" and (value == "" or not core.is_utf8(value)) then
    return "option 'base': a non-empty string of valid UTF-8 is expected"
  end
end

local function is_store(value)
  return type(value) == "table" and type(value.put) == "function" and type(value.get) == "function"
    and type(value.label) == "string"
end

-- What is wrong with a command; nil: nothing. It is written to the record, which must hold no secret.
local function problem_with_command(name, words)
  if #words == 0 or words[1] == "" then
    return ("option '%s': a program is expected first"):format(name)
  end
  for _, word in ipairs(words) do
    if type(word) ~= "string" or word:find("\0", 1, true) then
      return ("option '%s': strings without NUL bytes are expected"):format(name)
    elseif core.redact(word):find("***", 1, true) and not word:find("***", 1, true) then
      return ("option '%s': a word of it looks like a secret, and it goes into the record"):format(name)
    end
  end
  local path, problem = location.program(words[1])
  if path then
    path, problem = core.program(path)
  end
  if not path then
    return ("option '%s': its program cannot be started: %s"):format(name, problem)
  end
end

-- What is wrong with an option that holds a store, or an array of them; nil: nothing.
local function problem_with_stores(name, given)
  local list = given.label and { given } or given
  if #list == 0 and name == "store" then
    return "option 'store': a store or an array of stores is expected"
  end
  for _, store in ipairs(list) do
    if not is_store(store) then
      return ("option '%s': a store of confidentai.store is expected"):format(name)
    end
  end
  if name == "manager_store" and not is_store(given) then
    return "option 'manager_store': a store of confidentai.store is expected"
  end
end

-- The first thing that is wrong; nil: nothing.
local function problem_with_all(letter, given)
  if given ~= nil and type(given) ~= "table" then
    return "table expected, got " .. type(given)
  end
  for name, value in pairs(given or {}) do
    local option = options.list[name]
    local problem = "unknown option '" .. tostring(name) .. "'"
    if option and option.of:find(letter, 1, true) then
      problem = problem_with(option, name, value)
      if not problem and name == "on_published" then
        problem = problem_with_command(name, value)
      elseif not problem and (name == "store" or name == "stores" or name == "manager_store") then
        problem = problem_with_stores(name, value)
      end
    end
    if problem then
      return problem
    end
  end
  if options.list.store.of:find(letter, 1, true) and not (given and given.store) then
    return "option 'store' is missing: it says where the new secret goes"
  end
end

-- The command as it is recorded: it means the same in another folder, with another PATH.
local function settle_command(checked)
  local words = { location.program(checked.on_published[1]) }
  for i = 2, #checked.on_published do
    words[i] = checked.on_published[i]
  end
  checked.on_published, checked.on_published_folder = words, location.here()
end

---Checks options and fills the defaults in. Raises at the line of the public function's caller.
---@param function_name string the public function, for messages
---@param letter string which functions' options (above)
---@param position integer of the argument
---@param given? table
---@param level? integer how many calls lie between the public function and the caller of this one: 0
---@return table checked a new table, with `stores` as an array, and `on_published` settled, with its folder
function options.check(function_name, letter, position, given, level)
  local problem = problem_with_all(letter, given)
  if problem then
    argument.refuse(position, function_name, problem, 1 + (level or 0))
  end
  local checked = { given = {} } -- which options were not left to their defaults
  for name, option in pairs(options.list) do
    local value = given and given[name]
    checked.given[name] = value ~= nil
    if value == nil and option.of:find(letter, 1, true) then
      value = option.default
    end
    checked[name] = value
  end
  if checked.store then
    checked.stores = checked.store.label and { checked.store } or checked.store
  end
  if checked.on_published then
    settle_command(checked)
  end
  return checked
end

return options
