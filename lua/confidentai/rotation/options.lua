-- SPDX-License-Identifier: Apache-2.0
-- The options of rotations, as data: one table drives their check, the reference and the type annotations. Wrong types,
-- unknown names and numbers out of range raise, as in confidentai.new.

local argument = require "confidentai.argument"

local options = {}

local DAY = 86400

---@class confidentai.RotationOption
---@field type string type of the value, or several with | between
---@field default any
---@field of string the functions that take it
---@field choices? table<string, true>
---@field doc string

-- Which functions take an option: r rotate, p provision, e ensure, o open, d doctor.
---@type table<string, confidentai.RotationOption>
options.list = {
  store = { type = "table", of = "rpe", doc = "a store, or an array of stores" },
  stores = { type = "table", of = "o", doc = "stores that a record cannot make again: callbacks, by their labels" },
  soak = { type = "number", default = DAY, of = "re", doc = "seconds for which both keys work" },
  soak_max = { type = "number", default = 30 * DAY, of = "r", doc = "seconds after which a soak is stalled" },
  grace = { type = "number", default = 7 * DAY, of = "re", doc = "seconds for which the old key is kept, disabled" },
  adoption = { type = "string", default = "observe", of = "r", choices = { observe = true, time = true, confirm = true },
    doc = "what ends the soak: lastUsed of both keys, the time alone, or rotation:confirm()" },
  state_dir = { type = "string|table", of = "rpod", doc = "the state folder, or a state table" },
  base = { type = "string", of = "r", doc = "the name under which the key is known" },
  old_secret = { type = "string", of = "ro", doc = "the old key's secret: lets it be proven that it is refused" },
  replace = { type = "boolean", default = false, of = "r", doc = "the old key may be disabled or absent; no soak" },
  compromised = { type = "boolean", default = false, of = "r", doc = "no soak, no grace, no way back to the old key" },
  replace_store = { type = "boolean", default = false, of = "rp", doc = "the store may hold something else" },
  require_other_manager = { type = "string", of = "r",
    doc = "the secret of another enabled organization key, without which a client's own key is not rotated" },
  dry_run = { type = "boolean", default = false, of = "r", doc = "plans only" },
  settle = { type = "number", of = "rpe", doc = "seconds for which an unclear create is looked for" },
  max_age = { type = "number", default = 30 * DAY, of = "e", doc = "seconds after which a key is replaced" },
  adopt = { type = "string|number|userdata", of = "e", doc = "the key that is current, the first time" },
  manager_store = { type = "table", of = "e", doc = "the store of the client's own key, when it is the one to replace" },
  fix = { type = "table", of = "d", doc = "what the doctor may do: an array of the ids of its findings" },
  on_step = { type = "function", of = "rpeod", doc = "called with each step; never a secret" },
  clock = { type = "function", of = "rpeod", doc = "seconds since 1970; default: os.time" },
  pause = { type = "function", of = "rpeod", doc = "waits for so many seconds; default: as the client's driver does" },
  random = { type = "function", of = "rpe", doc = "so many random bytes; default: the system's" },
}

local function has_type(value, types)
  for name in types:gmatch "[^|]+" do
    if type(value) == name then
      return true
    end
  end
  return false
end

local function problem_with(option, name, value)
  if not has_type(value, option.type) then
    return ("option '%s': %s expected, got %s"):format(name, (option.type:gsub("|", " or ")), type(value))
  elseif type(value) == "number" and name ~= "adopt" and not (value >= 0 and value < math.huge) then
    return ("option '%s': seconds from 0 are expected"):format(name)
  elseif option.choices and not option.choices[value] then
    return ("option '%s' cannot be '%s'"):format(name, value)
  end
end

-- A store has three functions; an array of them has elements.
local function check_stores(given, name, position, level)
  local list = given.kind and { given } or given
  if #list == 0 then
    argument.refuse(position, name, "option 'store': a store or an array of stores is expected", level)
  end
  for _, store in ipairs(list) do
    if type(store) ~= "table" or type(store.put) ~= "function" or type(store.get) ~= "function" then
      argument.refuse(position, name, "option 'store': a store of confidentai.store is expected", level)
    end
  end
  return list
end

---Checks options and fills the defaults in. Raises at the caller's caller.
---@param function_name string the public function, for messages
---@param letter string which functions' options (above)
---@param position integer of the argument
---@param given? table
---@return table checked a new table, with `stores` as an array
function options.check(function_name, letter, position, given)
  local checked = {}
  if given ~= nil and type(given) ~= "table" then
    argument.refuse(position, function_name, "table expected, got " .. type(given), 1)
  end
  for name, value in pairs(given or {}) do
    local option = options.list[name]
    local problem = "unknown option '" .. tostring(name) .. "'"
    if option and option.of:find(letter, 1, true) then
      problem = problem_with(option, name, value)
    end
    if problem then
      argument.refuse(position, function_name, problem, 1)
    end
    checked[name] = value
  end
  for name, option in pairs(options.list) do
    if checked[name] == nil and option.of:find(letter, 1, true) then
      checked[name] = option.default
    end
  end
  if options.list.store.of:find(letter, 1, true) then
    if not checked.store then
      argument.refuse(position, function_name, "option 'store' is missing: where is the new secret to go?", 1)
    end
    checked.stores = check_stores(checked.store, function_name, position, 1)
  end
  return checked
end

return options
