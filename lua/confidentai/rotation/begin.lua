-- SPDX-License-Identifier: Apache-2.0
-- Begins a rotation or a provisioning, or continues one that is under way: the records in the state decide. The base is
-- held until a record says what has begun.

local advance = require "confidentai.rotation.advance"
local base_records = require "confidentai.rotation.base_records"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local escrow = require "confidentai.rotation.escrow"
local handle = require "confidentai.rotation.handle"
local job = require "confidentai.rotation.job"
local names = require "confidentai.rotation.names"
local plan = require "confidentai.rotation.plan"
local record = require "confidentai.rotation.record"
local refusal = require "confidentai.refusal"
local refusals = require "confidentai.rotation.refusals"
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
    return refusals.planned(record.failure(problem))
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
    local ok, err = self:save "the old key is compromised: no soak and no grace"
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
    refusals.attach(err, self)
  end
  err.state = self.record.stop or self.record.state
  return nil, err
end

-- Works on the record, held, and releases the base once the record says what has begun. A stop is an error to the
-- caller. A provisioning that cannot be finished is undone.
local function work_on_record(self, kind, work)
  local ok, err = handle.held(self.state, self.key, function()
    local done, problem = work()
    if done and self.record.stop then
      done, problem = self:failure("guard", self.record.reason)
      refusals.attach(problem, self)
    end
    if not done and kind == "provision" then
      done, problem = undo(self, problem)
    end
    return done, problem
  end)
  return ok, err
end

-- Reads a record that was under way, now that it is held: another process may have continued, and ended it.
local function read_held(self, key)
  local content, version = record.read(self.state, key)
  if not content then
    return nil, version or select(2, record.failure "the rotation that was under way has just ended: try again")
  end
  return content, version
end

-- Continues what is under way.
local function go_on(self, checked, same, let_go)
  self.key = same.key
  local ok, err = work_on_record(self, same.content.kind, function()
    local content, version = read_held(self, self.key)
    if not content then
      return nil, version
    end
    local done, problem = plan.agree(self, content, checked)
    if done then
      let_go()
      done, problem = resume(self, content, version)
    end
    return done, problem
  end)
  return ok, err
end

-- Ends the grace of the rotation before, as a new one of the key that works on is about to begin.
local function end_grace(self, item, checked)
  local before = job.new(self.client, self.api_keys, checked)
  before.state, before.key = self.state, item.key
  local ended, err = handle.held(self.state, item.key, function()
    local content, version = read_held(self, item.key)
    if not content then
      return nil, version
    end
    before.ends_grace = true
    local ok, problem = resume(before, content, version)
    if not ok then
      return nil, problem
    elseif not content.finished then
      local text = "the previous rotation, %s, cannot be ended: %s"
      return refusals.planned(refusals.of_rotation("unended", text:format(content.id, content.reason or content.state),
        before))
    end
    return true
  end)
  if ended then
    item.content, item.version = before.record, before.version
  end
  return ended, err
end

-- Makes way for the record of a new rotation, and writes it. Returns the records that are passed on to it.
local function write_first(self, list, wanted, checked)
  for _, item in ipairs(list) do
    if base_records.is_ending(item.content, wanted) then
      local ok, err = end_grace(self, item, checked)
      if not ok then
        return nil, err
      end
    end
  end
  local passed, err = base_records.pass_on(self, list, wanted)
  local ok
  if passed then
    ok, err = self:save "planned"
  end
  if not ok then
    return refusals.planned(nil, err)
  end
  return passed
end

-- Writes the record, when there is room for the escrow; then goes.
local function go(self, list, wanted, checked, let_go)
  self.escrow = escrow.open(self.state, self.key, self.record.id)
  local ok, err = self.escrow:reserve()
  if not ok then
    return refusals.planned(nil, err)
  end
  local passed
  passed, err = write_first(self, list, wanted, checked)
  if not passed then
    self.escrow:wipe()
    return nil, err
  end
  base_records.remove(self.state, passed)
  let_go()
  ok, err = advance.run(self)
  return ok, err
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
  if existing.kind == "provision" then
    return { existing.finished and not existing.stop and existing.new or nil }
  elseif not existing.new then
    return { existing.old }
  end
  return { existing.new, existing.old }
end

-- Whether the key of this name is there, works, and is in every store that can be read: then it is not made twice. Of a
-- rotation, some store has to show which of its keys that is.
local function is_provisioned(self, list)
  for _, item in ipairs(list) do
    for _, identity in ipairs(candidates(item.content)) do
      local held, count = is_held(self, identity.last6)
      if held == nil then
        return nil, count
      elseif held and (count > 0 or item.content.kind == "provision") then
        local key, err = calls.get(self, identity.id)
        if key == nil then
          return nil, err
        elseif key and key.valid then
          self.provisioned = key
          return true
        end
      end
    end
  end
  return false
