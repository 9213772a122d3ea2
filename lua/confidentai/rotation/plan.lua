-- SPDX-License-Identifier: Apache-2.0
-- planned: what a rotation finds out, and refuses, before anything is written anywhere.

local calls = require "confidentai.rotation.calls"
local store_content = require "confidentai.rotation.store_content"
local core = require "confidentai.core"
local names = require "confidentai.rotation.names"
local stores = require "confidentai.rotation.stores"

local plan = {}

-- Options that a record keeps; the others are of this process.
local KEPT = { "soak", "soak_max", "grace", "adoption", "settle", "replace", "compromised", "replace_store",
  "on_published", "on_published_folder" }

-- Seconds: the least for which an unclear create is looked for (rotation page).
local LEAST_SETTLE = 60

local function find(job, keys, id)
  for _, key in ipairs(keys) do
    if core.key_id(job.api_keys, key) == id then
      return key
    end
  end
end

local function refuse(message)
  return nil, core.failure { kind = "guard", message = message, state = "planned", outcome = "not_applied" }
end

-- The old key must be what the user thinks it is.
local function check_old(old, id, options)
  if not old and not options.replace then
    return refuse(("there is no key %s: replace = true makes a new one all the same"):format(id))
  elseif old and not old.valid and not options.replace then
    return refuse(("key %s is disabled: enable it, or make a new one all the same with replace = true"):format(id))
  elseif old and old.rotates_at then
    return refuse(("the service itself rotates key %s, at %s"):format(id, old.rotates_at))
  elseif old and options.old_secret and options.old_secret:sub(-6) ~= old.value:sub(-6) then
    return refuse(("old_secret is not the secret of key %s: its last characters differ"):format(id))
  elseif old and options.old_secret and not stores.is_key(options.old_secret) then
    return refuse(("old_secret is not the secret of key %s: it must be that word and nothing else"):format(id))
  end
  return true
end

-- Keys, and their secrets in stores, are told apart by their last characters: where the service hides these, a new key
-- could not be recognised, and what is created would have to be removed again.
local function check_ends(key, keys)
  local is_shown = key == nil and #keys == 0 or key ~= nil and calls.shows_end(key)
  for _, each in ipairs(key == nil and keys or {}) do
    is_shown = is_shown or calls.shows_end(each)
  end
  if is_shown then
    return true
  end
  return refuse(("the service does not show the last 6 characters of %s, by which keys and secrets are told apart: "
    .. "nothing was created"):format(key and ("key %s (%s)"):format(tostring(key.id), key.value) or "these keys"))
end

-- What a store holds must be the old key's secret and nothing else, or it may be somebody else's. Nothing lets a .env
-- file of several lines be replaced as a whole.
local function check_content(store, content, old, replace_store)
  local problem, several = store_content.env_file_problem(store, content)
  if problem and (several or not replace_store) then
    return refuse(problem)
  elseif content == nil or replace_store then
    return true
  elseif old and stores.is_secret(content, old.last6) then
    return true
  elseif old then
    return refuse(("%s does not hold the secret of key %s: replace_store = true writes it all the same")
      :format(store.label, old.id))
  elseif not stores.is_nothing(content) then
    return refuse(("%s holds something already, and no record here says that it is this key's: give another store; "
      .. "replace_store = true writes over it"):format(store.label))
  end
  return true
end

local function check_stores(job, options, old)
  for _, store in ipairs(job.stores) do
    local ok, problem = store:preflight(job)
    if not ok then
      return nil, core.failure { kind = "store", state = "planned", outcome = "not_applied",
        message = ("%s: %s"):format(store.label, stores.problem(store, problem)) }
    end
    local content, err = stores.get(job, store)
    if content == nil and err then
      err.state, err.outcome = "planned", "not_applied"
      return nil, err
    end
    ok, err = check_content(store, content, old, options.replace_store)
    if not ok then
      return nil, err
    end
    if old and not job.old_secret and stores.is_secret(content, old.last6) then
      job.old_secret = content
    end
  end
  return true
end

