-- SPDX-License-Identifier: Apache-2.0
-- The keys of every scope: of the organization and of all its projects, asked for at once.

local core = require "confidentai.core"
local gather = require "confidentai.gather"

local all_keys = {}

-- Lists at once. 200 projects take four round trips; a service that limits rates has its clients wait, and they do.
all_keys.CONCURRENCY = 64

---@class confidentai.KeyScope
---@field api_keys confidentai.ApiKeys
---@field project? table as of project:get(); nil: the organization
---@field keys? confidentai.ApiKey[]
---@field err? confidentai.Error why they could not be listed

---The keys of one scope, as a record names it.
---@param client confidentai.Client
---@param place { scope: "organization"|"project", project_id: string? }
---@return confidentai.ApiKeys
function all_keys.of(client, place)
  local scope = place.scope == "organization" and core.organization(client) or core.project(client, place.project_id)
  return scope.api_keys
end

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

---Lists the keys of every scope and shows each to a function as soon as it is there, in no order. Keys that the
---function does not keep are let go, so that those of a whole organization need not be held at once. It must not wait;
---what it raises is raised.
---@param client confidentai.Client
---@param see fun(scope: confidentai.KeyScope, index: integer, done: integer, total: integer) index: 1 is the
---organization; done: scopes seen by now, this one included
---@param concurrency? integer lists at once; default 64
---@return integer? total how many scopes there are
---@return confidentai.Error? err the projects could not be listed
function all_keys.visit(client, see, concurrency)
  local scopes, err = scopes_of(client)
  if not scopes then
    return nil, err
  end
  local tasks, done = {}, 0
  for i, scope in ipairs(scopes) do
    tasks[i] = function()
      scope.keys, scope.err = scope.api_keys:list()
      done = done + 1
      see(scope, i, done, #scopes)
      scopes[i] = false
      return true
    end
  end
  local _, errors = gather.gather(tasks,
    { concurrency = concurrency or all_keys.CONCURRENCY, driver = core.environment(client).driver })
  for _, problem in pairs(errors) do
    error(problem, 0)
  end
  return #scopes
end

---Lists the keys of every scope.
---@param client confidentai.Client
---@param concurrency? integer lists at once; default 64
---@return confidentai.KeyScope[]? scopes the organization first; those that could not be read have an err
---@return confidentai.Error? err the projects could not be listed
function all_keys.list(client, concurrency)
  local scopes = {}
  local total, err = all_keys.visit(client, function(scope, index)
    scopes[index] = scope
  end, concurrency)
  if not total then
    return nil, err
  end
  return scopes
end

return all_keys
