-- SPDX-License-Identifier: Apache-2.0
-- The service as it is at one moment, as plain tables, and back. Unlike the state file it has everything that could
-- make a difference: the history behind stale lists, what commits late, the clock, the settings.

local Keys = require "confidentai.sandbox.keys"
local settings = require "confidentai.sandbox.settings"

local snapshot = {}

local version = 2

local function describe(record, keys)
  return {
    id = record.id, name = record.name, plan = record.plan, description = record.description,
    created_at = record.created_at, keys = keys:plain(),
  }
end

---Everything there is. The tables are the service's own: to be encoded at once, not kept.
---@param service table
---@param late table of late.lua
---@return table image for JSON
function snapshot.take(service, late)
  local image = {
    version = version, generation = service.generation, random = service.random.position,
    revision = service.revision, revision_times = service.revision_times, clock = service.clock:plain(),
    global_secret = service.global_secret,
    settings = service.settings, late = late:plain(),
    organization = describe(service.organization, service.organization.keys), projects = {},
  }
  for index, project in ipairs(service.projects) do image.projects[index] = describe(project, project.keys) end
  return image
end

local function restore_record(fields, scope)
  return {
    id = fields.id, name = fields.name, plan = fields.plan, description = fields.description,
    created_at = fields.created_at,
    keys = Keys.from_plain(fields.keys, scope, scope == "project" and fields.id or nil),
  }
end

local function read(image)
  assert(image.version == version)
  local fields = {
    generation = image.generation, revision = image.revision, revision_times = image.revision_times,
    global_secret = image.global_secret, settings = settings.defaults(),
    organization = restore_record(image.organization, "organization"), projects = {},
  }
  assert(type(fields.revision) == "number" and type(image.clock.offset) == "number")
  assert(type(fields.global_secret) == "string")
  assert(type(fields.revision_times) == "table" and not settings.check(image.settings))
  settings.merge(fields.settings, image.settings)
  for index, project in ipairs(image.projects) do fields.projects[index] = restore_record(project, "project") end
  return fields
end

---Goes back to an image. What is under way for requests of before is forgotten.
---@param service table
---@param late table of late.lua
---@param image any as `take` gave it, through JSON
---@return boolean ok false when it is no such image; nothing has changed then
function snapshot.restore(service, late, image)
  local ok, fields = pcall(read, image)
  local items_ok, items = pcall(late.from_plain, ok and image.late)
  if not ok or not items_ok then return false end
  service.clock:set(image.clock)
  service:replace(fields)
  service.random.position = image.random
  late:replace(items)
  return true
end

return snapshot
