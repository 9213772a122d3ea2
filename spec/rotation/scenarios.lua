-- SPDX-License-Identifier: Apache-2.0
-- What is rotated in the matrices: which key, by whom, with which stores and times.

local confidentai = require "confidentai"

local scenarios = {}

local function first_line(path)
  local file = assert(io.open(path))
  local line = file:read "*l"
  file:close()
  return line
end

local function manager(world)
  return world.service.api_key
end

local function file_store(world)
  return confidentai.store.file { path = world.stores[1] }
end

local function organization_keys(client)
  return client:organization().api_keys
end

local AT_ONCE = { soak = 0, grace = 0, settle = 0 }

-- Seconds, so that the clock has to be moved twice.
local SLOWLY = { soak = 20, grace = 20, settle = 0, adoption = "time" }

-- Look-alikes of other people, which have to survive: names that begin as ours do.
local function add_strangers(api_keys, base)
  for _, name in ipairs { base .. "-2", base .. "~g1~aaaaaaaa", base .. "~g0~x", base } do
    confidentai.check(api_keys:create(name))
  end
end

local function client_of(world)
  return confidentai.check(confidentai.new { api_key = world.service.api_key, base_url = world.service.base_url })
end

-- The secret of an organization key, which a user would have been given.
local function secret_of(world, name)
  for _, key in ipairs(assert(world.service:state()).keys) do
    if key.scope == "organization" and key.name == name then
      return key.value
    end
  end
end

local function prepare_organization(name, old_id)
  return function(world, what, write)
    local client = client_of(world)
    add_strangers(client:organization().api_keys, name)
    client:close()
    what.scope, what.old_id, what.base = "organization", old_id, name
    what.stores = { world:folder "store" .. "/key" }
    write(what.stores[1], secret_of(world, name) .. "\n")
  end
end

-- A project's key, in two stores of different kinds.
local function prepare_project(world, what, write)
  local client, project = client_of(world), world.service.projects[1]
  add_strangers(client:project(project.id).api_keys, "Default Key")
  client:close()
  what.scope, what.project_id, what.old_id, what.base = "project", project.id, 1, "Default Key"
  what.stores = { world:folder "store" .. "/key", world:folder "environment" .. "/app.env" }
  write(what.stores[1], project.api_key .. "\n")
  write(what.stores[2], "COLOUR=blue\nCONFIDENT_API_KEY=" .. project.api_key .. "\n")
end

local function project_stores(world)
  return { file_store(world), confidentai.store.env_file { path = world.stores[2], variable = "CONFIDENT_API_KEY" } }
end

local function project_keys(client, world)
  return client:project(world.service.projects[1].id).api_keys
end

local function organization(options)
  return { prepare = prepare_organization("legacy-ci", 2), credential = manager, stores = file_store,
    api_keys = organization_keys, options = options }
end

local function project(options)
  return { prepare = prepare_project, credential = manager, stores = project_stores, api_keys = project_keys,
    options = options }
end

-- The client's own key. `credential`: with which secret a run comes back.
local function own(options, credential)
  return { prepare = prepare_organization("manager", 1), credential = credential, stores = file_store,
    api_keys = organization_keys, options = options }
end

local function from_store(world)
  return first_line(world.stores[1])
end

scenarios.organization = organization(AT_ONCE)
scenarios.project = project(AT_ONCE)
scenarios.own = own(AT_ONCE, manager)
scenarios.organization_slowly = organization(SLOWLY)
scenarios.project_slowly = project(SLOWLY)
scenarios.own_slowly = own(SLOWLY, from_store)

---The same, and from every state on the way somebody goes back.
for _, name in ipairs { "organization_slowly", "project_slowly", "own_slowly" } do
  local back = {}
  for field, value in pairs(scenarios[name]) do
    back[field] = value
  end
  back.back = true
  scenarios[name:gsub("_slowly", "_back")] = back
end

return scenarios
