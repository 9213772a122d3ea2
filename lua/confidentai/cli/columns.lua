-- SPDX-License-Identifier: Apache-2.0
-- The columns of keys and of projects, which several verbs show. Their names are the stable contract of JSON and CSV.

local time = require "confidentai.cli.time"

local columns = {}

-- Only a key that was just created has more than the mask.
local function masked(key)
  return key.has_secret and key:to_table().value or key.value
end

---The columns of ApiKeys.
---@param now number seconds since 1970
---@param with_project? boolean the table shows where a key belongs
---@return confidentai.Column[]
function columns.of_keys(now, with_project)
  return {
    { name = "scope", value = function(key) return key.scope end },
    { name = "project_id", title = with_project and "PROJECT" or nil, shrinks = true,
      value = function(key) return key.project_id end,
      text = function(key) return key.project_id or "(organization)" end },
    { name = "id", title = "ID", value = function(key) return key.id end },
    { name = "name", title = "NAME", shrinks = true, value = function(key) return key.name end },
    { name = "valid", title = "STATE", value = function(key) return key.valid end,
      text = function(key) return key.valid and "enabled" or "disabled", not key.valid and "yellow" or nil end },
    { name = "value", title = "KEY", value = masked, is_mask = true },
    { name = "created_at", title = "CREATED", value = function(key) return key.created_at end,
      text = function(key) return time.ago(key.created_at, now) end },
    { name = "last_used", title = "LAST USED", value = function(key) return key.last_used end,
      text = function(key) return time.ago(key.last_used, now) end },
  }
end

---The columns of a key that was deleted: { key, deleted }.
---@type confidentai.Column[]
columns.of_deleted = {
  { name = "scope", value = function(record) return record.key.scope end },
  { name = "project_id", value = function(record) return record.key.project_id end },
  { name = "id", title = "ID", value = function(record) return record.key.id end },
  { name = "name", title = "NAME", value = function(record) return record.key.name end },
  { name = "deleted", title = "STATE", value = function(record) return record.deleted end,
    text = function() return "deleted" end },
  { name = "last_used", value = function(record) return record.key.last_used end },
}

---The columns of projects.
---@param now number seconds since 1970
---@return confidentai.Column[]
function columns.of_projects(now)
  return {
    { name = "id", title = "ID", value = function(project) return project.id end },
    { name = "name", title = "NAME", shrinks = true, value = function(project) return project.name end },
    { name = "description", title = "DESCRIPTION", shrinks = true,
      value = function(project) return project.description end },
    { name = "organization_id", value = function(project) return project.organization_id end },
    { name = "created_at", title = "CREATED", value = function(project) return project.created_at end,
      text = function(project) return time.ago(project.created_at, now) end },
  }
end

return columns
