-- SPDX-License-Identifier: Apache-2.0
-- How the service behaves, as the control path may change it while it runs. Described in docs/sandbox.md.

local json = require "confidentai.sandbox.json"

local settings = {}

-- What a running sandbox can be set to. A reset goes back to the defaults.
settings.list = {
  { name = "propagation", kind = "seconds", default = 0 },
  { name = "list_delay", kind = "seconds", default = 0 },
  { name = "last_used", kind = "choice", default = "normal", choices = {
    normal = true, never = true, late = true, future = true,
  } },
  { name = "last_used_delay", kind = "seconds", default = 60 },
  -- The service's published pages name both; its official SDK for TypeScript takes 200 alone for a success.
  { name = "create_status", kind = "choice", default = 200, choices = { [200] = true, [201] = true } },
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
