-- SPDX-License-Identifier: Apache-2.0
-- ensure: for jobs whose disks vanish. One safe step a run; what is to be known is in the store and in the service's
-- own list of keys. It needs one writer at a time. A store that holds nothing, and a list that shows nothing, are never
-- evidence that a key is lost.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local empty_store = require "confidentai.rotation.empty_store"
local generations = require "confidentai.rotation.generations"
local held_secrets = require "confidentai.rotation.held_secrets"
local job = require "confidentai.rotation.job"
local last_used = require "confidentai.rotation.last_used"
local refusals = require "confidentai.rotation.refusals"
local retirement = require "confidentai.rotation.retirement"
local store_note = require "confidentai.rotation.store_note"
local stores = require "confidentai.rotation.stores"
local successor = require "confidentai.rotation.successor"
local timestamp = require "confidentai.timestamp"

local ensure = {}

---@class confidentai.EnsureResult
---@field action "none"|"created"|"disabled"|"deleted" what was done
---@field key? confidentai.ApiKey the current one; nil: there is none yet
---@field id? string of the key that it was done to
---@field wait? number seconds until there is more to do
---@field reason? string why it was done, or not
---@field notice? { state: "failed"|"succeeded", problem: string? } how on_published fared

-- Seconds: the least for which an unclear create may still become a key.
local LEAST_SETTLE = 60

local NO_DATE = "the service's answers have no Date header, so that nothing is done by age"

