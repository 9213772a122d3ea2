-- SPDX-License-Identifier: Apache-2.0
-- The platform's calls: who may make them, what they do, what they answer.

local json = require "confidentai.sandbox.json"
local Keys = require "confidentai.sandbox.keys"

local operations = {}

local docs_link = "https://www.confident-ai.com/docs"

---A failure in the platform's envelope.
---@param status integer
---@param message string
---@param headers? table name to value
---@return table answer { status, body, headers? }
function operations.failure(status, message, headers)
  local envelope = { success = false, error = message, deprecated = false }
  if status == 401 or status == 403 then envelope.link = docs_link end
  return { status = status, body = json.encode(envelope), headers = headers }
end

local function success(status, data, link)
  return { status = status, ok = true, body = json.encode {
    success = true, data = data, deprecated = false, link = link,
  } }
end

-- A success that changed a key.
local function changed(key, status, data, link)
  local answer = success(status, data, link)
  answer.changed = key
  return answer
end

local failure = operations.failure

-- The set of keys a request is about, or nil and the failure.
local function key_set(service, request)
  if request.scope == "organization" then return service.organization.keys end
  local project = service:project(request.project_id)
  if not project then return nil, failure(404, "Project not found") end
  return project.keys
end

local function is_utf8(text)
  local position, length = 1, #text
  while position <= length do
    local byte = text:byte(position)
    local extra = byte < 0x80 and 0 or byte >= 0xC2 and byte < 0xE0 and 1
      or byte >= 0xE0 and byte < 0xF0 and 2 or byte >= 0xF0 and byte < 0xF5 and 3
    if not extra then return false end
    if not text:sub(position + 1, position + extra):find("^[\128-\191]*$") or position + extra > length then
      return false
    end
    position = position + extra + 1
  end
  return true
end

-- The request's body as a table, or nil and the failure.
local function read_body(request)
  local content_type = (request.content_type or ""):lower():match("^%s*([^;%s]*)")
  if content_type ~= "application/json" then
    return nil, failure(400, "The body must be JSON with Content-Type: application/json")
  end
  if not is_utf8(request.body) then return nil, failure(400, "Malformed JSON: not UTF-8") end
  local body, message = json.decode(request.body)
  if message then return nil, failure(400, "Malformed JSON") end
  if type(body) ~= "table" or body[1] ~= nil then return nil, failure(422, "The body must be an object") end
  return body
end

local function record(service, key, reveal, valid)
  return Keys.record(key, {
    reveal = reveal, newer = service.string_ids, valid = valid, last_used = service:last_used(key),
  })
end

local function find_key(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return nil, refused end
  local key = keys:find(request.key_id)
  if not key then return nil, failure(404, "API key not found") end
  return key
end

local calls = {}

function calls.list(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  local revision = request.changes and keys:revision_before(request.changes) or request.revision
  local hidden, records = request.hidden or {}, json.array()
  for _, entry in ipairs(keys:at(revision)) do
    if service:lists(entry.key) and not hidden[tostring(entry.key.id)] then
      records[#records + 1] = record(service, entry.key, false, entry.valid)
    end
  end
  for _ = 1, request.drop or 0 do records[#records] = nil end
  return success(200, { apiKeys = records }, docs_link)
end

function calls.get(service, request)
  local key, refused = find_key(service, request)
  if not key then return refused end
  return success(200, { apiKey = record(service, key) })
end

function calls.create(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  local body
  body, refused = read_body(request)
  if not body then return refused end
  if type(body.name) ~= "string" or body.name == "" then
    return failure(422, "name must be a non-empty string")
  end
  local key = service:create_key(keys, body.name, request.credential.name)
  local status = service.settings.create_status == 201 and 201 or 200
  return changed(key, status, { apiKey = record(service, key, true) }, docs_link)
end

function calls.update(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  local body
  body, refused = read_body(request)
  if not body then return refused end
  if type(body.valid) ~= "boolean" then return failure(422, "valid must be a boolean") end
  local key
  key, refused = find_key(service, request)
  if not key then return refused end
  Keys.set_valid(key, body.valid, service:advance())
  return changed(key, 200, { apiKey = record(service, key) })
end

function calls.delete(service, request)
  local key, refused = find_key(service, request)
  if not key then return refused end
  service:delete_key(key)
  return changed(key, 200, { id = key.id, deleted = true })
end

function calls.organization(service)
  local organization = service.organization
  return success(200, { organization = {
    id = organization.id, name = organization.name, plan = organization.plan,
    created_at = organization.created_at, region = "US",
  } })
end

local function project_record(service, project)
  return {
    id = project.id, name = project.name, description = project.description,
    organizationId = service.organization.id, created_at = project.created_at, memberCount = 1,
  }
end

function calls.projects(service)
  local records = json.array()
  for index, project in ipairs(service.projects) do records[index] = project_record(service, project) end
  return success(200, { projects = records })
end

function calls.project(service, request)
  local project = service:project(request.project_id)
  if not project then return failure(404, "Project not found") end
  return success(200, { project = project_record(service, project) })
end

function calls.annotation_queues()
  return success(200, { annotationQueues = json.array(), page = 1, pageSize = 1, total = 0 })
end

---Decides who makes a request, and whether they may.
---@param service table
---@param request table a route of the router, with the credential as `secret`
---@return table? refused the failure; else request.credential is set
function operations.admit(service, request)
  if request.status then
    return failure(request.status, request.message, request.allow and { allow = request.allow })
  end
  local key = service:authenticate(request.secret)
  if not key then return failure(401, "Invalid API key") end
  request.credential = key
  local wanted = request.operation == "annotation_queues" and "project" or "organization"
  if key.scope ~= wanted then
    return failure(403, "This call needs a key of the " .. wanted)
  end
end

---Carries out a request that was admitted.
---@param service table
---@param request table { operation, scope, project_id?, key_id?, body, content_type, revision?, changes?, drop?,
---hidden? }
---@return table answer { status, body, ok?, changed = the key?, headers? }
function operations.perform(service, request)
  return calls[request.operation](service, request)
end

return operations
