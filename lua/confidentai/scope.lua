-- SPDX-License-Identifier: Apache-2.0
-- The organization, its projects, and what a client says of itself.

local core = require "confidentai.core"
local argument = require "confidentai.argument"
local operation = require "confidentai.operation"

local methods = core.methods

---@class confidentai.Whoami
---@field organization confidentai.OrganizationRecord
---@field key? confidentai.ApiKey the client's own; nil: none matches the credential, or several do

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
  return organization, err
end

---The project itself.
---@return confidentai.ProjectRecord? project
---@return confidentai.Error? err of kind "api" with status 404: there is none, or it is of another organization
function methods.Project:get()
  argument.self("Project", "get", self)
  local project, err = operation.perform(client_of(self),
    { method = "GET", path = { "v1", "projects", self.id }, shape = "project" })
  return project, err
end

---All projects of the organization.
---@return confidentai.ProjectRecord[]? projects as of project:get()
---@return confidentai.Error? err
function methods.Projects:list()
  argument.self("Projects", "list", self)
  local projects, err = operation.perform(client_of(self),
    { method = "GET", path = { "v1", "projects" }, shape = "projects" })
  return projects, err
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
