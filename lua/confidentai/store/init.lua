-- SPDX-License-Identifier: Apache-2.0
-- Stores: where a new secret goes, so that its users find it. confidentai.store.file{ path = "..." } makes one; each
-- kind is a module of its own, loaded when it is first asked for.

---Where a secret is kept for its users, made by a function of confidentai.store.
---@class confidentai.Store
---@field kind "file"|"env_file"|"exec"|"callback"
---@field label string for people and records: which store this is; no secret
---@field readable boolean whether get can tell what is stored
---@field spec? table of JSON values from which revive makes it again; nil: it has to be given again
---Finds out whether a put could succeed, without changing anything: true, or nil and a message.
---@field preflight fun(self: confidentai.Store, context: table): true?, string?
---Gives the words of a command that mends what a preflight has found; nil: there is none.
---@field remedy? fun(self: confidentai.Store): string[]?
---What is stored: text; false when there is nothing; nil and a message when it cannot be told.
---@field get fun(self: confidentai.Store, context: table): string|false|nil, string?
---Stores text, or, for false, takes away what was stored: true, or nil, a message, and "failed" (certainly not stored)
---or "unknown".
---@field put fun(self: confidentai.Store, text: string|false, context: table): true?, string?, string?

local KINDS = { file = true, env_file = true, exec = true, callback = true }

local store = setmetatable({}, { __index = function(self, kind)
  if not KINDS[kind] then
    return nil
  end
  local made = require("confidentai.store." .. kind).new
  rawset(self, kind, made)
  return made
end })

-- Whether a spec means the same in any folder: one that does not would hand the secret to what lies in this one.
local function is_absolute(spec)
  local places = spec.kind == "exec" and { spec.folder or "", (spec.command or {})[1] or "", (spec.check or spec.command
    or {})[1] or "" } or { spec.path or "" }
  for _, place in ipairs(places) do
    if type(place) ~= "string" or place:sub(1, 1) ~= "/" then
      return false
    end
  end
  return true
end

---Makes a store again.
---@param spec any the spec of a store, perhaps through JSON
---@return confidentai.Store? store
---@return string? message the spec is that of no store
function store.revive(spec)
  if type(spec) ~= "table" or not KINDS[spec.kind] or spec.kind == "callback" or not is_absolute(spec) then
    return nil, "this describes no store that can be made again"
  end
  local options = {}
  for name, value in pairs(spec) do
    if name ~= "kind" then
      options[name] = value
    end
  end
  local ok, made = pcall(store[spec.kind], options)
  if not ok then
    return nil, ("this describes no store that can be made again: %s"):format(tostring(made))
  end
  return made
end

return store
