-- SPDX-License-Identifier: Apache-2.0
-- A store in memory, with a file beside it that the sandbox looks into. Puts can fail, or take effect later.

local confidentai = require "confidentai"
local files = require "spec.files"

local store = {}

local Store = {}
Store.__index = Store

---@param world table of world.lua
---@param name string
---@param path string of the file that shows what it holds
---@param secret string that it holds at first
function store.new(world, name, path, secret)
  local self = setmetatable({ world = world, name = name, path = path, faults = {} }, Store)
  self:hold(secret)
  return self
end

---Sets what it holds.
---@param content string|nil
---@param by_person? boolean a person wrote it
function Store:hold(content, by_person)
  self.content, self.by_person = content, by_person
  files.write(self.path, content or "")
end

-- What a put comes to: a fault of the queue, or it takes effect.
local function put(self, content)
  local fault = table.remove(self.faults, 1)
  if not fault or fault == "none" then
    self:hold(content)
    return true
  elseif fault == "refused" then
    return nil, "no room", "failed"
  elseif fault == "lost" then
    self:hold(content)
    return nil, "the answer was lost"
  end
  self.world:at(self.world.ahead + fault, function() self:hold(content) end)
  return nil, "timed out"
end

---The store as a process sees it.
---@param process table whose boundary() raises where it dies
---@return confidentai.Store
function Store:of(process)
  return confidentai.store.callback {
    name = self.name,
    get = function()
      process.boundary()
      if self.unreadable then
        return nil, "it cannot be read now"
      end
      return self.content or false
    end,
    put = function(content)
      process.boundary()
      local ok, problem, certainty = put(self, content)
      process.boundary()
      return ok, problem, certainty
    end,
  }
end

return store
