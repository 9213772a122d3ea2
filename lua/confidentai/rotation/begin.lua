-- SPDX-License-Identifier: Apache-2.0
-- How a rotation, or a provisioning, begins; or goes on, when it is under way. What lies in the state decides.

local advance = require "confidentai.rotation.advance"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local escrow = require "confidentai.rotation.escrow"
local guard = require "confidentai.rotation.guard"
local handle = require "confidentai.rotation.handle"
local history = require "confidentai.rotation.history"
local job = require "confidentai.rotation.job"
local names = require "confidentai.rotation.names"
local plan = require "confidentai.rotation.plan"
local record = require "confidentai.rotation.record"
local refusal = require "confidentai.refusal"
local state = require "confidentai.state"
local stores = require "confidentai.rotation.stores"

local begin = {}

local function client_of(api_keys)
  return core.environment(api_keys).client
end

-- A job that knows where records lie.
local function prepare(api_keys, checked)
  local self = job.new(client_of(api_keys), api_keys, checked)
  local problem
  self.state, problem = state.find(checked.state_dir)
  if not self.state then
    local _, err = record.failure(problem)
    err.state, err.outcome = "planned", "not_applied"
    return nil, err
  end
  self.record = { scope = api_keys.scope, state = "planned" }
  return self
end

local function place(api_keys)
  return api_keys.scope == "organization" and "organization" or "project." .. api_keys.project_id
end

-- Goes on with the rotation that is on record: with its stores, of which those that were given now may be some.
local function resume(self, existing, version)
  self.record, self.version = existing, version
  if self.upgraded then
    local ok, err = self:save "the old key is compromised: it goes without soak and grace"
    if not ok then
      return nil, err
    end
  end
  self.stores = stores.of_record(existing, self.stores)
  self.identified = not existing.self -- of a client's own key, it may be the new one that has to act
  self.escrow = escrow.open(self.state, self.key, existing.id)
  local ok, err = advance.run(self)
  return ok, err
end

