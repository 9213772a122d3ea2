-- SPDX-License-Identifier: Apache-2.0
-- A store that is a file with the secret and nothing else, but perhaps a line end. It is replaced as a whole: whoever
-- opens it sees the old secret or the new one. Owner, group, mode and extended attributes stay.

local argument = require "confidentai.argument"
local target = require "confidentai.store.target"

local file = {}

local fields = { path = "string" }

-- The longest text, in bytes: beside it there may be a line end.
local LONGEST = target.LARGEST - 2

---@class confidentai.FileOptions
---@field path string of the file; a relative one is taken from the current folder, now

local Store = {}
Store.__index = Store

-- The text without one line end, and the line end.
local function split(content)
  local text, ending = content:match "^(.-)(\r?\n)$"
  return text or content, ending or ""
end

-- The content that holds a text, with the line end that was there if the text can be told from it.
local function join(text, ending)
  for _, choice in ipairs { ending, "\n" } do
    if split(text .. choice) == text then
      return text .. choice
    end
  end
  return nil, "the text ends in a half line end, which cannot be told from the file's own"
end

---Finds out whether a put could succeed. Changes nothing: a temporary file is made in the folder and removed.
---@return boolean? true
---@return string? message
function Store:preflight()
  local content, message = target.read(self.spec.path)
  if content ~= nil then
    local done
    done, message = target.rehearse(self.spec.path, 4096)
    if done then
      return true
    end
  end
  return nil, ("%s: %s"):format(self.label, target.problem(self.spec.path) or message)
end

Store.remedy = target.remedy

---What the file holds, without one line end.
---@return string|false|nil text false: there is no file; nil: it cannot be told
---@return string? message
function Store:get()
  local content, message = target.read(self.spec.path)
  if content == nil then
    return nil, ("%s: %s"):format(self.label, message)
  end
  return content and (split(content))
end

---Writes a text, with the line end that was there; false removes the file.
---@param text string|false
---@return boolean? true
---@return string? message
---@return "failed"|"unknown"|nil certainty
function Store:put(text)
  if text and #text > LONGEST then
    return nil, ("%s: the text has more than %.0f bytes"):format(self.label, LONGEST), "failed"
  end
  local done, message, certainty = target.change(self, function(content)
    if not text then
      return false
    end
    local _, ending = split(content or "")
    local joined, problem = join(text, ending)
    return joined, problem
  end)
  return done, message, certainty
end

function Store:__tostring()
  return "confidentai.store " .. self.label
end

---Makes a store of a file. Touches nothing. Raises when an option is unknown, missing or of a wrong type.
---@param options confidentai.FileOptions
---@return confidentai.Store store
function file.new(options)
  argument.fields(1, "file", options, fields, "path")
  local path = target.path("file", options.path)
  return setmetatable({
    kind = "file", label = "file:" .. path, readable = true, spec = { kind = "file", path = path },
  }, Store)
end

return file
