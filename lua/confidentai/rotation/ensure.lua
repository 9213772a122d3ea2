-- SPDX-License-Identifier: Apache-2.0
-- ensure: for jobs whose disks vanish. One safe step a run; what is to be known is in the store and in the service's
-- own list of keys. It needs one writer at a time.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local elapsed = require "confidentai.rotation.elapsed"
local generations = require "confidentai.rotation.generations"
local guard = require "confidentai.rotation.guard"
local job = require "confidentai.rotation.job"
local names = require "confidentai.rotation.names"
local notice = require "confidentai.rotation.notice"
local stores = require "confidentai.rotation.stores"

local ensure = {}

---@class confidentai.EnsureResult
---@field action "none"|"created"|"disabled"|"deleted"|"removed" what was done
---@field key? confidentai.ApiKey the current one; nil: there is none yet
---@field id? string of the key that it was done to
---@field wait? number seconds until there is more to do
---@field reason? string why it was done, or not
---@field notice? { state: "failed"|"succeeded", problem: string? } how on_published fared

-- Seconds: the least for which an unclear create may still become a key; and between two tries of a new secret, while
-- the service spreads it.
local LEAST_SETTLE, POLL, PROPAGATION = 60, 1, 60

local function refuse(message)
  return nil, core.failure { kind = "guard", message = message, outcome = "not_applied" }
end

