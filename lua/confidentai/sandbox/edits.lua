-- SPDX-License-Identifier: Apache-2.0
-- What somebody else does to the keys while a request is on its way: the faults of type `edit`.

local json = require "confidentai.sandbox.json"

local edits = {}

local operation_of = { create = "create", delete = "delete", enable = "update", disable = "update" }
local body_of = { enable = "{\"valid\":true}", disable = "{\"valid\":false}" }

-- The keys that the edit is about: those of the request, unless it says otherwise.
local function key_set(service, fault, request)
  local scope = fault.target_scope or fault.target_project_id and "project" or request.scope or "organization"
  if scope == "organization" then return service.organization.keys end
  local project = service:project(fault.target_project_id or request.project_id)
  return project and project.keys
end

-- The id to edit: the one given, that of the newest key whose name matches, or that of the request's own key.
local function target_of(keys, fault, request, entry)
  if fault.target then return tostring(fault.target) end
  if not fault.target_name then return request.key_id or entry.change and tostring(entry.change.key_id) end
  for index = #keys.list, 1, -1 do
    local key = keys.list[index]
    -- Some malformed patterns only show when they meet a subject: they hit nothing.
    local ok, found = pcall(string.find, key.name or "", fault.target_name)
    if ok and found then return tostring(key.id) end
  end
end

---Makes one edit and notes it in the log. One that finds no key is there too, as not applied.
---@param changes table of changes.lua
---@param fault table
---@param request table during which it happens
---@param entry table of that request in the log
function edits.make(changes, fault, request, entry)
  local service = changes.service
  local keys = key_set(service, fault, request)
  local key_id
  if keys and fault.change ~= "create" then key_id = target_of(keys, fault, request, entry) end
  local edit = {
    operation = operation_of[fault.change], scope = keys and keys.scope, project_id = keys and keys.project_id,
    key_id = key_id, content_type = "application/json", credential = { name = "somebody" },
    body = body_of[fault.change] or json.encode { name = fault.name },
  }
  local noted = changes.journal:add {
    at = service.clock.real(), time = service:now(), by = "somebody", during = entry.n, fault = fault.type,
    operation = edit.operation, scope = edit.scope, project_id = edit.project_id, key_id = key_id, applied = false,
  }
  if keys and (key_id or fault.change == "create") then changes:carry_out(edit, noted) end
end

return edits