end

-- Plans anew, and begins, unless only the plan is wanted.
local function start(self, checked, wanted, list, let_go)
  wanted.highest = base_records.highest(list)
  local ok, err = plan.make(self, checked, wanted)
  if not ok then
    return refusals.planned(nil, err)
  elseif checked.dry_run then
    self.dry = true
    return true
  end
  self.key = record.key(self.base_key, self.record.generation)
  ok, err = work_on_record(self, wanted.kind, function()
    local done, problem = go(self, list, wanted, checked, let_go)
    return done, problem
  end)
  return ok, err
end

-- What is on record about the base decides: nothing, ended rotations, this one, or one that this one would disturb.
local function dispatch(self, checked, wanted, let_go)
  local list, err = base_records.read(self.state, self.base_key)
  if err then
    return nil, err
  end
  local ok
  if wanted.kind == "provision" then
    ok, err = is_provisioned(self, list)
    if ok ~= false then
      return ok, err
    end
  end
  local same = base_records.find_same(list, wanted)
  if same then
    ok, err = go_on(self, checked, same, let_go)
    return ok, err
  end
  local obstacle = base_records.find_obstacle(list, wanted)
  if obstacle then
    local content = obstacle.content
    local text = "another rotation of '%s' is under way: %s%s (%s): advance that one to its end, or undo it by "
      .. "rollback or abort, first"
    text = text:format(self.base, content.id, content.old_id and ", of key " .. content.old_id or "",
      content.stop or content.state)
    return refusals.planned(refusals.of_rotation("under_way", text,
      { record = content, state = self.state, key = obstacle.key }))
  end
  ok, err = start(self, checked, wanted, list, let_go)
  return ok, err
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
  local ok, problem = work_on_record(self, "rotation", function()
    local _, content, version = find_own(self, id)
    if not content then
      return nil, err
    end
    local done, trouble = resume(self, content, version)
    return done, trouble
  end)
  return ok and self, problem
end

-- The base of the rotation of a key that is under way: it may have been given, or the key may not be listed any more.
local function find_base(self, api_keys, id)
  local prefix = record.base_key(self.record.organization, place(api_keys), "")
  for _, key in ipairs(id and self.state.list(prefix) or {}) do
    local content = record.read(self.state, key)
    if content and content.old_id == id and not content.finished then
      return content.base
    end
  end
end

-- All keys of the scope, and the one that is to be rotated, which a short list may leave out: its address tells.
local function list_with(self, id)
  local keys, err = calls.list(self)
  if not keys or not id then
    return keys, err
  end
  for _, key in ipairs(keys) do
    if core.key_id(self.api_keys, key) == id then
      return keys, key
    end
  end
  local key
  key, err = calls.get(self, id)
  if key == nil then
    return nil, err
  end
  keys[#keys + 1] = key or nil
  return keys, key or nil
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
    self, err = resume_own(self, id, select(2, refusals.planned(nil, err)))
    return self, err
  end
  self.record.organization, self.identified = organization, true
  local keys, key = list_with(self, id)
  if not keys then
    return refusals.planned(nil, key)
  end
  local name, under_way = key and key.name ~= "" and key.name or nil, find_base(self, api_keys, id)
  self.base = under_way or checked.base or names.base(name) or "key-" .. id
  if checked.base and checked.base ~= self.base then
    local text = "key %s is being rotated under the name '%s': leave base out, or end that rotation first"
    return refusals.planned(refusals.make("other_base", text:format(id, self.base),
      refusals.again("Continue that rotation", { drop = { "--base" } })))
  end
  self.base_key = record.base_key(self.record.organization, place(api_keys), self.base)
  if #self.base_key > LONGEST_KEY then
    local text = "the name of this key is too long for a record: give a shorter one as base"
    return refusals.planned(refusals.make("name_too_long", text,
      id and refusals.again("Give it a shorter name", { drop = { "--base" }, add = { "--base", "key-" .. id } })))
  end
  local ok
  ok, err = handle.held(self.state, self.base_key, function(let_go)
    local done, problem = dispatch(self, checked,
      { kind = kind, base = self.base, old_id = id, key = key, name = name, keys = keys }, let_go)
    return done, problem
  end)
  if not ok then
    return nil, err
  end
  return self
end

return begin
