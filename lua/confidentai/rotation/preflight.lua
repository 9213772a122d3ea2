-- SPDX-License-Identifier: Apache-2.0
-- What is refused before a rotation begins: a key, a store or a secret that is not what the user thinks it is.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local last_used = require "confidentai.rotation.last_used"
local refusals = require "confidentai.rotation.refusals"
local store_content = require "confidentai.rotation.store_content"
local stores = require "confidentai.rotation.stores"
local ways = require "confidentai.rotation.ways"

local preflight, refuse = {}, refusals.make

-- How a person calls a key, and when it was used.
local function describe(job, key)
  return ("key %s%s (%s)"):format(core.key_id(job.api_keys, key), key.name and (" '%s'"):format(key.name) or "",
    last_used.words(job, key))
end

-- Returns true if a store that can be read holds anything: only a user who asks for it has that overwritten.
local function is_anything_held(job)
  for _, store in ipairs(job.stores) do
    local content = stores.get(job, store)
    if content and not stores.is_nothing(content) then
      return true
    end
  end
  return false
end

local function refuse_absent(job, id)
  local add = { "--replace" }
  add[2] = is_anything_held(job) and "--replace-store" or nil
  return refuse("no_such_key", ("there is no key %s: neither its address nor the list shows it; only if it was "
    .. "deleted, replace = true creates a new one"):format(id),
    refusals.list(job.api_keys),
    job.api_keys.scope == "organization" and ways.make("See the keys of projects",
      { "confidentai", "keys", "list", "--all-projects" }),
    refusals.again("If it was deleted: create a new one", { add = add }))
end

-- A secret that was given for that of the old key, which may be gone.
local function check_old_secret(old, id, secret)
  local problem
  if not secret then
    return true
  elseif old and secret:sub(-6) ~= old.value:sub(-6) then
    problem = "its last characters differ"
  elseif not stores.is_key(secret) then
    problem = "it must be that word and nothing else"
  end
  if problem then
    return refuse("wrong_old_secret", ("old_secret is not the secret of key %s: %s"):format(id, problem),
      refusals.again("Rotate without it", { drop = { "--old-secret-file", "--ask-old-secret" } }))
  end
  return true
end

---The old key must be what the user thinks it is.
---@param job confidentai.Job
---@param old? confidentai.ApiKey
---@param id string
---@param options table checked
---@return true?
---@return confidentai.Error? err
function preflight.check_old(job, old, id, options)
  if not old and not options.replace then
    return refuse_absent(job, id)
  elseif not old then
    return check_old_secret(nil, id, options.old_secret)
  elseif not old.valid and not options.replace then
    return refuse("key_disabled", ("%s is disabled: enable it, or create a new one with replace = true")
      :format(describe(job, old)),
      refusals.again("Enable it first", {}, ways.of_key(job.api_keys, "enable", id)),
      refusals.again("Create a new one without enabling it", { add = { "--replace" } }))
  elseif old.rotates_at then
    return refuse("rotated_by_service", ("the service itself rotates %s, at %s"):format(describe(job, old),
      old.rotates_at), refusals.show(job.api_keys, id))
  end
  return check_old_secret(old, id, options.old_secret)
end

---Keys, and their secrets in stores, are told apart by their last characters: where the service hides these, a new key
---could not be recognised, and what is created would have to be removed again.
---@param job confidentai.Job
---@param key? confidentai.ApiKey the old one
---@param keys confidentai.ApiKey[] all of the scope
---@return true?
---@return confidentai.Error? err
function preflight.check_ends(job, key, keys)
  local is_shown = key == nil and #keys == 0 or key ~= nil and calls.shows_end(key)
  for _, each in ipairs(key == nil and keys or {}) do
    is_shown = is_shown or calls.shows_end(each)
  end
  if is_shown then
    return true
  end
  return refuse("end_hidden", ("the service does not show the last 6 characters of %s, by which keys and secrets are "
    .. "told apart: nothing was created"):format(key and ("key %s (%s)"):format(tostring(key.id), key.value)
    or "these keys"), refusals.list(job.api_keys))
end

local function refuse_other(job, store, content, keys)
  local old, owner = job.record.old, store_content.owner(keys, content)
  local held = owner and "the secret of " .. describe(job, owner) or store_content.words(job, content)
  return refuse("store_holds_other", ("%s does not hold the secret of key %s, but %s: replace_store = true "
    .. "overwrites it"):format(store.label, old.id, held),
    not owner and content and refusals.identify(store),
    refusals.again("Overwrite it", { add = { "--replace-store" } }))
end

-- What a store holds must be the old key's secret and nothing else, or it may be somebody else's. Nothing lets a .env
-- file of several lines be replaced as a whole.
local function check_content(job, place, content, keys, options)
  local store, old = job.stores[place], job.record.old
  local problem, several, spec = store_content.env_file_problem(store, content)
  if problem and (several or not options.replace_store) then
    return refusals.env_file(problem, place, spec)
  elseif content == nil or options.replace_store then
    return true
  elseif old and stores.is_secret(content, old.last6) then
    return true
  elseif old then
    return refuse_other(job, store, content, keys)
  elseif not stores.is_nothing(content) then
    return refuse("store_not_empty", ("%s holds something already, and no record here says that it is this key's: give "
      .. "another store; replace_store = true overwrites it"):format(store.label),
      refusals.identify(store), refusals.again("Overwrite it", { add = { "--replace-store" } }))
  end
  return true
end

---The stores must be fit to be written, and hold what they should.
---@param job confidentai.Job with its record
---@param options table checked
---@param keys confidentai.ApiKey[] all of the scope
---@return true?
---@return confidentai.Error? err
function preflight.check_stores(job, options, keys)
  local old = job.record.old
  for place, store in ipairs(job.stores) do
    local ok, problem = store:preflight(job)
    if not ok then
      local fix = store.remedy and store:remedy()
      local err = core.failure { kind = "store",
        message = ("%s: %s"):format(store.label, stores.problem(store, problem)) }
      err.cause, err.ways = "store_unusable", fix and { refusals.again("Fix that, and run this again", {}, fix) }
      return nil, err
    end
    local content, err = stores.get(job, store)
    if content == nil and err then
      return nil, err
    end
    ok, err = check_content(job, place, content, keys, options)
    if not ok then
      return nil, err
    end
    if old and not job.old_secret and stores.is_secret(content, old.last6) then
      job.old_secret = content
    end
  end
  return true
end

---Another organization key must work, if the user asks for that: it could repair what goes wrong with this one.
---@param job confidentai.Job
---@param secret? string
---@param old? table identity
---@return true?
---@return confidentai.Error? err
function preflight.check_other_manager(job, secret, old)
  local without = refusals.again("Rotate without another manager", { drop = { "--other-manager-file" } })
  if not secret then
    return true
  elseif old and secret:sub(-6) == old.last6 then
    return refuse("same_manager", "require_other_manager is the key to be rotated: another one is needed",
      without)
  end
  local result, err = calls.try(job, secret)
  if result == "refused" then
    return refuse("manager_refused", "require_other_manager is refused by the service: another enabled organization "
      .. "key is needed", without)
  end
  return result and true, err
end

return preflight
