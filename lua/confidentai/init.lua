-- SPDX-License-Identifier: Apache-2.0
-- confidentai: the API keys of a Confident AI organization and its projects.

local core = require "confidentai.core"
local argument = require "confidentai.argument"
local base_url = require "confidentai.base_url"
local driver = require "confidentai.driver"
local environment = require "confidentai.environment"
local options = require "confidentai.options"
require "confidentai.scope"
require "confidentai.api_keys"

local confidentai = { _VERSION = core._VERSION }

-- What most scripts do not need is loaded when it is first asked for: they end sooner.
local LATER = {
  gather = function() return require("confidentai.gather").gather end,
  async = function() return require("confidentai.gather").async end,
  rotation = function() return require "confidentai.rotation" end,
  scan = function() return require "confidentai.scan" end,
  store = function() return require "confidentai.store" end,
}

setmetatable(confidentai, { __index = function(_, name)
  local load = LATER[name]
  if load then
    local value = load()
    rawset(confidentai, name, value)
    return value
  end
end })

local function config_error(message)
  return nil, core.failure { kind = "config", message = message }
end

-- What the Lua layer keeps with a client.
local function furnish(client, checked, waiting)
  local settings = core.environment(client)
  settings.driver = waiting
  settings.timeout, settings.max_retries = checked.timeout, checked.max_retries
  settings.on_event = checked.on_event
  settings.tell = checked.on_event and require("confidentai.events").tell
  settings.event_errors = 0
  settings.projects = core.projects(client)
end

---Makes a client. Nothing is sent. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.Options
---@return confidentai.Client? client
---@return confidentai.Error? err of kind "config": no api_key, or a value that cannot serve, be it of the environment
function confidentai.new(given)
  local checked, problem = options.check(given)
  if not checked then
    argument.refuse(1, "new", problem)
  end
  local waiting
  waiting, problem = driver.find(checked.driver)
  if not waiting then
    argument.refuse(1, "new", ("option 'driver': %s"):format(problem))
  end
  checked.api_key = checked.api_key or environment.get "CONFIDENT_ORG_API_KEY"
  if not checked.api_key then
    return config_error "no api_key: pass the option api_key, or set CONFIDENT_ORG_API_KEY to an organization key"
  end
  checked.base_url, problem = base_url.choose(checked)
  if not checked.base_url then
    return config_error(problem)
  end
  local client, err = core.client(checked)
  if not client then
    return nil, err
  end
  furnish(client, checked, waiting)
  return client
end

---Returns its arguments, or raises tostring(err) when the first is nil or false: assert for every Lua, as that of 5.1
---takes no error object.
---@generic T
---@param value? T what a call returned
---@param err? confidentai.Error|string what it returned next
---@param ... any the rest
---@return T value
---@return any err
---@return any ... the rest
function confidentai.check(value, err, ...)
  if not value then
    error(err == nil and "check failed" or tostring(err), 2)
  end
  return value, err, ...
end

return confidentai
