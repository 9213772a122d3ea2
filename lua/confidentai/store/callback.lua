-- SPDX-License-Identifier: Apache-2.0
-- A store of the user's own, by two functions:
--
--   put(secret)   stores it, and returns true. Anything else is a failure: nil or false, a message, and, if it knows,
--                 "failed" (certainly not stored); without that, it may be stored. put(nil) empties the place.
--   get()         returns the secret; false where nothing is stored; or nil and a message, when it cannot be told.
--
-- They may wait as their host allows. An error that one raises is a failure, too; messages have the secret covered.

local argument = require "confidentai.argument"
local core = require "confidentai.core"

local callback = {}

-- How much of a callback's message goes into ours, in bytes.
local LONGEST_COMPLAINT = 400

local fields = { name = "string", put = "function", get = "function" }

---@class confidentai.CallbackOptions
---@field name string for people and records; no secret
---Stores the secret, or, for nil, empties the place: true. Else nil, a message, and "failed" if certainly nothing was
---stored.
---@field put fun(secret: string?): boolean?, string?, string?
---@field get? fun(): string|false|nil, string? what is stored; false: nothing; nil and a message: it cannot be told

local Store = {}
Store.__index = Store

-- The functions are no fields of the store: they hold what is the user's, and a dump of a store shows its fields.
local functions = setmetatable({}, { __mode = "k" })

-- A callback's word about its failure, fit for a message: ": ..." or "". It may be any value, one whose __tostring
-- raises too.
local function complaint(value, secret)
  local ok, text = pcall(tostring, value)
  if value == nil or not ok or type(text) ~= "string" then
    return ""
  end
  text = core.redact(text, secret or nil)
  if #text > LONGEST_COMPLAINT then
    text = text:sub(1, LONGEST_COMPLAINT):gsub("[\192-\255][\128-\191]*$", "") .. "..."
  end
  return text == "" and "" or ": " .. text
end

-- Calls get: its text or false; or nil and why there is none.
local function read(store)
  local ok, value, message = pcall(functions[store].get)
  if not ok then
    return nil, ("%s: its get raised an error%s"):format(store.label, complaint(value))
  elseif value == nil then
    return nil, ("%s: its get failed%s"):format(store.label, complaint(message))
  elseif value ~= false and type(value) ~= "string" then
    return nil, ("%s: its get returned a %s, where a string, false or nil is expected"):format(store.label, type(value))
  end
  return value ~= "" and value
end

---Finds out whether the store will do: it can be read, if there is a get.
---@return boolean? true
---@return string? message
function Store:preflight()
  if self.readable then
    local value, message = read(self)
    if value == nil then
      return nil, message
    end
  end
  return true
end

---What is stored.
---@return string|false|nil text false: nothing; nil: it cannot be told
---@return string? message
function Store:get()
  if not self.readable then
    return nil, self.label .. ": cannot be read, as it has no get"
  end
  local value, message = read(self)
  return value, message
end

---Stores a secret, or, for false, empties the place.
---@param text string|false
---@return boolean? true
---@return string? message
---@return "failed"|"unknown"|nil certainty "failed": certainly not stored
function Store:put(text)
  local ok, value, message, certainty = pcall(functions[self].put, text or nil)
  if not ok then
    return nil, ("%s: its put raised an error%s"):format(self.label, complaint(value, text)), "unknown"
  elseif value == true then
    return true
  elseif value then
    return nil, ("%s: its put returned a %s, where true is expected"):format(self.label, type(value)), "unknown"
  end
  return nil, ("%s: its put failed%s"):format(self.label,
    message == nil and ": it returned neither true nor a message" or complaint(message, text)),
    certainty == "failed" and "failed" or "unknown"
end

function Store:__tostring()
  return "confidentai.store " .. self.label
end

---Makes a store of functions. It cannot be written down: whoever resumes a rotation gives it again, under its name.
---Raises when an option is unknown, missing or of a wrong type. Calls nothing.
---@param options confidentai.CallbackOptions
---@return confidentai.Store store
function callback.new(options)
  argument.fields(1, "callback", options, fields, "name")
  if not options.put then
    argument.refuse(1, "callback", "field 'put' is missing")
  elseif options.name == "" or options.name:find "%c" then
    argument.refuse(1, "callback", "field 'name': a text of one line is expected")
  end
  local store = setmetatable({
    kind = "callback", label = "callback:" .. options.name, readable = options.get ~= nil,
  }, Store)
  functions[store] = { put = options.put, get = options.get }
  return store
end

return callback
