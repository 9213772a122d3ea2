-- SPDX-License-Identifier: Apache-2.0
-- The platform in memory: an organization, its projects and their keys. It knows nothing of sockets; see
-- operations.lua for the calls.

local Keys = require "confidentai.sandbox.keys"
local name_forms = require "confidentai.sandbox.name_forms"
local Random = require "confidentai.sandbox.random"
local settings = require "confidentai.sandbox.settings"

local Service = {}
Service.__index = Service

---Seconds since 1970, with the fraction, on the service's own clock.
---@return number seconds
function Service:now()
  return self.clock:now()
end

local kinds = { organization = "org", project = "proj", global = "global" }

local function new_secret(self, scope)
  -- The length varies, so that "=" and "==" occur at the end, and neither.
  return "confident_us_" .. kinds[scope] .. "_" .. self.random:base64(31 + self.random:byte() % 3)
end

---Notes that something changed: lists of earlier revisions stay available.
---@return number revision
function Service:advance()
  self.revision = self.revision + 1
  self.revision_times[self.revision] = self:now()
  self.changed = true
  return self.revision
end

---The revision that was current some time ago.
---@param seconds number
---@return number revision
function Service:revision_before(seconds)
  local moment = self:now() - seconds
  for revision = self.revision, 1, -1 do
    local at = self.revision_times[revision]
    if not at or at <= moment then return revision end
  end
  return 0
end

---Adds a key with a fresh id and secret. The settings of now say when it begins to work and to be listed.
---@param keys table of organization or project
---@param name string
---@param created_by? string
---@param expires_at? number seconds since 1970
---@return table key
function Service:create_key(keys, name, created_by, expires_at)
  local secret = new_secret(self, keys.scope)
  local key = keys:add({
    id = keys:take_id(), name = name and name_forms.write(name, self.settings.names), secret = secret,
    created_at = self:now(), created_by = created_by, expires_at = expires_at,
  }, self:advance())
  local set = self.settings
  if set.propagation > 0 then key.works_from = self:now() + set.propagation end
  if set.list_delay > 0 then key.listed_from = self:now() + set.list_delay end
  self.secrets[secret] = key
  return key
end

---Removes a key for good.
---@param key table
function Service:delete_key(key)
  local keys = key.project_id and self:project(key.project_id).keys or self.organization.keys
  keys:remove(key, self:advance())
end

---Whether a secret of a key authenticates.
---@param key table
---@param secret string one that the key has or had
---@return boolean
function Service:works(key, secret)
  local now = self:now()
  if key.scope == "global" then return self.settings.global_keys == "valid" end
  return key.valid and not key.died and (secret == key.secret or secret == key.shadow)
    and (key.works_from or 0) <= now and (key.expires_at or math.huge) > now
end

---The key that a credential belongs to.
---@param secret? string
---@return table? key nil when missing, unknown, deleted, disabled, expired, replaced, or not known everywhere yet
function Service:authenticate(secret)
  local key = secret and self.secrets[secret]
  return key and self:works(key, secret) and key or nil
end

---Gives a key another secret, under the same id: at once, or from the end of a grace on, when the next list of its keys
---completes that.
---@param key table
---@param grace? number seconds
function Service:rotate_key(key, grace)
  local secret = new_secret(self, key.scope)
  self:advance()
  self.secrets[secret] = key
  if grace then
    key.shadow, key.rotates_at = secret, self:now() + grace
  else
    key.former = key.former or {}
    table.insert(key.former, key.secret)
    key.secret = secret
  end
end

---Completes the rotations of keys whose grace is over.
---@param keys table of organization or project
function Service:complete_rotations(keys)
  for _, key in ipairs(keys.list) do
    if key.rotates_at and key.rotates_at <= self:now() then
      self:advance()
      key.former = key.former or {}
      table.insert(key.former, key.secret)
      key.secret, key.shadow, key.rotates_at = key.shadow, nil, nil
    end
  end
end

---Whether lists show a key that exists.
---@param key table
---@return boolean
function Service:lists(key)
  return (key.listed_from or 0) <= self:now()
end

-- Shows the uses of a key that have waited long enough.
local function settle_uses(self, key)
  local uses, moment = key.uses, self:now() - self.settings.last_used_delay
  while uses[1] and uses[1] <= moment do key.last_used = table.remove(uses, 1) end
end

---Notes that a key was used, in the way that the settings say.
---@param key table
function Service:touch(key)
  local mode = self.settings.last_used
  if mode == "late" then
    key.uses = key.uses or {}
    table.insert(key.uses, self:now())
    settle_uses(self, key)
  elseif mode == "throttled" then
    local since = self:now() - (key.last_used or -math.huge)
    if since >= self.settings.last_used_delay then key.last_used = self:now() end
  elseif mode == "normal" or mode == "future" then
    key.last_used = self:now() + (mode == "future" and 3600 or 0)
  end
  self.changed = true
end

---When a key was last used, as the service shows it.
---@param key table
---@return number? seconds since 1970
function Service:last_used(key)
  if self.settings.last_used == "never" then return nil end
  if key.uses then settle_uses(self, key) end
  return key.last_used
