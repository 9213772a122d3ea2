-- SPDX-License-Identifier: Apache-2.0
-- Profiles: who and where, by a name, in a configuration file. A profile binds its key to its base URL, so that no key
-- is sent to another service.
--
--   $XDG_CONFIG_HOME/confidentai/config.json, else ~/.config/confidentai/config.json, 0600:
--   { "profiles": { "prod": { "region": "EU", "key_command": ["pass", "show", "confident/prod"] } } }

local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"
local status = require "confidentai.cli.status"

local profile = {}

-- What the field key_command has to be.
local KEY_COMMAND = [=[key_command must be a list, such as ["pass", "show", "confident"]]=]

local FIELDS = { api_key = "string", key_command = "table", base_url = "string", region = "string", timeout = "number",
  ca_file = "string" }

-- Bytes that a configuration file may have.
local LARGEST = 65536

local function refuse(message, next)
  failure.raise { kind = "config", message = message, exit = status.usage,
    next = next or "the format of profiles: confidentai manual | man -l -, or docs/command.md" }
end

---Where the configuration file is.
---@return string? path
function profile.path()
  local base, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if base and base:sub(1, 1) == "/" then
    return base .. "/confidentai/config.json"
  end
  return home and home:sub(1, 1) == "/" and home .. "/.config/confidentai/config.json" or nil
end

-- The content of the file; nil when it is not there. It may hold keys, and commands that are run: it is refused when
-- others can read it, or when it is another user's, who would say what is run as this one (with sudo, for example).
local function read(path)
  local content, facts, name = core.file.read(path, LARGEST)
  if not content then
    if name == "ENOENT" then
      return nil
    end
    refuse(("the configuration file %s cannot be read: %s"):format(path, facts))
  elseif not facts.own and facts.uid ~= 0 then
    refuse(("the configuration file %s belongs to another user (uid %.0f)"):format(path, facts.uid),
      "run the command as that user, or set XDG_CONFIG_HOME to a folder of your own")
  elseif facts.mode % 64 ~= 0 then
    refuse(("the configuration file %s is open to others (mode %03o)"):format(path, facts.mode % 512),
      "chmod 600 " .. path)
  end
  return (content:gsub("^\239\187\191", "")) -- the mark of UTF-8 that some editors write
end

-- What the file says; ends the command where that is no JSON, and says in which line.
local function decode(path, content)
  local ok, config = pcall(require("cjson").new().decode, content)
  if not ok then
    local at = tonumber(tostring(config):match "character (%d+)")
    local _, above = content:sub(1, (at or 1) - 1):gsub("\n", "")
    refuse(("the configuration file %s is not valid JSON%s"):format(path,
      at and (": see line %d"):format(above + 1) or ""))
  elseif type(config) ~= "table" or type(config.profiles) ~= "table" then
    refuse(("the configuration file %s is not valid: expected {\"profiles\": {...}}"):format(path))
  end
  return config
end

local function check(path, name, found)
  if type(found) ~= "table" then
    refuse(("the configuration file %s has no profile '%s'"):format(path, name))
  end
  for field, value in pairs(found) do
    if type(value) ~= FIELDS[field] then
      refuse(("profile '%s': %s"):format(name, field == "key_command" and KEY_COMMAND
        or FIELDS[field] and ("%s must be a %s"):format(field, FIELDS[field])
        or ("unknown field '%s'"):format(tostring(field))))
    end
  end
  if found.timeout and not (found.timeout > 0 and found.timeout < math.huge) then
    refuse(("profile '%s': timeout must be a number of seconds above 0"):format(name))
  elseif not found.base_url and not found.region then
    refuse(("profile '%s' needs base_url or region"):format(name))
  elseif not found.api_key and not found.key_command then
    refuse(("profile '%s' needs key_command or api_key"):format(name))
  end
  return found
end

-- The key that a command prints. It runs beside the configuration file, wherever this program was started.
local function run(path, name, command)
  local ok, store = pcall(require("confidentai").store.exec, { command = command, check = command,
    name = "key_command", folder = path:match "^(.*)/" })
  if not ok then
    refuse(("profile '%s': %s"):format(name, KEY_COMMAND))
  end
  local driver = require("confidentai.cli.interruption").driver
  local key, message = store:get { pause = function(seconds) require "confidentai.pause"(driver, seconds) end }
  if not key then
    refuse(("the key_command of profile '%s' printed no key: %s"):format(name, message or "its output is empty"))
  end
  return key
end

local function load(name)
  local path = profile.path()
  local content = path and read(path)
  if not content then
    refuse(path and "there is no configuration file " .. path
      or "HOME is not set to an absolute path, so there is no configuration file")
  end
  local found = check(path, name, decode(path, content).profiles[name])
  -- Not by the option region, before which CONFIDENT_BASE_URL goes: the key would be sent there.
  local base_url = found.base_url or require("confidentai.base_url").of_region(found.region)
  if not base_url then
    refuse(("profile '%s': region must be US, EU or AU"):format(name))
  end
  local api_key = found.api_key or run(path, name, found.key_command)
  return { api_key = api_key, base_url = base_url, timeout = found.timeout, ca_file = found.ca_file }
end

---The options of the client. With a profile nothing else says who and where.
---@param arguments table parsed
---@return table options of confidentai.new
function profile.options(arguments)
  local environment = require "confidentai.environment"
  local name = arguments.profile or environment.get "CONFIDENT_PROFILE"
  if not name then
    local elsewhere = arguments.region and not arguments.base_url and environment.get "CONFIDENT_BASE_URL"
    if elsewhere then -- it would go before the region: who writes one does not mean what a trial has left there
      refuse("--region cannot be used while CONFIDENT_BASE_URL is set",
        "unset CONFIDENT_BASE_URL, or remove --region")
    end
    return { base_url = arguments.base_url, region = arguments.region, ca_file = arguments.ca_file }
  elseif arguments.base_url or arguments.region then
    refuse("--profile cannot be used with --base-url or --region: a profile has a service of its own",
      "remove --base-url and --region, or --profile")
  end
  local options = load(name)
  options.ca_file = arguments.ca_file or options.ca_file
  return options
end

return profile
