-- SPDX-License-Identifier: Apache-2.0
-- The organization, its projects, what a client says of itself, and what it does with the keys of all.

local core = require "confidentai.core"
local argument = require "confidentai.argument"
local operation = require "confidentai.operation"

local methods = core.methods

---@class confidentai.Whoami
---@field organization confidentai.OrganizationRecord
---@field key? confidentai.ApiKey the client's own; nil: none matches the credential, or several do

---An array of projects, as of project:get().
---@class confidentai.ProjectList: { [integer]: confidentai.ProjectRecord }
---@field unreadable? confidentai.UnreadableRecord[] nil: all were read

local function client_of(object)
  return core.environment(object).client
end

---The organization of the client's credential.
---@return confidentai.Organization organization
function methods.Client:organization()
  argument.self("Client", "organization", self)
  return core.organization(self)
end

---A project, by its id. Nothing is asked of the service. Raises when the id cannot be one.
---@param id string `[A-Za-z0-9_-]`, up to 128 characters
---@return confidentai.Project project
function methods.Client:project(id)
  argument.self("Client", "project", self)
  local checked, problem = core.project_id(self, id)
  if not checked then
    argument.refuse(1, "project", problem)
  end
  return core.project(self, checked)
end

---The organization itself.
---@return confidentai.OrganizationRecord? organization
---@return confidentai.Error? err
function methods.Organization:get()
  argument.self("Organization", "get", self)
  local organization, err = operation.perform(client_of(self),
    { method = "GET", path = { "v1", "organization" }, shape = "organization" })
  return operation.one(organization, err)
end

---The project itself.
---@return confidentai.ProjectRecord? project
---@return confidentai.Error? err of kind "api" with status 404: there is none, or it is of another organization
function methods.Project:get()
  argument.self("Project", "get", self)
  local project, err = operation.perform(client_of(self),
    { method = "GET", path = { "v1", "projects", self.id }, shape = "project" })
  return operation.one(project, err)
end

---All projects of the organization, in the service's order.
---@return confidentai.ProjectList? projects
---@return confidentai.Error? err
function methods.Projects:list()
  argument.self("Projects", "list", self)
  local projects, err = operation.perform(client_of(self),
    { method = "GET", path = { "v1", "projects" }, shape = "projects" })
  return operation.one(projects, err)
end

-- The one enabled key that ends as the credential does; nil when none does, or when several do and nothing tells them
-- apart.
local function own_key(client, keys)
  local own, matches = nil, 0
  for _, key in ipairs(keys) do
    if key.valid and client:owns(key) then
      own, matches = key, matches + 1
    end
  end
  return matches == 1 and own or nil
end

---Who the client is: its organization, and its own key among the organization's.
---@return confidentai.Whoami? identity
---@return confidentai.Error? err
function methods.Client:whoami()
  argument.self("Client", "whoami", self)
  local scope = core.organization(self)
  local organization, err = scope:get()
  if not organization then
    return nil, err
  end
  local keys
  keys, err = scope.api_keys:list()
  if not keys then
    return nil, err
  end
  return { organization = organization, key = own_key(self, keys) }
end

-- Below: what takes many calls. Each is loaded when it is asked for.

local AUDIT = { max_age_days = "number", unused_days = "number", concurrency = "count", on_progress = "function",
  clock = "function" }

---Examines every key of the organization and its projects; it only reads. What could not be read is in `unreadable`.
---@param options? confidentai.AuditOptions
---@return confidentai.AuditReport? report
---@return confidentai.Error? err the projects or the organization could not be asked for
function methods.Client:audit(options)
  argument.self("Client", "audit", self)
  options = options == nil and {} or options
  argument.fields(1, "audit", options, AUDIT)
  for _, name in ipairs { "max_age_days", "unused_days" } do
    local days = options[name]
    if days and not (days >= 0 and days < math.huge) then
      argument.refuse(1, "audit", ("field '%s': days from 0 are expected"):format(name))
    end
  end
  local report, err = require("confidentai.audit").run(self, options)
  return operation.one(report, err)
end

---Finds whose key a secret is, by its last 6 characters among all keys of the organization and its projects, and notes
---when the key was last used. With `probe` the secret is tried, at the client's base URL only, which proves or refutes
---the match; that is a use of the key, and moves its lastUsed.
---@param secret string|string[] a secret, or its mask where it is not to be tried; several: each gets its report
---@param options? confidentai.IdentifyOptions
---@return confidentai.Identification|confidentai.Identification[]|nil report an array of matches, with more fields; for
---several secrets: an array of reports, in their order
---@return confidentai.Error? err the projects could not be listed
function methods.Client:identify(secret, options)
  argument.self("Client", "identify", self)
  local identify = require "confidentai.identify"
  local secrets, checked = identify.check("identify", secret, options)
  local reports, err = identify.run(self, secrets, checked)
  if not reports then
    return nil, err
  end
  return type(secret) == "table" and reports or reports[1]
end

---Makes a leaked secret useless: finds its key, proves that it is the one, disables it, and proves that the secret is
---refused. A key that is not proven is never disabled, nor is the client's own; `replace` has such a key replaced by
---a new one, by a rotation with `compromised`, which deletes the old one.
---@param secret string whole
---@param options? confidentai.ContainOptions
---@return confidentai.Containment? report
---@return confidentai.Error? err of kind "guard": nothing was done, as the key is not proven, is the client's own, or
---was not confirmed; with `next`: what a person can do
---@return confidentai.Containment? partial how far it came, with its steps
function methods.Client:contain(secret, options)
  argument.self("Client", "contain", self)
  local contain = require "confidentai.contain"
  local report, err, partial = contain.run(self, contain.check(secret, options))
  return operation.one(report, err, partial)
end