-- What the stores hold: an array of different texts, without those that hold nothing.
local function read_stores(self)
  local contents, seen = {}, {}
  for _, store in ipairs(self.stores) do
    if not store.readable then
      return refuse(("%s cannot be read, and ensure keeps what it has to know there: give it a check")
        :format(store.label))
    end
    local held, err = stores.get(self, store)
    if held == nil then
      return nil, err
    elseif held and not seen[held] then
      seen[held] = true
      contents[#contents + 1] = held
    end
  end
  return contents
end

-- The keys of the base, around the one that the stores hold. A run that was broken off may have written some of the
-- stores only: the latest generation counts then.
local function look(self, base, contents, adopt)
  if not contents[2] then
    local view, err = generations.look(self, base, contents[1] or false, adopt)
    return view, err, contents[1] or false
  end
  local best, chosen, highest
  for _, content in ipairs(contents) do
    local view, err = generations.look(self, base, content, adopt)
    if not view then
      return nil, err
    elseif not view.current then
      return refuse(("the stores hold different secrets, and one is of no key of '%s': make them the same first")
        :format(base))
    end
    local _, generation = names.parse(view.current.name)
    if not best or (generation or 0) > highest then
      best, chosen, highest = view, content, generation or 0
    end
  end
  return best, nil, chosen
end

-- Tries a secret until it is accepted, or was refused for so long that it is no matter of time.
local function try_for_a_while(self, secret)
  local begun = self.clock()
  while true do
    local result, err = calls.try(self, secret)
    if result ~= "refused" or self.clock() - begun >= PROPAGATION then
      return result, err
    end
    local _, problem = self.pause(POLL)
    if problem then
      return nil, problem
    end
  end
end

local function prove(self, secret, identity)
  local result, err = try_for_a_while(self, secret)
  if result == "accepted" and self.record.scope == "organization" then
    result, err = calls.try_managing(self, secret, identity)
  end
  if result == "refused" then
    return self:failure("guard", "the service refuses the new key's secret")
  end
  return result and true, err
end

-- Removes a key, where the guard allows it.
local function remove(self, identity, facts)
  local done, reason = guard.remove(self, identity, facts)
  if done == false then
    return self:failure("guard", ("key %s is not removed: %s"):format(identity.id, reason))
  end
  return done and true, reason
end

-- A new key that cannot be used goes at once, while its id is known; else a later run finds it.
local function drop(self, identity, err)
  local ok, problem = remove(self, identity, { named = true, own_use = self:mark(), ours_alone = true })
  if not ok then
    err.message = ("%s; the new key could not be removed yet: %s"):format(err.message, problem.message)
  end
  return nil, err
end

-- Tells the users of the stores. Nobody tries again later: there is no record of it.
local function tell(self)
  if not self.options.on_published then
    return nil
  end
  local done, problem = notice.run(self, self.options)
  return { state = done and "succeeded" or "failed", problem = problem }
end

-- Creates the next generation, proves it and publishes it.
local function create(self, base, keys, why)
  local name = names.make(base, names.highest(keys, base) + 1, names.op(self.random))
  for _, store in ipairs(self.stores) do
    local ok, problem = store:preflight(self)
    if not ok then
      return self:failure("store", ("%s: %s"):format(store.label, stores.problem(store, problem)), "not_applied")
    end
  end
  local key, err = calls.create_now(self, name)
  if not key then
    return nil, err
  end
  local identity, secret = calls.identity(self, key), key.value
  local ok
  if key.name ~= name then
    ok, err = self:failure("guard", "the service changed the name of the new key")
  else
    ok, err = prove(self, secret, identity)
  end
  if not ok then
    return drop(self, identity, err)
  end
  ok, err = stores.put_all(self, secret)
  if not ok then
    local held = stores.get(self, self.stores[1])
    if held == secret or held == nil then
      return nil, err -- it may be current: the next run reads the stores, and writes those that are left
    end
    return drop(self, identity, err)
  end
  key:forget()
  return { key = key, action = "created", reason = why, notice = tell(self) }
end

-- Changes an older key as whoever is not that key.
local function act(self, content, key)
  if key.scope == "organization" and self.client:owns(key) then
    self.credential = content
  end
end

-- Disables or deletes what is due of the keys before the current one.
local function retire(self, view, options, content, age)
  for _, key in ipairs(view.older) do
    act(self, content, key)
    local identity = calls.identity(self, key)
    if key.valid and age >= options.soak then
      local result, err = calls.set_valid(self, identity, false)
      return result and { key = view.current, action = "disabled", id = identity.id }, err
    elseif not key.valid and age >= options.soak + options.grace then
      local result, err = remove(self, identity, { named = true, use_confirmed = true, ours_alone = true })
      return result and { key = view.current, action = "deleted", id = identity.id }, err
    end
  end
  return false
end

-- Returns the seconds since a key was created: of one whose creation cannot be read, so few that nothing is due.
local function age_of(self, key)
  return elapsed.dated(self:mark()) - (generations.created(key) or math.huge)
end

-- Seconds after which a key that no store holds is nobody's: whoever made it has ended or died.
local function settle_of(options)
  return math.max(LEAST_SETTLE, options.settle or 0) + options.limit
end

-- Removes newer keys that no store holds: a run made them, and did not live to publish them. Young ones may be another
-- run's, which is not supposed to be there, but is not to be robbed of its key.
local function remove_newer(self, view, settle)
  for _, key in ipairs(view.newer) do
    if age_of(self, key) >= settle then
      local identity = calls.identity(self, key)
      local ok, err = remove(self, identity, { named = true, ours_alone = true })
      return ok and { key = view.current, action = "removed", id = identity.id }, err
    end
  end
  return false
end

local function wait_of(view, options, age)
  local due = options.max_age - age
  for _, key in ipairs(view.older) do
    due = math.min(due, (key.valid and options.soak or options.soak + options.grace) - age)
  end
  return math.max(0, due)
end

-- The current key works: what is due comes, one thing a run.
local function maintain(self, view, options, content)
  if not generations.created(view.current) then
    return refuse(("when key %s was created cannot be read, so that its age is unknown: nothing was changed"):format(
      view.current.name))
  end
  local age, settle = age_of(self, view.current), settle_of(options)
  local result, err = remove_newer(self, view, settle)
  if result == false then
    result, err = retire(self, view, options, content, age)
  end
  if result == false and age >= options.max_age then
    if #view.newer > 0 then
      return { key = view.current, action = "none", wait = settle, reason = "a newer key is being made, or was lost" }
    end
    result, err = create(self, view.base, view.all, "the current key is too old")
  end
  if result == false then
    result = { key = view.current, action = "none", wait = wait_of(view, options, age) }
  end
  return result, err
end

-- Nothing in the store is a key of this base: a first one is made, unless something else is there.
local function begin(self, view, options, content)
  if content then
    return refuse(("%s holds the secret of no key of '%s': adopt = id names the key that it is of")
      :format(self.stores[1].label, view.base))
  elseif options.adopt then
    return refuse(("%s holds nothing, and key %s was to be adopted from there"):format(self.stores[1].label,
      tostring(options.adopt)))
  elseif #view.newer > 0 then
    local settle = settle_of(options)
    local result, err = remove_newer(self, view, settle)
    if result == false then
      result = { action = "none", wait = settle, reason = "a key is being made, or was lost" }
    end
    return result, err
  end
  local result, err = create(self, view.base, view.all, "there was none")
  return result, err
end

-- The key that the client itself uses may go only where the next run finds its successor.
local function check_manager(self, view, options)
  for _, key in ipairs(view.used) do
    if key.scope == "organization" and self.client:owns(key) ~= false and not options.manager_store then
      return refuse "this would replace the client's own key: manager_store says where the client finds its next one"
    end
  end
  return true
end

-- The store's key is known: it must work, and be in every store.
local function go_on(self, view, options, content)
  local result, err = calls.try(self, content)
  if result == "accepted" and view.current.valid then
    result, err = stores.put_all(self, content)
    if result then
      result, err = maintain(self, view, options, content)
    end
  elseif result then
    result, err = create(self, view.base, view.all, "the current key does not work")
  end
  return result, err
end

---Makes one step.
---@param api_keys confidentai.ApiKeys
---@param base string
---@param options table checked
---@return confidentai.EnsureResult? result
---@return confidentai.Error? err
function ensure.run(api_keys, base, options)
  local client = core.environment(api_keys).client
  local self = job.new(client, api_keys, options)
  if options.manager_store then
    self.stores = { options.manager_store }
    for i, store in ipairs(options.stores) do
      self.stores[i + 1] = store
    end
  end
  self.record, self.options = { scope = api_keys.scope, state = "ensure" }, options
  local err, contents, content, view
  self.record.organization, err = calls.organization(self)
  if not self.record.organization then
    return nil, err
  end
  contents, err = read_stores(self)
  if not contents then
    return nil, err
  end
  view, err, content = look(self, base, contents, options.adopt)
  if not view then
    return nil, err
  end
  options.limit = 2 * (core.environment(client).timeout or 30)
  local result
  if not view.current then
    result, err = begin(self, view, options, content)
    return result, err
  end
  result, err = check_manager(self, view, options)
  if result then
    result, err = go_on(self, view, options, content)
  end
  return result, err
end

return ensure
