-- SPDX-License-Identifier: Apache-2.0
-- The platform in memory: an organization, its projects and their keys. It knows nothing of sockets; see
-- operations.lua for the calls.

local Keys = require "confidentai.sandbox.keys"
local Random = require "confidentai.sandbox.random"
local settings = require "confidentai.sandbox.settings"

local Service = {}
Service.__index = Service

local function iso(seconds)
  local whole = math.floor(seconds)
  -- Rounding could give 1000; the platform has milliseconds.
  local milliseconds = math.floor((seconds - whole) * 1000)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. string.format(".%03dZ", milliseconds)
end

---The time as the service writes it.
---@return string time ISO 8601 with milliseconds, Z
function Service:timestamp()
  return iso(self:now())
end

---Seconds since 1970, with the fraction, on the service's own clock.
---@return number seconds
function Service:now()
  return self.clock() + self.clock_offset
end

local function new_secret(self, scope)
  if scope == "organization" then return "confident_us_org_" .. self.random:hex(24) end
  -- The length varies, so that "=" and "==" occur at the end, and neither.
  return "confident_us_proj_" .. self.random:base64(31 + self.random:byte() % 3)
end

---Notes that something changed: lists of earlier revisions stay available.
---@return number revision
function Service:advance()
  self.revision = self.revision + 1
  self.revision_times[self.revision] = self.clock()
  self.changed = true
  return self.revision
end

---The revision that was current some time ago.
---@param seconds number
---@return number revision
function Service:revision_before(seconds)
  local moment = self.clock() - seconds
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
---@return table key
function Service:create_key(keys, name, created_by)
  local secret = new_secret(self, keys.scope)
  local key = keys:add({
    id = self.string_ids and self.random:id() or keys:take_id(),
    name = name, secret = secret, created_at = self:timestamp(), created_by = created_by,
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

---The key that a credential belongs to.
---@param secret? string
---@return table? key nil when missing, unknown, deleted, disabled, or not known everywhere yet
function Service:authenticate(secret)
  local key = secret and self.secrets[secret]
  if not key or key.died or not key.valid or (key.works_from or 0) > self:now() then return nil end
  return key
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
  while uses[1] and uses[1] <= moment do key.last_used = iso(table.remove(uses, 1)) end
end

---Notes that a key was used, in the way that the settings say.
---@param key table
function Service:touch(key)
  local mode = self.settings.last_used
  if mode == "late" then
    key.uses = key.uses or {}
    table.insert(key.uses, self:now())
    settle_uses(self, key)
  elseif mode ~= "never" then
    key.last_used = iso(self:now() + (mode == "future" and 3600 or 0))
  end
  self.changed = true
end

---When a key was last used, as the service shows it.
---@param key table
---@return string? time
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
    id = self.random:id(), name = name, description = "The project " .. name, created_at = self:timestamp(),
  }
  project.keys = Keys.new("project", project.id)
  self.projects[#self.projects + 1] = project
  self:create_key(project.keys, "Default key", "system")
  return project
end

local function populate(self, project_names)
  self.organization = {
    id = self.random:id(), name = "Sandbox", plan = "TEAM", created_at = self:timestamp(),
    keys = Keys.new("organization"),
  }
  self:create_key(self.organization.keys, "manager", "owner@example.com")
  local legacy = self:create_key(self.organization.keys, "legacy-ci", "owner@example.com")
  if self.string_ids then legacy.shadow = new_secret(self, "organization") end
  for _, name in ipairs(project_names) do add_project(self, name) end
end

local function blank(self)
  self.projects = {}
  self.secrets = {} -- to the keys, also to those that were deleted
  self.revision, self.revision_times = 0, {}
  self.clock_offset = 0
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
    }
  end
  return { next_id = keys.next_id, list = list }
end

---Everything that outlives the process, as plain tables.
---@return table state
function Service:export()
  local organization = self.organization
  local state = {
    version = 1, string_ids = self.string_ids, random = self.random.position,
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

local function import_keys(self, keys, state)
  keys.next_id = state.next_id
  for _, fields in ipairs(state.list) do
    local key = keys:add(fields, 0)
    key.valid, key.last_used = fields.valid, fields.last_used
    self.secrets[key.secret] = key
  end
  return keys
end

---Replaces everything by what `export` gave.
---@param state table
function Service:import(state)
  blank(self)
  self.string_ids = state.string_ids
  self.random.position = state.random
  local from = state.organization
  self.organization = { id = from.id, name = from.name, plan = from.plan, created_at = from.created_at }
  self.organization.keys = import_keys(self, Keys.new("organization"), from.keys)
  for index, project in ipairs(state.projects) do
    self.projects[index] = {
      id = project.id, name = project.name, description = project.description,
      created_at = project.created_at,
      keys = import_keys(self, Keys.new("project", project.id), project.keys),
    }
  end
  self.changed = true
end

---Replaces everything by what a snapshot has.
---@param fields table { organization, projects, revision, revision_times, clock_offset, settings, string_ids }
function Service:replace(fields)
  for name, value in pairs(fields) do self[name] = value end
  self.secrets = {}
  for _, keys in ipairs(self:key_sets()) do
    for _, list in ipairs { keys.gone, keys.list } do
      for _, key in ipairs(list) do self.secrets[key.secret] = key end
    end
  end
  self.epoch, self.changed = self.epoch + 1, true
end

---Back to the keys of the start, with the same secrets; deletions and changes since are forgotten.
function Service:reset()
  self:import(self.initial)
  self.epoch = self.epoch + 1
end

---A new service.
---@param options table { projects = names, clock = gives seconds, seed?, string_ids?, state? = an export }
---@return table service
function Service.new(options)
  local self = setmetatable({ clock = options.clock, string_ids = options.string_ids or false }, Service)
  self.random = Random.new(options.seed)
  blank(self)
  if options.state then
    self:import(options.state)
  else
    populate(self, options.projects)
  end
  self.initial = self:export()
  -- Changes with a reset, so that what was under way before it can no longer take effect.
  self.epoch = 1
  return self
end

return Service
