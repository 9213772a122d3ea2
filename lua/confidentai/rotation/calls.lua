-- SPDX-License-Identifier: Apache-2.0
-- What a rotation asks of the service. Nothing is changed without a look at it first: a key is touched only while it is
-- the one on record, and never by a call that the same key authenticates.

local core = require "confidentai.core"
local operation = require "confidentai.operation"
local path = require "confidentai.path"
local probe = require "confidentai.probe"
local refusal = require "confidentai.refusal"
local timestamp = require "confidentai.timestamp"

local calls = {}

-- Performs a request as whoever the rotation acts as.
local function perform(job, request)
  request.owner = request.owner or job.api_keys
  request.flags = request.flags or {}
  request.flags.credential = request.flags.credential or job.credential
  local result, err, call = operation.perform(job.client, request)
  job:hear(call)
  return result, err, call
end

---What is on record about a key.
---@param job confidentai.Job
---@param key confidentai.ApiKey
---@return { id: string, name: string, created_at: string, last6: string }
function calls.identity(job, key)
  return { id = core.key_id(job.api_keys, key), name = key.name, created_at = key.created_at,
    last6 = key.value:sub(-6) }
end

---Returns true if the service shows the last 6 characters of a key, by which it is told from others, and from a secret.
---@param key confidentai.ApiKey
---@return boolean
function calls.shows_end(key)
  return not key.value:sub(-6):find("*", 1, true)
end

-- A time in whole seconds, as the service may write it with more or fewer digits at each look; else the text.
local function to_second(text)
  local _, seconds = timestamp.read(text)
  return seconds and math.floor(seconds) or text
end

---Returns true if a key is the one on record. What one of the two does not tell is not compared.
---@param job confidentai.Job
---@param key confidentai.ApiKey
---@param identity table
---@return boolean
function calls.is_same(job, key, identity)
  local found = calls.identity(job, key)
  for _, field in ipairs { "id", "name", "created_at", "last6" } do
    local expected, shown = identity[field], found[field]
    if field == "created_at" then
      expected, shown = to_second(expected), to_second(shown)
    end
    if expected ~= nil and shown ~= nil and expected ~= shown then
      return false
    end
  end
  return true
end

---All keys of the scope, as the service lists them now.
---@param job confidentai.Job
---@param api_keys? confidentai.ApiKeys those of another scope
---@return confidentai.ApiKey[]? keys with `unreadable`, where records of it could not be read
---@return confidentai.Error? err
function calls.list(job, api_keys)
  local owner = api_keys or job.api_keys
  local keys, err = perform(job, { method = "GET", path = path.of_keys(owner), shape = "api_keys", owner = owner })
  return keys, err
end