-- A finished rotation leaves its suspects to the next one, which has the record. What these have made by now is not of
-- the keys that were there before.
local function inherit(self, existing, version, keys)
  self.version = version
  self.record.suspects, self.record.quarantine = existing.suspects, existing.quarantine
  local ours = {}
  for _, suspect in ipairs(existing.suspects) do
    for _, id in ipairs(calls.ids(self, guard.find(self, keys, suspect, existing))) do
      ours[id] = true
    end
  end
  for _, entry in ipairs(existing.quarantine) do
    ours[entry.id] = true
  end
  local snapshot = {}
  for _, id in ipairs(self.record.snapshot) do
    snapshot[#snapshot + 1] = not ours[id] and id or nil
  end
  self.record.snapshot = snapshot
end

-- Writes the record, when there is room for the escrow; then goes.
local function go(self)
  self.escrow = escrow.open(self.state, self.key, self.record.id)
  local ok, err = self.escrow:reserve()
  if ok then
    ok, err = self:save "planned"
    if not ok then
      self.escrow:wipe()
    end
  end
  if not ok then
    err.state, err.outcome = "planned", "not_applied"
    return nil, err
  end
  ok, err = advance.run(self)
  return ok, err
end

-- Ends the grace of the rotation before, as a new one of the same base is about to begin. The version of its record
-- then.
local function end_grace(self, existing, version, checked)
  local before = job.new(self.client, self.api_keys, checked)
  before.state, before.key = self.state, self.key
  existing.options.grace = 0
  local ok, err = resume(before, existing, version)
  if not ok then
    return nil, err
  elseif not existing.finished then
    return self:failure("guard", ("the rotation before, %s, cannot be ended: %s"):format(existing.id,
      existing.reason or existing.state), "not_applied")
  end
  return before.version
end

-- Whether each store that can be read holds the secret of a key, and how many can be.
local function is_held(self, last6)
  local count = 0
  for _, store in ipairs(self.stores) do
    local content, err = stores.get(self, store)
    if content == nil and err then
      return nil, err
    elseif content ~= nil and not stores.is_secret(content, last6) then
      return false, count
    end
    count = count + (content ~= nil and 1 or 0)
  end
  return true, count
end

-- The keys that may be the one of a record's base: that of a provisioning; of a rotation, either.
local function candidates(existing)
  if existing.kind ~= "provision" then
    return { existing.new, existing.old }
  end
  return { existing.finished and not existing.stop and existing.new or nil }
end

-- Whether the key of this name is there, works, and is in every store that can be read: then it is not made twice. Of a
-- rotation, some store has to show which of its keys that is.
local function is_provisioned(self, existing)
  for _, identity in ipairs(existing and candidates(existing) or {}) do
    local held, count = is_held(self, identity.last6)
    if held == nil then
      return nil, count
    elseif held and (count > 0 or existing.kind == "provision") then
      local key, err = calls.get(self, identity.id)
      if key == nil then
        return nil, err
      end
      self.provisioned = key and key.valid and key or nil
      return self.provisioned ~= nil
    end
  end
  return false
end

-- Returns true if a rotation that is on record lets a new one of its base begin. Its grace is ended by a rotation of
-- the key that works on, and by nothing else: the one that is kept is the way back.
local function is_over(existing, wanted)
  if not existing or existing.finished then
    return true
  end
  local stays = existing.rollback and existing.old_id or existing.new and existing.new.id
  return (existing.state == "grace" or existing.state == "done") and stays == wanted.old_id
end

-- Plans anew, and begins, unless only the plan is wanted.
local function start(self, checked, wanted, existing, version)
  local ok, err = plan.make(self, checked, wanted)
  if not ok then
    return nil, err
  elseif checked.dry_run then
    self.dry = true
    return true
  end
  if existing and not existing.finished then
    version, err = end_grace(self, existing, version, checked)
    if not version then
      return nil, err
    end
  end
  if existing then
    ok, err = history.keep(self.state, self.key, existing)
    if not ok then
      err.state, err.outcome = "planned", "not_applied"
      return nil, err
    end
    inherit(self, existing, version, wanted.keys)
  end
  ok, err = go(self)
  return ok, err
end

-- What is on record about the base decides: nothing, an ended rotation, this one, or another.
local function dispatch(self, checked, wanted)
  local existing, version = record.read(self.state, self.key)
  if not existing and version then
    return nil, version
  end
  local ok, err
  if wanted.kind == "provision" then
    ok, err = is_provisioned(self, existing)
    if ok ~= false then
      return ok, err
    end
  end
  local goes_back = existing and existing.rollback and existing.kind == "rotation"
  if existing and not existing.finished and existing.kind == wanted.kind and existing.old_id == wanted.old_id
    and not goes_back then
    ok, err = plan.agree(self, existing, checked)
    if ok then
      ok, err = resume(self, existing, version)
    end
    return ok, err
  elseif not is_over(existing, wanted) then
    ok, err = self:failure("guard", ("another rotation of '%s' is under way: %s%s (%s): advance that one to its end, "
      .. "or undo it by rollback or abort, first"):format(self.base, existing.id,
      existing.old_id and ", of key " .. existing.old_id or "", existing.stop or existing.state), "not_applied")
    err.next = ("it has to end before; how: confidentai rotate status %s"):format(existing.id)
    return ok, err
  end
  ok, err = start(self, checked, wanted, existing, version)
  return ok, err
end

local function find_name(self, keys, id)
  for _, key in ipairs(keys) do
    if core.key_id(self.api_keys, key) == id and key.name and key.name ~= "" then
      return key.name
    end
  end
end

-- A provisioning that cannot be finished goes back: there is a new key, or nothing.
local function undo(self, err)
  if self.record.published or not self.version or self.record.finished then
    return nil, err
  end
  self.record.rollback = self:mark()
  local ok, problem = self:save "going back"
  if ok then
    ok, problem = advance.run(self)
  end
  if not ok then
    err.message = ("%s; it could not be undone yet: %s"):format(err.message, problem.message)
  end
  err.state = self.record.stop or self.record.state
  return nil, err
end

-- A stop is no success: whoever begins wants to know.
local function stopped(self)
  if self.record.stop then
    return self:failure("guard", self.record.reason)
  end
  return true
end

-- The record of the rotation of the client's own key, from when on the service refuses that key.
local function find_own(self, id)
  for _, key in ipairs(self.state.list "records/" or {}) do
    local content, version = record.read(self.state, key)
    if content and content.self and not content.finished and content.base_url == self.client.base_url
      and content.old_id == id then
      return key, content, version
    end
  end
end

-- Goes on with the rotation of a key that the client uses and that does not work any more: the new one does.
local function resume_own(self, id, err)
  local key = refusal.is(err, 401) and self.record.scope == "organization" and find_own(self, id)
  if not key then
    return nil, err
  end
  self.key = key
  local ok, problem = handle.held(self.state, key, function()
    local _, content, version = find_own(self, id)
    if not content then
      return nil, err
    end
    local done, trouble = resume(self, content, version)
    if done then
      done, trouble = stopped(self)
    end
    return done, trouble
  end)
  return ok and self, problem
end

-- The base of the rotation of a key that the service does not list any more: it was deleted in the last step.
local function find_base(self, api_keys, id)
  local prefix = record.key("records", self.record.organization, place(api_keys), "")
  for _, key in ipairs(self.state.list(prefix) or {}) do
    local content = record.read(self.state, key)
    if content and content.old_id == id and not content.finished then
      return content.base
    end
  end
end

-- All keys of the scope, and the one that is to be rotated, which a short list may leave out: its address tells.
local function list_with(self, id)
  local keys, err = calls.list(self)
  if not keys then
    return nil, err
  end
  for _, key in ipairs(keys) do
    if not id or core.key_id(self.api_keys, key) == id then
      return keys
    end
  end
  local key = false
  if id then
    key, err = calls.get(self, id)
  end
  if key == nil then
    return nil, err
  end
  keys[#keys + 1] = key or nil
  return keys
end

-- A record lies under its base.
local LONGEST_KEY = 900

---Begins, or goes on with what is under way, until it must wait for soak or grace.
---@param api_keys confidentai.ApiKeys
---@param kind "rotation"|"provision"
---@param checked table options; `base` of a provisioning
---@param id? string of the key to rotate
---@return confidentai.Job?
---@return confidentai.Error? err with `state`
function begin.run(api_keys, kind, checked, id)
  local self, err = prepare(api_keys, checked)
  if not self then
    return nil, err
  end
  local organization
  organization, err = calls.organization(self)
  if not organization then
    err.state, err.outcome = "planned", "not_applied"
    self, err = resume_own(self, id, err)
    return self, err
  end
  self.record.organization, self.identified = organization, true
  local keys
  keys, err = list_with(self, id)
  if not keys then
    err.state, err.outcome = "planned", "not_applied"
    return nil, err
  end
  self.base = checked.base or names.base(find_name(self, keys, id)) or find_base(self, api_keys, id) or "key-" .. id
  self.key = record.key("records", self.record.organization, place(api_keys), self.base)
  if #self.key > LONGEST_KEY then
    return self:failure("guard", "the name of this key is too long for a record: give a shorter one as base",
      "not_applied")
  end
  local ok
  ok, err = handle.held(self.state, self.key, function()
    local done, problem = dispatch(self, checked, { kind = kind, base = self.base, old_id = id, keys = keys })
    if done then
      done, problem = stopped(self)
    end
    if not done and kind == "provision" then
      done, problem = undo(self, problem)
    end
    return done, problem
  end)
  if not ok then
    return nil, err
  end
  return self
end

return begin
