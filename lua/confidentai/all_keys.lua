-- SPDX-License-Identifier: Apache-2.0
-- The keys of every scope: of the organization and of all its projects, asked for at once.

local core = require "confidentai.core"
local gather = require "confidentai.gather"

local all_keys = {}

-- The scopes of a client: the organization's keys, then each project's.
local function scopes_of(client)
  local projects, err = client.projects:list()
  if not projects then
    return nil, err
  end
  local scopes = { { api_keys = core.organization(client).api_keys } }
  for _, project in ipairs(projects) do
    scopes[#scopes + 1] = { api_keys = core.project(client, project.id).api_keys, project = project }
  end
  return scopes
end

---Lists the keys of every scope.
---@param client confidentai.Client
---@param concurrency? integer lists at once; default 16
---@return { api_keys: confidentai.ApiKeys, project: table?, keys: confidentai.ApiKey[]?, err: confidentai.Error? }[]?
---scopes the organization first; those that could not be read have an err
---@return confidentai.Error? err the projects could not be listed
function all_keys.list(client, concurrency)
  local scopes, err = scopes_of(client)
  if not scopes then
    return nil, err
  end
  local tasks = {}
  for i, scope in ipairs(scopes) do
    tasks[i] = function()
      local keys, problem = scope.api_keys:list()
      return keys, problem
    end
  end
  local results, errors = gather.gather(tasks, { concurrency = concurrency or 16 })
  for i, scope in ipairs(scopes) do
    scope.keys, scope.err = results[i], errors[i]
  end
  return scopes
end

return all_keys