-- The keys of the base, around the one that the stores hold. A run that was broken off may have written some of the
-- stores only: the latest generation counts then.
local function look(self, family, contents, options)
  local best, chosen, unknown = nil, nil, {}
  for _, content in ipairs(contents) do
    local view, err = generations.around(self, family, content)
    if not view then
      return nil, err
    elseif not view.current then
      unknown[#unknown + 1] = content
    elseif not best or view.generation > best.generation then
      best, chosen = view, content
    end
  end
  if unknown[1] and contents[2] and not options.renew then
    return held_secrets.refuse_different(family, contents)
  end
  for _, secret in ipairs(unknown) do
    local ok, err = held_secrets.check_unknown(self, family, contents.store_of[secret], secret, options)
    if not ok then
      return nil, err
    end
  end
  if best then
    return best, nil, chosen
  end
  local view, err = generations.around(self, family, false)
  return view, err
end

-- Seconds since a key was created, by the service's clock; nil: that is not known.
local function age_of(self, key)
  local now, created = self:mark().service, generations.created(key)
  return now and created and now - created
end

-- The seconds for which a newer key that no store holds may still be another run's; nil: none is so young.
local function pending_for(self, view, options)
  local longest
  for _, key in ipairs(view.newer) do
    local age = age_of(self, key)
    if key.valid and not (age and age >= options.pending) then
      longest = math.max(longest or 0, options.pending - (age or 0))
    end
  end
  return longest
end

-- Nothing in the store is a key of this base: a first one is made, unless something else is there.
local function begin(self, view, options, contents, family)
  if contents[1] then
    local result, err = successor.create(self, view, "the secret that was there does not work")
    return result, err
  elseif options.adopt then
    return refusals.make("nothing_to_adopt", ("%s holds nothing, and key %s was to be adopted from there"):format(
      self.stores[1].label, tostring(options.adopt)),
      refusals.again("Make a first key, and leave that one alone", { drop = { "--adopt" } }))
  end
  local again, err = generations.list(self, view.base) -- a list may leave keys out
  if not again then
    return nil, err
  end
  for _, each in ipairs { family, again } do
    local ok
    ok, err = empty_store.check(self, each, options)
    if not ok then
      return nil, err
    end
  end
  local wait = not options.abandon and pending_for(self, view, options)
  if wait then
    return { action = "none", wait = wait, reason = "a key is being made, or was lost" }
  end
  local result
  result, err = successor.create(self, view, options.abandon and "the one before is lost" or "there was none")
  return result, err
end

-- The key that the client itself uses may go only where the next run finds its successor.
local function check_manager(self, view, options)
  for _, list in ipairs { { view.current }, view.older, view.newer } do
    for _, key in ipairs(list) do
      if key.scope == "organization" and self.client:owns(key) ~= false and not options.manager_store then
        return refusals.make("own_key",
          "this would replace the client's own key: manager_store says where the client finds its next one")
      end
    end
  end
  return true
end

-- A newer key that is in use, and in no store of ours, is another writer's.
local function check_newer(self, view, options)
  local now = self:mark().service
  for _, key in ipairs(view.newer) do
    local created, id = generations.created(key), core.key_id(self.api_keys, key)
    local own = created and created + options.pending -- until then the run that made it may have used it
    local kind, used = timestamp.read(key.last_used)
    if key.valid and kind == "time" and id ~= options.abandon and not (own and used <= own)
      and now - used < math.max(options.soak, options.pending) then
      local text = "key %s '%s' is newer than the one that the store holds, and it is in use (%s): does another "
        .. "process write the keys of '%s'? abandon = id retires that key"
      return refusals.make("newer_in_use", text:format(id, key.name, last_used.words(self, key), view.base),
        refusals.show(self.api_keys, id),
        refusals.again("If that key is not needed: retire it", { drop = { "--abandon" }, add = { "--abandon", id } }))
    end
  end
  return true
end

local function is_any_enabled(keys)
  for _, key in ipairs(keys) do
    if key.valid then
      return true
    end
  end
  return false
end

-- Retires what is due, unless the users of the stores could not be told. As of retirement.work.
local function retire(self, view, options, late, notice)
  if not view.older[1] and not view.newer[1] then
    return false
  elseif notice and notice.state == "failed" then
    return false, nil, nil, "on_published has failed: the older keys stay as they are"
  end
  local facts, problem = store_note.read(self, view, late)
  if not facts then
    return false, nil, nil, problem
  end
  facts.now = self:mark().service
  local result, err, wait, reason = retirement.work(self, view, options, facts)
  return result, err, wait, reason
end

-- Replaces the current key if it is too old. False: it is not.
local function renew(self, view, options)
  local age = age_of(self, view.current)
  if age < options.max_age then
    return false, nil, options.max_age - age
  end
  local wait = pending_for(self, view, options)
  if wait then
    return { key = view.current, action = "none", wait = wait, reason = "a newer key is being made, or was lost" }
  end
  local result, err = successor.create(self, view, "the current key is too old")
  return result, err
end

-- The current key works, and all stores hold it: what is due comes, one thing a run.
local function maintain(self, view, options, late)
  if not generations.created(view.current) then
    local text = "the time when key %s was created cannot be read, so its age is unknown: nothing was changed"
    return refusals.make("age_unreadable", text:format(view.current.name), refusals.list(self.api_keys))
  elseif not self:mark().service then
    return { key = view.current, action = "none", reason = NO_DATE }
  end
  local ok, err = check_newer(self, view, options)
  if not ok then
    return nil, err
  end
  local notice = is_any_enabled(view.older) and successor.tell(self) or nil
  local result, wait, reason, due
  result, err, wait, reason = retire(self, view, options, late, notice)
  if result == false then
    result, err, due = renew(self, view, options)
    wait = wait and due and math.min(wait, due) or wait or due
  end
  if result == false then
    result = { key = view.current, action = "none", wait = wait, reason = reason }
  end
  if result then
    result.notice = result.notice or notice
  end
  return result, err
end

-- Whether the store's key works. A list that shows it disabled is not believed, as lists may be stale.
local function is_working(self, view, content)
  if not view.current.valid then
    local key, err = calls.get(self, calls.identity(self, view.current).id)
    if key == nil then
      return nil, err
    elseif not key or not key.valid then
      return false
    end
  end
  local result, err = successor.try(self, content)
  if result then
    return result == "accepted"
  end
  return nil, err
end

-- The store's key is known: it must work, and be in every store.
local function go_on(self, view, options, content, late)
  local works, err = is_working(self, view, content)
  if works == nil then
    return nil, err
  end
  local result
  if not works then
    result, err = successor.create(self, view, "the current key does not work")
    return result, err
  elseif options.abandon == core.key_id(self.api_keys, view.current) then
    return refusals.make("not_lost", ("key %s is not lost: %s holds its secret, which works"):format(options.abandon,
      self.stores[1].label), refusals.again("Keep it", { drop = { "--abandon" } }))
  end
  result, err = stores.put_all(self, content)
  if result then
    options.content = content
    result, err = maintain(self, view, options, late)
  end
  return result, err
end

-- A job without a record.
local function prepare(client, api_keys, options)
  local self = job.new(client, api_keys, options)
  if options.manager_store then
    self.stores = { options.manager_store }
    for i, store in ipairs(options.stores) do
      self.stores[i + 1] = store
    end
  end
  self.record, self.options = { scope = api_keys.scope, state = "ensure" }, options
  -- Whoever made a newer key has ended or died after so long.
  options.pending = math.max(LEAST_SETTLE, options.settle or 0) + 2 * (core.environment(client).timeout or 30)
  return self
end

---Makes one step.
---@param api_keys confidentai.ApiKeys
---@param base string
---@param options table checked
---@return confidentai.EnsureResult? result
---@return confidentai.Error? err
function ensure.run(api_keys, base, options)
  local self = prepare(core.environment(api_keys).client, api_keys, options)
  local err, contents, empty, family, view, content, result
  self.record.organization, err = calls.organization(self)
  if not self.record.organization then
    return nil, err
  end
  contents, err, empty = held_secrets.read(self)
  if not contents then
    return nil, err
  end
  family, err = generations.list(self, base, options.adopt)
  if not family then
    return nil, err
  end
  self.record.snapshot = calls.ids(self, family.all) -- by which a later list is known to be complete
  view, err, content = look(self, family, contents, options)
  if not view then
    return nil, err
  end
  result, err = check_manager(self, view, options)
  if result and view.current then
    result, err = go_on(self, view, options, content, empty or #contents > 1)
  elseif result then
    result, err = begin(self, view, options, contents, family)
  end
  return result, err
end

return ensure
