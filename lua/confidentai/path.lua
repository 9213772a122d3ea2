-- SPDX-License-Identifier: Apache-2.0
-- Paths of the service, as segments that the core escapes (docs/platform.md).

local path = {}

---The keys of a scope, or one of them.
---@param api_keys confidentai.ApiKeys
---@param id? string
---@return string[]
function path.of_keys(api_keys, id)
  if api_keys.scope == "organization" then
    return { "v1", "organization", "api-keys", id }
  end
  return { "v1", "projects", api_keys.project_id, "api-keys", id }
end

return path
