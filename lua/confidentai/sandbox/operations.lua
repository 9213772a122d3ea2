-- SPDX-License-Identifier: Apache-2.0
-- The platform's calls: who may make them, what they do, what they answer.

local json = require "confidentai.sandbox.json"
local Keys = require "confidentai.sandbox.keys"
local records = require "confidentai.sandbox.records"

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

-- The answer about one key: the newer API has it bare.
local function about_key(service, request, key, reveal)
  local record = records.key(service, request, key, reveal)
  return records.is_newer(service, request) and record or { apiKey = record }
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

local function find_key(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return nil, refused end
  local prefix, id = service.settings.id_prefix, request.key_id
  if id:sub(1, #prefix) == prefix then id = id:sub(#prefix + 1) end
  local key = keys:find(id)
  if not key then return nil, failure(404, "API key not found") end
  return key
end

-- A whole number of at least 1, or nothing. `null` and no such field are one here.
local function is_count(value)
  return value == nil or type(value) == "number" and value >= 1 and value % 1 == 0
end

local function seconds_until_end(service, days)
  return days and service:now() + days * 86400
end

local calls = {}

-- The newer API gives the newest first.
local function in_order(service, request, entries)
  if not records.is_newer(service, request) then return entries end
  local turned = {}
  for index = #entries, 1, -1 do turned[#turned + 1] = entries[index] end
  return turned
end

-- The first page of a list: a service that pages gives it alone to a client that does not ask for others.
local function first_page(service, list)
  local size = service.settings.page_size
  while size > 0 and #list > size do list[#list] = nil end
  return list
end

function calls.list(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  service:complete_rotations(keys)
  local revision = request.changes and keys:revision_before(request.changes) or request.revision
  local hidden, list = request.hidden or {}, json.array()
  for _, entry in ipairs(in_order(service, request, keys:at(revision))) do
    if service:lists(entry.key) and not hidden[tostring(entry.key.id)] then
      list[#list + 1] = records.key(service, request, entry.key, nil, entry.valid)
    end
  end
  for _ = 1, request.drop or 0 do list[#list] = nil end
  return success(200, { apiKeys = first_page(service, list) }, docs_link)
end

function calls.get(service, request)
  local key, refused = find_key(service, request)
  if not key then return refused end
  return success(200, about_key(service, request, key))
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
  local days = request.newer and body.expiresInDays or nil
  if not is_count(days) then return failure(422, "expiresInDays must be a whole number from 1") end
  local key = service:create_key(keys, body.name, request.credential.name, seconds_until_end(service, days))
  local status = service.settings.create_status == 201 and 201 or 200
  return changed(key, status, about_key(service, request, key, "secret"), docs_link)
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
  return changed(key, 200, about_key(service, request, key))
end

function calls.delete(service, request)
  local key, refused = find_key(service, request)
  if not key then return refused end
  service:delete_key(key)
  local id = records.id(service, key)
  return changed(key, 200, records.is_newer(service, request) and { id = id } or { id = id, deleted = true })
end

function calls.rotate(service, request)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  local body
  body, refused = read_body(request)
  if not body then return refused end
  local hours, days = body.gracePeriodInHours, body.expiresInDays
  if not is_count(hours) then return failure(422, "gracePeriodInHours must be a whole number from 1") end
  if not is_count(days) then return failure(422, "expiresInDays must be a whole number from 1, or null") end
  local key
  key, refused = find_key(service, request)
  if not key then return refused end
  -- The platform's pages do not say what happens then.
  if key.rotates_at then return failure(409, "A rotation of this key is under way") end
  service:rotate_key(key, hours and hours * 3600)
  if days or body.expiresInDays == nil and request.body:find('"expiresInDays"%s*:%s*null') then
    key.expires_at = seconds_until_end(service, days)
  end
  return changed(key, 200, about_key(service, request, key, hours and "shadow" or "secret"))
end

function calls.organization(service, request)
  return success(200, { organization = records.organization(service, request) })
end

function calls.projects(service, request)
  local list = json.array()
  for index, project in ipairs(service.projects) do list[index] = records.project(service, request, project) end
  return success(200, { projects = first_page(service, list) })
end

function calls.project(service, request)
  local project = service:project(request.project_id)
  if not project then return failure(404, "Project not found") end
  return success(200, { project = records.project(service, request, project) })
end

function calls.annotation_queues()
  return success(200, { annotationQueues = json.array(), page = 1, pageSize = 1, total = 0 })
end

-- A key of another kind is refused like an unknown one. A global key works as one of the project that the request
-- names.
local function may(service, request, key)
  if request.operation ~= "annotation_queues" then return key.scope == "organization" end
  return key.scope == "project" or key.scope == "global" and service:project(request.for_project) ~= nil
end

---Decides who makes a request, and whether they may.
---@param service table
---@param request table a route of the router, with the credential as `secret`, and the project of a global key as
---`for_project`
---@return table? refused the failure; else request.credential is set
function operations.admit(service, request)
  if request.status then
    return failure(request.status, request.message, request.allow and { allow = request.allow })
  end
  if (request.secret or "") == "" then return failure(401, "No API KEY provided") end
  local key = service:authenticate(request.secret)
  if not key or not may(service, request, key) then return failure(401, "Invalid API key") end
  request.credential = key
end

---The answer to the create of an older key, as a cache gives it once more.
---@param service table
---@param request table
---@param id? string|number of the key; the oldest, if absent
---@return table answer { status, body }
function operations.older_key(service, request, id)
  local keys, refused = key_set(service, request)
  if not keys then return refused end
  local key = id and keys:find(tostring(id)) or not id and keys.list[1]
  if not key then return failure(404, "API key not found") end
  return success(200, about_key(service, request, key, "secret"), docs_link)
end

---Carries out a request that was admitted.
---@param service table
---@param request table { operation, scope, project_id?, key_id?, body, content_type, revision?, changes?, drop?,
---hidden?, odd? }
---@return table answer { status, body, ok?, changed = the key?, headers? }
function operations.perform(service, request)
  return calls[request.operation](service, request)
end

return operations