-- Somebody else must be able to mend things, if the user wants to be sure of it.
local function check_other_manager(job, secret, old)
  if not secret then
    return true
  elseif old and secret:sub(-6) == old.last6 then
    return refuse "require_other_manager is the key that is to be rotated: another one is needed"
  end
  local result, err = calls.try(job, secret)
  if result == "refused" then
    return refuse "require_other_manager is refused by the service: another enabled organization key is needed"
  end
  return result and true, err
end

local function options_of_record(job, options)
  local kept = {}
  for _, name in ipairs(KEPT) do
    kept[name] = options[name]
  end
  local settings = core.environment(job.client)
  kept.settle = options.settle or math.max(LEAST_SETTLE, 2 * (settings.timeout or 0))
  return kept
end

-- The record as it begins.
local function draft(job, options, wanted)
  local base, keys = wanted.base, wanted.keys
  return {
    kind = wanted.kind, old_id = wanted.old_id, id = names.op(job.random), base_url = job.client.base_url,
    organization = job.record.organization,
    scope = job.api_keys.scope, project_id = job.api_keys.project_id, base = base,
    state = "planned",
    options = options_of_record(job, options), stores = stores.describe(job.stores), history = {},
    generation = wanted.generation, snapshot = calls.ids(job, keys), quarantine = {}, suspects = {},
  }
end

---Plans. The job's record is set, and not yet written.
---@param job confidentai.Job with the organization in its record
---@param options table checked
---@param wanted confidentai.Wanted
---@return true?
---@return confidentai.Error? err nothing was changed
function plan.make(job, options, wanted)
  local id, ok, err, problem = wanted.old_id, true, nil
  local key = id and find(job, wanted.keys, id) or nil
  wanted.generation, problem = names.next(wanted.keys, wanted.base, wanted.highest)
  if not wanted.generation then
    return refuse(problem)
  end
  local record = draft(job, options, wanted)
  if id then
    ok, err = check_old(key, id, options)
  end
  if ok then
    ok, err = check_ends(key, wanted.keys)
  end
  if not ok then
    return nil, err
  end
  if key then
    record.old = calls.identity(job, key)
    record.self = key.scope == "organization" and job.client:owns(key) or nil
  end
  job.record = record
  if key then
    job:see(record.old.id, key)
  end
  ok, err = check_stores(job, options, record.old)
  if ok and record.scope == "organization" then
    ok, err = check_other_manager(job, options.require_other_manager, record.old)
  end
  if not ok then
    return nil, err
  end
  return true
end

local function is_equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  return table.concat(a, "\0") == table.concat(b, "\0")
end

-- What was asked for differently than the rotation that is under way was begun; nil: nothing. A key that is found to be
-- compromised meanwhile has its rotation go on without soak and grace, whatever they were.
local function find_difference(self, existing, checked)
  local labels = {}
  for _, description in ipairs(existing.stores) do
    labels[description.label] = true
  end
  for _, store in ipairs(self.stores) do
    if not labels[store.label] then
      return "store = " .. store.label
    end
  end
  for _, name in ipairs(KEPT) do
    local urgent = checked.compromised and (name == "soak" or name == "grace" or name == "compromised")
    if checked.given[name] and name ~= "settle" and not urgent
      and not is_equal(checked[name], existing.options[name]) then
      return ("%s = %s"):format(name, tostring(checked[name]))
    end
  end
end

---Takes the options of a rotation that is begun again into account.
---@param self confidentai.Job
---@param existing table the record
---@param checked table options
---@return true? agreed it goes on; `upgraded` of the job: the record has changed, and is to be written
---@return confidentai.Error? err of kind "guard": it was begun with others
function plan.agree(self, existing, checked)
  local difference = find_difference(self, existing, checked)
  if difference then
    return self:failure("guard", ("the rotation %s of this key is under way, and was begun with another %s: end or "
      .. "undo it first, or leave that option out"):format(existing.id, difference:match "^[%w_]+"), "not_applied")
  elseif checked.compromised and not existing.options.compromised then
    if existing.rollback then
      return self:failure("guard", ("the rotation %s is going back to this key: it has to end before"):format(
        existing.id), "not_applied")
    end
    existing.options.compromised, existing.options.soak, existing.options.grace = true, 0, 0
    self.upgraded = true
  end
  return true
end

return plan
