-- SPDX-License-Identifier: Apache-2.0
-- Where records and escrow live: a folder of this machine, or whatever a user's table of functions reaches.

local core = require "confidentai.core"
local environment = require "confidentai.environment"
local folder = require "confidentai.state.folder"
local location = require "confidentai.store.location"
local poll = require "confidentai.state.poll"

local state = {}

---The functions by which rotations keep their records: a folder's, or a user's own. A user's needs get, cas and list.
---@class confidentai.State
---@field path? string of the folder
---@field path_of? fun(key: string): string where the file of a key is
---Reads a key: its bytes and its version, an opaque text that is another after each write; nil when the key is not
---there; nil and a message when it cannot be read, and true where what is there is damaged.
---@field get fun(key: string): string?, string?, boolean?
---Writes a key if its version is still this one (nil: if it is not there); bytes nil deletes it, overwriting. Returns
---the new version (true for a delete), or nil and "conflict": another version is there; "failed" and a message: it was
---certainly not written; "unknown" and a message: it may have been.
---@field cas fun(key: string, bytes: string?, version: string?): string|true|nil, string?, string?
---The keys that begin with a prefix, sorted; or nil and a message.
---@field list fun(prefix: string): string[]?, string?
---Waits until the version of a key is another: true; false after `timeout` seconds; nil and a message.
---@field wait? fun(key: string, version: string?, timeout: number, pause: fun(seconds: number)): boolean?, string?
---Holds a key for oneself until the returned function is called or the process ends. nil and who holds it; nil, nil and
---a message when it could not be tried. It keeps nobody from cas.
---@field hold? fun(key: string): function?, string?, string?
---Provides for the next cas of a key, of up to `size` bytes, so that a full disk cannot make it fail; what is provided
---goes when the key is deleted. nil and a message when it cannot be.
---@field reserve? fun(key: string, size: number): true?, string?

-- Holds within this Lua state, for a state that has none of its own: its cas still keeps two holders apart.
local function local_hold()
  local held = {}
  return function(key)
    if held[key] then
      return nil, "this process"
    end
    local mine = {}
    held[key] = mine
    return function()
      if held[key] == mine then
        held[key] = nil
      end
    end
  end
end

-- A user's table, with what it may lack.
local function complete(given)
  for _, name in ipairs { "get", "cas", "list" } do
    if type(given[name]) ~= "function" then
      return nil, ("a state needs a function '%s'"):format(name)
    end
  end
  for _, name in ipairs { "wait", "hold", "reserve" } do
    if given[name] ~= nil and type(given[name]) ~= "function" then
      return nil, ("the field '%s' of a state is a function, or absent"):format(name)
    end
  end
  return {
    get = given.get, cas = given.cas, list = given.list,
    wait = given.wait or function(...)
      local changed, message = poll.wait(given.get, ...)
      return changed, message
    end,
    hold = given.hold or local_hold(),
    reserve = given.reserve or function() return true end,
  }
end

-- Returns the folder that the environment names; nil, and what to do: it names none. Only absolute paths count: a
-- relative one would be another folder for each run that is started elsewhere, without the records of this one.
local function default_path()
  -- Of a service manager's list, the first (systemd.exec). It may be a link to where the manager keeps private ones.
  local given = environment.get "STATE_DIRECTORY"
  local first = given and given:match "^[^:]+"
  if first and first:sub(1, 1) ~= "/" then
    return nil, "no state folder: STATE_DIRECTORY is not an absolute path"
  elseif first then
    return core.file.resolve(first) or first
  end
  local base = environment.get "XDG_STATE_HOME"
  if base and base:sub(1, 1) == "/" then -- others are to be ignored (XDG base directory specification)
    return base .. "/confidentai"
  end
  local home = environment.get "HOME"
  if not home or home:sub(1, 1) ~= "/" then
    return nil, ("no state folder: HOME is %s, set STATE_DIRECTORY or the option state_dir"):format(
      home and "not an absolute path" or "not set")
  end
  return home .. "/.local/state/confidentai"
end

---Finds the state that an option names.
---@param option? string|table a folder, or the functions themselves; nil: $STATE_DIRECTORY, else
---  $XDG_STATE_HOME/confidentai, else ~/.local/state/confidentai
---@param allow_temporary? boolean accept a folder whose content is lost at reboot
---@return confidentai.State? state
---@return string? message
function state.find(option, allow_temporary)
  if type(option) == "table" then
    return complete(option)
  end
  local path, problem = option, nil
  if path == nil then
    path, problem = default_path()
  elseif type(path) ~= "string" or path == "" or path:find("\0", 1, true) then
    path, problem = nil, "a state is a folder's path, or a table of functions"
  end
  if option and path then
    path, problem = location.path(path)
    problem = problem and ("the state folder %s: %s"):format(option, problem)
  end
  if not path then
    return nil, problem
  end
  return folder.open(path, allow_temporary)
end

return state
