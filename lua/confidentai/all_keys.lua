-- SPDX-License-Identifier: Apache-2.0
-- The keys of every scope: of the organization and of all its projects, asked for at once.

local core = require "confidentai.core"
local gather = require "confidentai.gather"

local all_keys = {}

-- Lists at once. 200 projects take four round trips; a service that limits rates has its clients wait, and they do.
all_keys.CONCURRENCY = 64

---@class confidentai.KeyScope
---@field scope "organization"|"project"
---@field api_keys? confidentai.ApiKeys nil: the project's id could not be read
---@field project? table as of project:get(), or what could be read of it; nil: the organization
---@field keys? confidentai.KeyList
---@field err? confidentai.Error why they could not be listed; with `keys`: why some are not among them

---The keys of one scope, as a record names it.
---@param client confidentai.Client
---@param place { scope: "organization"|"project", project_id: string? }
---@return confidentai.ApiKeys
function all_keys.of(client, place)
  local scope = place.scope == "organization" and core.organization(client) or core.project(client, place.project_id)
  return scope.api_keys
end

---Says what could not be read of a list. Nobody may conclude from it that something is not there.
---@param what string plural: what was listed
---@param list { unreadable: confidentai.UnreadableRecord[]? }
---@return confidentai.Error? err nil: everything was read
function all_keys.problem(what, list)
  if not list.unreadable then
    return nil
  end
  local parts = {}
  for i, record in ipairs(list.unreadable) do
    local id = type(record.id) == "number" and ("%.0f"):format(record.id) or record.id
    parts[i] = ("%s: %s"):format(id or "the one at place " .. record.place, record.problem)
  end
  return core.failure { kind = "protocol", message = ("%d of the %s could not be read (%s)"):format(#parts, what,
    table.concat(parts, "; ")) }
end

-- The scopes of a client: the organization's keys, then each project's. The keys of a project whose record could not be
-- read are looked for by its id.
local function scopes_of(client)
  local projects, err = client.projects:list()
  if not projects then
    return nil, err
  end
  local scopes = { { scope = "organization", api_keys = core.organization(client).api_keys } }
  local function add(project, problem)
    local id = type(project.id) == "number" and ("%.0f"):format(project.id) or project.id
    scopes[#scopes + 1] = { scope = "project", project = project, err = problem,
      api_keys = id and core.project(client, id).api_keys or nil }
  end
  for _, project in ipairs(projects) do
    add(project)
  end
  for _, record in ipairs(projects.unreadable or {}) do
    add({ id = record.id, name = ("the project at place %d of the list"):format(record.place) },
      not record.id and core.failure { kind = "protocol", message = record.problem } or nil)
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
      if scope.api_keys then
        scope.keys, scope.err = scope.api_keys:list()
        scope.err = scope.err or all_keys.problem("keys", scope.keys)
      end
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