end

---The project of an id.
---@param id string
---@return table? project { id, name, description, created_at, keys }
function Service:project(id)
  for _, project in ipairs(self.projects) do
    if project.id == id then return project end
  end
end

local function add_project(self, name)
  local project = {
    id = self.random:id(), name = name, description = "The project " .. name, created_at = self:now(),
  }
  project.keys = Keys.new("project", project.id)
  self.projects[#self.projects + 1] = project
  self:create_key(project.keys, "Default Key", "system")
  return project
end

local function populate(self, project_names)
  self.organization = {
    id = self.random:id(), name = "Sandbox", plan = "TEAM", created_at = self:now(),
    keys = Keys.new("organization"),
  }
  self:create_key(self.organization.keys, "manager", "owner@example.com")
  self:create_key(self.organization.keys, "legacy-ci", "owner@example.com")
  for _, name in ipairs(project_names) do add_project(self, name) end
  self.global_secret = new_secret(self, "global")
end

local function blank(self)
  self.projects = {}
  self.secrets = {} -- to the keys, also to those that were deleted
  self.revision, self.revision_times = 0, {}
  self.clock:change { offset = 0 }
  self.settings = settings.defaults()
end

---All sets of keys: the organization's, then those of the projects.
---@return table list
function Service:key_sets()
  local sets = { self.organization.keys }
  for _, project in ipairs(self.projects) do sets[#sets + 1] = project.keys end
  return sets
end

local function export_keys(keys)
  local list = {}
  for index, entry in ipairs(keys:at()) do
    local key = entry.key
    list[index] = {
      id = key.id, name = key.name, valid = key.valid, secret = key.secret, shadow = key.shadow,
      created_at = key.created_at, created_by = key.created_by, last_used = key.last_used,
      expires_at = key.expires_at, rotates_at = key.rotates_at, former = key.former,
    }
  end
  return { next_id = keys.next_id, list = list }
end

---Everything that outlives the process, as plain tables.
---@return table state
function Service:export()
  local organization = self.organization
  local state = {
    version = 2, random = self.random.position, global_secret = self.global_secret,
    organization = {
      id = organization.id, name = organization.name, plan = organization.plan,
      created_at = organization.created_at, keys = export_keys(organization.keys),
    },
    projects = {},
  }
  for index, project in ipairs(self.projects) do
    state.projects[index] = {
      id = project.id, name = project.name, description = project.description,
      created_at = project.created_at, keys = export_keys(project.keys),
    }
  end
  return state
end

local function import_keys(keys, state)
  keys.next_id = state.next_id
  for _, fields in ipairs(state.list) do
    local key = keys:add(fields, 0)
    key.valid, key.last_used = fields.valid, fields.last_used
  end
  return keys
end

-- Finds keys by all secrets that they have or had.
local function index_secrets(self)
  self.secrets = { [self.global_secret] = { scope = "global", name = "global" } }
  for _, keys in ipairs(self:key_sets()) do
    for _, list in ipairs { keys.gone, keys.list } do
      for _, key in ipairs(list) do
        for _, secret in ipairs(key.former or {}) do self.secrets[secret] = key end
        if key.shadow then self.secrets[key.shadow] = key end
        self.secrets[key.secret] = key
      end
    end
  end
end

---Replaces everything by what `export` gave.
---@param state table
function Service:import(state)
  blank(self)
  self.global_secret = state.global_secret
  self.random.position = state.random
  local from = state.organization
  self.organization = { id = from.id, name = from.name, plan = from.plan, created_at = from.created_at }
  self.organization.keys = import_keys(Keys.new("organization"), from.keys)
  for index, project in ipairs(state.projects) do
    self.projects[index] = {
      id = project.id, name = project.name, description = project.description,
      created_at = project.created_at,
      keys = import_keys(Keys.new("project", project.id), project.keys),
    }
  end
  index_secrets(self)
  self.changed = true
end

---Replaces everything by what a snapshot has.
---@param fields table { organization, projects, revision, revision_times, settings, generation, global_secret }
function Service:replace(fields)
  for name, value in pairs(fields) do self[name] = value end
  index_secrets(self)
  self.epoch, self.changed = self.epoch + 1, true
end

---Back to the keys of the start, with the same secrets; deletions and changes since are forgotten.
function Service:reset()
  self:import(self.initial)
  self.epoch = self.epoch + 1
end

---A new service.
---@param options table { projects = names, clock = of clock.lua, seed?, generation, witness_folder?,
---state? = an export }
---@return table service
function Service.new(options)
  local self = setmetatable({
    clock = options.clock, generation = options.generation, witness_folder = options.witness_folder,
  }, Service)
  self.random = Random.new(options.seed)
  blank(self)
  if options.state then
    self:import(options.state)
  else
    populate(self, options.projects)
    index_secrets(self)
  end
  self.initial = self:export()
  -- Changes with a reset, so that what was under way before it can no longer take effect.
  self.epoch = 1
  return self
end

return Service
