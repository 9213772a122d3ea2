-- SPDX-License-Identifier: Apache-2.0
-- How the service behaves, as the control path may change it while it runs. Described in docs/sandbox.md.

local json = require "confidentai.sandbox.json"
local name_forms = require "confidentai.sandbox.name_forms"
local time_forms = require "confidentai.sandbox.time_forms"

local settings = {}

local time_choices = { default = true }
for name in pairs(time_forms.names) do time_choices[name] = true end

-- What a running sandbox can be set to. A reset goes back to the defaults.
settings.list = {
  { name = "propagation", kind = "seconds", default = 0 },
  { name = "list_delay", kind = "seconds", default = 0 },
  { name = "last_used", kind = "choice", default = "normal", choices = {
    normal = true, never = true, late = true, future = true, throttled = true, still = true,
  } },
  { name = "last_used_delay", kind = "seconds", default = 60 },
  -- docs/platform.md has 200 alone; a service may well answer 201.
  { name = "create_status", kind = "choice", default = 200, choices = { [200] = true, [201] = true } },
  { name = "names", kind = "choice", default = "sent", choices = name_forms.names },
  { name = "page_size", kind = "count", default = 0 },
  { name = "time_form", kind = "choice", default = "default", choices = time_choices },
  { name = "date", kind = "choice", default = "normal", choices = {
    normal = true, absent = true, unreadable = true,
  } },
  { name = "date_shift", kind = "number", default = 0 },
  { name = "ids", kind = "choice", default = "integer", choices = { integer = true, string = true } },
  { name = "id_prefix", kind = "string", default = "" },
  { name = "v1_answers", kind = "choice", default = "first", choices = { first = true, newer = true } },
  { name = "global_keys", kind = "choice", default = "valid", choices = { valid = true, revoked = true } },
  { name = "underscores", kind = "choice", default = "kept", choices = { kept = true, dropped = true } },
  { name = "witness", kind = "paths", default = json.array() },
}

local by_name = {}
for _, setting in ipairs(settings.list) do by_name[setting.name] = setting end

local function are_paths(value)
  if type(value) ~= "table" then return false end
  for index, path in pairs(value) do
    if type(index) ~= "number" or type(path) ~= "string" or path:sub(1, 1) ~= "/" then return false end
  end
  return true
end

local function check_value(setting, value)
  if setting.kind == "seconds" then
    if type(value) ~= "number" or value < 0 then return "must be a number of seconds from 0" end
  elseif setting.kind == "count" then
    if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then return "must be a whole number from 0" end
  elseif setting.kind == "number" or setting.kind == "string" then
    if type(value) ~= setting.kind then return "must be a " .. setting.kind end
  elseif setting.kind == "paths" then
    if not are_paths(value) then return "must be an array of absolute paths" end
  elseif not setting.choices[value] then
    return "cannot be " .. tostring(value)
  end
end

---Takes over settings that are well formed.
---@param into table the settings so far
---@param values table
function settings.merge(into, values)
  for name, value in pairs(values) do
    into[name] = by_name[name].kind == "paths" and json.array(value) or value
  end
end

---The settings of the start.
---@return table settings name to value
function settings.defaults()
  local values = {}
  for _, setting in ipairs(settings.list) do values[setting.name] = setting.default end
  return values
end

---Says what is wrong with settings.
---@param values any
---@return string? message nil when they are well formed
function settings.check(values)
  if type(values) ~= "table" then return "settings are an object" end
  for name, value in pairs(values) do
    local setting = by_name[name]
    if not setting then return "unknown setting " .. tostring(name) end
    local problem = check_value(setting, value)
    if problem then return name .. " " .. problem end
  end
end

return settings
