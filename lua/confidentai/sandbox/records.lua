-- SPDX-License-Identifier: Apache-2.0
-- Records as the service sends them, in the forms that docs/platform.md has and the settings ask for.

local json = require "confidentai.sandbox.json"
local time_forms = require "confidentai.sandbox.time_forms"

local records = {}

---What the service shows of a secret: 15 asterisks and the last 6 characters.
---@param secret string
---@return string masked
function records.mask(secret)
  return ("*"):rep(15) .. secret:sub(-6)
end

---Whether a request is answered in the newer form.
---@param service table
---@param request table
---@return boolean
function records.is_newer(service, request)
  return request.newer or service.settings.v1_answers == "newer"
end

local function time(service, request, seconds)
  if not seconds then return json.null end
  local form = service.settings.time_form
  if form == "default" then
    form = (service.generation == 2 or records.is_newer(service, request)) and "utc" or "z"
  end
  return time_forms.write(seconds, form)
end

---A key's id, as answers have it.
---@param service table
---@param key table
---@return integer|string id
function records.id(service, key)
  local set = service.settings
  return set.ids == "string" and ("%s%.0f"):format(set.id_prefix, key.id) or key.id
end

-- What a fault of type `record` puts in the place of fields.
local function spoil(record, odd, key)
  if not odd or odd.target and tostring(odd.target) ~= tostring(key.id) then return end
  for name, text in pairs(odd.fields) do record[name] = text ~= "" and json.raw(text) or nil end
end

---A key.
---@param service table
---@param request table that is answered: { newer?, odd? = a fault of type `record` }
---@param key table
---@param reveal? string "secret" or "shadow": the one that is shown whole
---@param valid? boolean as it was at another moment
---@return table record for JSON
function records.key(service, request, key, reveal, valid)
  if valid == nil then valid = key.valid end
  local record = {
    id = records.id(service, key), name = key.name or json.null, valid = valid,
    value = reveal == "secret" and key.secret or records.mask(key.secret),
    created_at = time(service, request, key.created_at), createdBy = key.created_by or json.null,
    lastUsed = time(service, request, service:last_used(key)),
  }
  if service.generation == 2 or records.is_newer(service, request) then
    record.expiresAt, record.rotatesAt = time(service, request, key.expires_at), time(service, request, key.rotates_at)
    record.shadowValue = key.shadow and (reveal == "shadow" and key.shadow or records.mask(key.shadow)) or json.null
  end
  spoil(record, request.odd, key)
  return record
end

---The organization.
---@param service table
---@param request table
---@return table record for JSON
function records.organization(service, request)
  local organization = service.organization
  return {
    id = organization.id, name = organization.name, plan = organization.plan,
    created_at = time(service, request, organization.created_at), region = "US",
  }
end

---A project.
---@param service table
---@param request table
---@param project table
---@return table record for JSON
function records.project(service, request, project)
  return {
    id = project.id, name = project.name, description = project.description,
    organizationId = service.organization.id, created_at = time(service, request, project.created_at),
    governancePolicy = json.null, memberCount = 1,
  }
end

return records
