-- SPDX-License-Identifier: Apache-2.0
-- A store that is one variable of a .env file: its line is changed, and the rest of the file stays byte for byte. The
-- file is replaced as a whole, as by the store `file`.

local argument = require "confidentai.argument"
local dotenv = require "confidentai.store.dotenv"
local target = require "confidentai.store.target"

local env_file = {}

local fields = { path = "string", variable = "string" }

---@class confidentai.EnvFileOptions
---@field path string of the file; a relative one is taken from the current folder, now
---@field variable string letters, digits and underscores

local Store = {}
Store.__index = Store

-- The content of the file, false without one, and the line of the variable, false without one; or nil and why not.
local function look(spec)
  local content, message = target.read(spec.path)
  if content == nil then
    return nil, target.problem(spec.path) or message
  end
  local line
  line, message = dotenv.find(content or "", spec.variable)
  if line == nil then
    return nil, message
  end
  return content, line
end

---Finds out whether a put could succeed. Changes nothing: a temporary file is made in the folder and removed.
---@return boolean? true
---@return string? message
function Store:preflight()
  local content, message = look(self.spec)
  local changed = content
  if content ~= nil then
    changed, message = dotenv.set(content, self.spec.variable, "secret") -- where a new line goes, too
  end
  if changed ~= nil then
    local done
    done, message = target.rehearse(self.spec.path, #(content or "") + 4096)
    if done then
      return true
    end
  end
  return nil, ("%s: %s"):format(self.label, message)
end

Store.remedy = target.remedy

---The value of the variable, without quotes.
---@return string|false|nil text false: no line sets it; nil: it cannot be told
---@return string? message
function Store:get()
  local content, line = look(self.spec)
  if content == nil then
    return nil, ("%s: %s"):format(self.label, line)
  end
  return line and line.text
end

---Sets the variable; false removes the line that a put has added.
---@param text string|false
---@return boolean? true
---@return string? message
---@return "failed"|"unknown"|nil certainty
function Store:put(text)
  local variable = self.spec.variable
  local done, message, certainty = target.change(self, function(content)
    local changed, problem
    if text then
      changed, problem = dotenv.set(content, variable, text)
    else
      changed, problem = dotenv.unset(content, variable)
    end
    if changed and #changed > target.LARGEST then
      return nil, ("it would have more than %.0f bytes"):format(target.LARGEST)
    end
    return changed, problem
  end)
  return done, message, certainty
end

function Store:__tostring()
  return "confidentai.store " .. self.label
end

---Makes a store of a variable in a .env file. Touches nothing. Raises when an option is unknown, missing or of a wrong
---type.
---@param options confidentai.EnvFileOptions
---@return confidentai.Store store
function env_file.new(options)
  argument.fields(1, "env_file", options, fields, "path")
  local variable = options.variable
  if not variable then
    argument.refuse(1, "env_file", "field 'variable' is missing")
  elseif not variable:find "^[A-Za-z_][A-Za-z0-9_]*$" then
    argument.refuse(1, "env_file", "field 'variable': a name of letters, digits and underscores is expected")
  end
  local path = target.path("env_file", options.path)
  return setmetatable({
    kind = "env_file", label = ("env_file:%s#%s"):format(path, variable), readable = true,
    spec = { kind = "env_file", path = path, variable = variable },
  }, Store)
end

return env_file