---The ids of keys, those of records that cannot be read included.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[]
---@return string[]
function calls.ids(job, keys)
  local ids = {}
  for i, key in ipairs(keys) do
    ids[i] = core.key_id(job.api_keys, key)
  end
  for _, entry in ipairs(keys.unreadable or {}) do
    ids[#ids + 1] = entry.id ~= nil and tostring(entry.id) or nil
  end
  return ids
end

-- The ids that a list shows, those of records that cannot be read included; nil: a record without an id is among them,
-- or one that cannot be read and was not there before the create.
local function ids_of(job, keys)
  local known, seen = {}, {}
  for _, list in ipairs { job.record.snapshot or {}, job.record.past or {} } do
    for _, id in ipairs(list) do
      known[id] = true
    end
  end
  for _, key in ipairs(keys) do
    seen[core.key_id(job.api_keys, key)] = true
  end
  for _, entry in ipairs(keys.unreadable or {}) do
    local id = entry.id ~= nil and tostring(entry.id)
    if not id or job.record.snapshot and not known[id] then
      return nil
    end
    seen[id] = true
  end
  return seen
end

local function incomplete(job, keys, what)
  local _, err = job:failure("api", "the service's list of keys is incomplete, so it proves nothing: " .. what)
  return false, err, keys
end

---All keys of the scope, by a list that proves what is not there: it shows every key of the record's snapshot that the
---service has still, and can be read. Keys of the snapshot that are gone are moved to `past`.
---@param job confidentai.Job
---@return confidentai.ApiKey[]|false|nil keys false: the list proves nothing
---@return confidentai.Error? err
---@return confidentai.ApiKey[]? shown with false: what the list shows
function calls.census(job)
  local keys, err = calls.list(job)
  if not keys then
    return nil, err
  end
  local seen = ids_of(job, keys)
  if not seen then
    return incomplete(job, keys, "a record of it cannot be read")
  end
  local kept, past = {}, {}
  for _, id in ipairs(job.record.snapshot or {}) do
    local key = seen[id]
    if not key then
      key, err = calls.ask(job, id)
      if key == nil then
        return nil, err
      elseif key then
        return incomplete(job, keys, ("key %s is there, and not in it"):format(id))
      end
    end
    local list = key and kept or past
    list[#list + 1] = id
  end
  if #past > 0 then
    job.record.snapshot, job.record.past = kept, job.record.past or {}
    for _, id in ipairs(past) do
      table.insert(job.record.past, id)
    end
  end
  return keys
end

---A key, as its own address shows it. That there is none by an answer of 404 alone proves nothing: `get` knows.
---@param job confidentai.Job
---@param id string
---@param flags? table as of client:start
---@return confidentai.ApiKey|false|nil key false: the service's envelope says 404
---@return confidentai.Error? err
function calls.ask(job, id, flags)
  local key, err, call = perform(job,
    { method = "GET", path = path.of_keys(job.api_keys, id), shape = "api_key", flags = flags })
  if key and core.key_id(job.api_keys, key) ~= id then
    return nil, call:failure("protocol", "unexpected answer: it is about another key than was asked for")
  elseif not key and refusal.is(err, 404) then
    key, err = false, nil
  end
  job:see(id, key)
  return key, err
end

---A key, or false when it is gone: the service says 404 in its envelope, and a list of the scope that is complete does
---not show it.
---@param job confidentai.Job
---@param id string
---@return confidentai.ApiKey|false|nil key
---@return confidentai.Error? err
---@return "listed"|nil why its address does not show it, and the list does: one of the two is late
function calls.get(job, id)
  local key, err = calls.ask(job, id)
  if key ~= false then
    return key, err
  end
  local keys
  keys, err = calls.census(job)
  if not keys then
    return nil, err
  end
  local seen, new = ids_of(job, keys), job.record.new
  if seen and new and new.id ~= id and not seen[new.id] then
    key, err = calls.ask(job, new.id)
    if key == nil then
      return nil, err
    elseif key then
      local _, problem = incomplete(job, keys, ("key %s is there, and not in it"):format(new.id))
      return nil, problem, "listed"
    end
  end
  if not seen or seen[id] then
    local _, problem = job:failure("api", ("the service says that there is no key %s, but lists it"):format(id),
      "unknown")
    return nil, problem, "listed"
  end
  return false
end

---The organization of a credential.
---@param job confidentai.Job
---@param credential? string default: of whoever the rotation acts as
---@return string? id
---@return confidentai.Error? err
function calls.organization(job, credential)
  local organization, err = perform(job, { method = "GET", path = { "v1", "organization" }, shape = "organization",
    flags = { credential = credential, fresh = credential and true or nil } })
  if not organization then
    return nil, err
  end
  local id = organization.id
  return type(id) == "number" and ("%.0f"):format(id) or id
end

---Sends one create, once. The call is returned, with its answer not yet interpreted.
---@param job confidentai.Job
---@param name string
---@return confidentai.Call? call
---@return confidentai.Error? err nothing was sent
function calls.create(job, name)
  local call, err = operation.send(job.client, { method = "POST", path = path.of_keys(job.api_keys),
    body = { name = name }, flags = { credential = job.credential, no_retry = true, fresh = true } })
  job:hear(call)
  return call, err
end

---Creates a key, once, and interprets the answer.
---@param job confidentai.Job
---@param name string
---@return confidentai.ApiKey? key with its secret
---@return confidentai.Error? err
function calls.create_now(job, name)
  local call, err = calls.create(job, name)
  if not call then
    return nil, err
  end
  local key
  key, err = operation.take(job.client, { shape = "new_api_key", owner = job.api_keys }, call)
  return key, err
end

-- Promise: no key is disabled or deleted by a call that the same key authenticates.
local function authenticates(job, key)
  if key.scope ~= "organization" then
    return false
  elseif job.credential then
    return core.ends_alike(key, job.credential) ~= false
  end
  return job.client:owns(key) ~= false
end

-- The key on record, as it is now, fit to be changed; false when it is gone; nil, an error and true when it is another.
local function look(job, identity)
  local key, err = calls.get(job, identity.id)
  if not key then
    return key, err
  elseif not calls.is_same(job, key, identity) then
    local _, other = job:failure("guard", ("key %s is not the one on record any more (name, time of creation and last "
      .. "characters were compared), so it was not touched"):format(identity.id))
    return nil, other, true
  end
  return key
end

---Disables or enables the key on record.
---@param job confidentai.Job
---@param identity table
---@param valid boolean
---@param may_send? fun(): boolean asked after the look: false keeps the change from being sent. With it the change is
---sent once, without retries of the engine, as what was true then may not be true at a retry
---@return "changed"|"already"|"gone"|"held back"|nil
---@return confidentai.Error? err whose outcome may be "unknown"
---@return true? other the key is not the one on record, and was left alone
function calls.set_valid(job, identity, valid, may_send)
  local key, err, other = look(job, identity)
  if key == false then
    return "gone"
  elseif not key then
    err.outcome = "not_applied"
    return nil, err, other
  elseif key.valid == valid then
    return "already"
  elseif not valid and authenticates(job, key) then
    return job:failure("guard", "a key never disables itself: act with another organization key", "not_applied")
  end
  if may_send and not may_send() then
    return "held back"
  end
  local changed, call
  changed, err, call = perform(job, { method = "PUT", path = path.of_keys(job.api_keys, identity.id),
    body = { valid = valid }, shape = "api_key", flags = { no_retry = may_send and true or nil } })
  if not changed then
    return nil, err
  elseif changed.valid ~= valid or not calls.is_same(job, changed, identity) then
    return nil, call:failure("protocol", "unexpected answer: it does not show the change")
  end
  job:see(identity.id, changed)
  return "changed"
end

---Deletes the key on record, for guard.lua, which has just looked at it.
---@param job confidentai.Job
---@param key confidentai.ApiKey
---@return true? accepted by the service; whether the key is gone is seen by `get`
---@return confidentai.Error? err whose outcome may be "unknown"
function calls.delete(job, key)
  if authenticates(job, key) then
    return job:failure("guard", "a key never deletes itself: act with another organization key", "not_applied")
  end
  local deleted, err = perform(job, { method = "DELETE",
    path = path.of_keys(job.api_keys, core.key_id(job.api_keys, key)), shape = "deleted" })
  if not deleted and not refusal.is(err, 404) then
    return nil, err
  end
  return true
end

-- Whether the service refuses an organization key: a project's is none, either.
local function is_refusal(err)
  return refusal.is(err, 401, 403)
end

---Whether a secret is accepted, by the cheapest call that it may make.
---@param job confidentai.Job
---@param secret string
---@return "accepted"|"refused"|nil
---@return confidentai.Error? err it could not be found out
function calls.try(job, secret)
  if job.record.scope == "organization" then
    local id, err = calls.organization(job, secret)
    if id == job.record.organization then
      return "accepted"
    elseif id then
      return job:failure("guard", "the secret belongs to another organization")
    elseif is_refusal(err) then
      return "refused"
    end
    return nil, err
  end
  local result, err = perform(job, probe.project_request(secret))
  local answer = probe.project_answer(result, err)
  return answer, not answer and err or nil
end

---Proves that an organization key can manage: it reads itself, and enables itself, which it is.
---@param job confidentai.Job
---@param secret string
---@param identity table of its key
---@return "accepted"|"refused"|nil
---@return confidentai.Error? err
function calls.try_managing(job, secret, identity)
  local key, err = calls.ask(job, identity.id, { credential = secret, fresh = true })
  if key == nil then
    if is_refusal(err) then
      return "refused"
    end
    return nil, err
  elseif not key or not calls.is_same(job, key, identity) then
    return job:failure("guard", "the new secret sees another key than the one on record")
  end
  local changed
  changed, err = perform(job, { method = "PUT", path = path.of_keys(job.api_keys, identity.id), body = { valid = true },
    shape = "api_key", flags = { credential = secret, fresh = true } })
  if changed then
    return "accepted"
  elseif is_refusal(err) then
    return "refused"
  end
  return nil, err
end

return calls
