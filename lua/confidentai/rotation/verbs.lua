-- SPDX-License-Identifier: Apache-2.0
-- What a person may tell a rotation: confirm, roll back, keep (withdraw a rollback), republish, abandon. Each looks
-- before it writes, and refuses where it would mean nothing. The record is held and has just been read.

local advance = require "confidentai.rotation.advance"
local allowed = require "confidentai.rotation.allowed"
local calls = require "confidentai.rotation.calls"
local store_content = require "confidentai.rotation.store_content"
local identity = require "confidentai.rotation.identity"
local notice = require "confidentai.rotation.notice"
local proof = require "confidentai.rotation.proof"
local retire = require "confidentai.rotation.retire"
local rollback = require "confidentai.rotation.rollback"
local stores = require "confidentai.rotation.stores"
local ways = require "confidentai.rotation.ways"

local verbs = {}

-- Goes on, and gives what a Rotation's method returns.
local function go_on(job)
  local ok, more = advance.run(job)
  if not ok then
    return nil, more
  end
  return job.record.stop or job.record.state, more
end

-- Finds who acts. What the pending secret held is not known where it cannot be read: nothing is done without it.
local function prepare(job)
  if job.escrow.problem then
    return job:failure("state", job.escrow.problem)
  end
  local ok, err = identity.need(job)
  return ok, err
end

-- What a confirmation changes, by what it means (allowed.confirm).
local confirmed = {
  users_told = function(record) record.back.told = true end,
  put_back = function(record) record.back.put_back = true end, -- a store that can be read is read all the same
  new_used = function(record) record.back.use_confirmed = true end,
  old_used = function(record) record.use_confirmed = true end,
  taken_over = function(record) record.confirmed = true end,
  keys_stay = function(record) record.finished = true end,
}

---Notes what no evidence shows, where it was asked for. What was stopped by that question is not any more. The end of
---a soak that was confirmed before needs no second note.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err of kind "guard": there is nothing to confirm
function verbs.confirm(job)
  local record = job.record
  local means = allowed.confirm(record)
  if record.confirmed and record.state == "soaking" and not record.stop then
    return true
  elseif not means then
    return job:failure("guard", record.finished and "there is nothing to confirm: the rotation has ended"
      or record.reason and "confirm does not resolve this: " .. record.reason or "there is nothing to confirm now")
  end
  record.back = record.back or record.rollback and {} or nil
  confirmed[means](record)
  if not record.finished then
    job:clear_stop()
  end
  local ok, err = job:save "confirmed"
  return ok, err
end

---Goes back. Looks first: a way back that leads to no key that works is refused before anything is written.
---@param job confidentai.Job
---@param what string for the history
---@param now? boolean the new key does not soak
---@return string? state
---@return number|confidentai.Error|nil wait_or_err
function verbs.rollback(job, what, now)
  local record = job.record
  local ok, err
  if not record.rollback then
    local refusal = allowed.rollback(record)
    if refusal then
      return job:failure("guard", refusal)
    end
    ok, err = prepare(job)
    if ok then
      ok, err = rollback.look(job)
    end
    if not ok then
      return nil, err
    end
    -- That the new key has been taken over says nothing of the way back.
    record.rollback, record.confirmed, record.back = job:mark(), nil, { from = record.state, now = now }
    ok, err = job:save(what)
  elseif now and record.back and not record.back.now and not record.finished then
    record.back.now = true
    ok, err = job:save "the new key does not soak any longer"
  else
    ok = true
  end
  if not ok then
    return nil, err
  end
  local state, more = go_on(job)
  return state, more
end

-- The new key, fit to be used again; or nil and why not.
local function look_at_new(job)
  local record = job.record
  local new, err = calls.get(job, record.new.id)
  if new == nil then
    return nil, err
  elseif not new then
    return job:failure("guard", "the new key is gone: nothing was changed")
  elseif not calls.is_same(job, new, record.new) then
    return job:failure("guard", ("key %s is not the new key on record any more: nothing was changed"):format(
      record.new.id))
  end
  return new
end

-- The new secret works now. Otherwise an error.
local function prove(job)
  local result, err = proof.work(job)
  if result == "refused" then
    return job:failure("guard", "the service refuses the new key: enable it first")
  end
  return result and true, err
end

-- The new key works again, where the rollback has disabled it.
local function enable_new(job)
  local record, back = job.record, job.record.back
  local new, err = look_at_new(job)
  if not new then
    return nil, err
  elseif retire.is_unsettled(job, back) then
    return job:failure("guard", "a request that disables the new key may still take effect: try again in a minute")
  elseif not new.valid and (not back.disabling or back.disabled_by == "others") then
    return job:failure("guard", "the new key was disabled by another process or person: enable it first")
  elseif not new.valid then
    local ok
    ok, err = job:intend("enabling the new key", record.new.id)
    if ok then
      ok, err = calls.set_valid(job, record.new, true)
    end
    if not ok then
      return nil, err
    end
  end
  local ok
  ok, err = prove(job)
  return ok, err
end

---Withdraws a rollback: the new key stays, is written to the stores again, and soaks again.
---@param job confidentai.Job
---@return string? state
---@return number|confidentai.Error|nil wait_or_err
function verbs.keep(job)
  local record = job.record
  local refusal = allowed.keep(record)
  if refusal then
    return job:failure("guard", refusal)
  end
  record.back = record.back or {}
  local ok, err = prepare(job)
  if ok then
    ok, err = enable_new(job)
  end
  if not ok then
    return nil, err
  end
  -- While the old key is disabled still, the stores are as they were.
  local state = record.disabled and not record.restored and record.back.from or "published"
  if state == "published" then
    record.published, record.confirmed, record.old_use, record.taken_over = nil, nil, nil, nil
  end
  record.rollback, record.back, record.restored = nil, nil, nil
  ok, err = job:enter(state, "the rollback is withdrawn")
  if not ok then
    return nil, err
  end
  local more
  state, more = go_on(job)
  return state, more
end

-- Writes the stores again, as the record says what they are to hold: the old secret in a rollback; else the new one,
-- over what others have written before it was published. The step looks whether that key works.
local function write_again(job)
  local record = job.record
  if record.rollback then
    record.restored, record.back.soaks = nil, nil
  else
    record.overwrite = true
  end
  job:clear_stop()
  local ok, err = job:save "the stores are to be written again"
  if not ok then
    return nil, err
  end
  local state, more = go_on(job)
  return state, more
end

-- No store holds a .env file of several lines in the place of a secret: that would be lost.
local function look_at_files(job)
  for _, store in ipairs(job.stores) do
    local content, err = stores.get(job, store)
    if content == nil and err then
      return nil, err
    end
    local problem, several = store_content.env_file_problem(store, content)
    if several then
      return job:failure("guard", problem)
    end
  end
  return true
end

-- The new key works. Otherwise an error, with the ways on from that.
local function look_whether_it_works(job)
  local record = job.record
  local new, err = look_at_new(job)
  local ok
  if new and new.valid then
    ok, err = prove(job)
  elseif new then
    ok, err = job:failure("guard", "the new key is disabled: enable it first")
    err.ways = ways.list(ways.make("Enable the new key, and write it again",
      ways.of_key(record, "enable", record.new.id), ways.rotate(record, "republish"), ways.rotate(record, "advance")),
      ways.back(record))
  end
  if not ok and err.kind == "guard" and not err.ways then
    err.ways = ways.list(ways.back(record) or ways.renew(record), ways.abandon(record))
  end
  return ok, err
end

-- The new secret works and is in every store. Each store that is written is on record before.
local function publish_again(job)
  local ok, err = look_at_files(job)
  if ok then
    ok, err = look_whether_it_works(job)
  end
  if ok then
    ok, err = stores.put_all(job, proof.secret(job), function(store)
      local saved, problem = job:save("writing a store again", { store = store.label })
      return saved, problem
    end)
  end
  return ok, err
end

---Writes the stores that do not hold any more what this rotation has written: the new secret, after looking that it
---works; in a rollback the old one.
---@param job confidentai.Job
---@return string? state
---@return number|confidentai.Error|nil wait_or_err
function verbs.republish(job)
  local record = job.record
  local refusal = allowed.republish(record)
  local _, missing = stores.missing(job)
  if refusal or missing then
    return job:failure("guard", refusal or missing)
  end
  local ok, err = prepare(job)
  local state, more
  if not ok then
    return nil, err
  elseif record.rollback or not record.published then
    state, more = write_again(job)
    return state, more
  end
  ok, err = publish_again(job)
  if not ok then
    return nil, err
  end
  notice.owe(record, "published")
  if not record.disabling then -- who read something else meanwhile has to take the new key over again
    record.published, record.confirmed, record.old_use, record.taken_over = job:mark(), nil, nil, nil
    record.state = "soaking"
  end
  ok, err = job:enter(record.state, "published again")
  if not ok then
    return nil, err
  end
  state, more = go_on(job)
  return state, more
end

-- What is left at the service: keys, and names under which a key may still come to be.
local function leftovers(record)
  local list = {}
  local function add(identity_of, what)
    if identity_of and identity_of.id then
      list[#list + 1] = { id = identity_of.id, name = identity_of.name, last6 = identity_of.last6, what = what }
    end
  end
  add(record.old, "the old key")
  add(record.new, "the new key")
  for _, key in ipairs(record.quarantine) do
    if not record.new or key.id ~= record.new.id then
      add(key, "a key that was to be removed")
    end
  end
  for _, suspect in ipairs(record.suspects) do
    list[#list + 1] = { name = suspect.name, what = "a create without an answer" }
  end
  if record.attempt and not record.new then
    list[#list + 1] = { name = record.attempt.name, what = "a create without an answer" }
  end
  return list
end

---Closes the record: nothing is asked of the service, and no key is changed. They are named in it.
---@param job confidentai.Job
---@return string? state "abandoned"
---@return confidentai.Error? err
function verbs.abandon(job)
  local record = job.record
  if record.finished then
    return job:failure("guard", "the rotation has ended")
  end
  record.left = leftovers(record)
  record.quarantine, record.suspects, record.finished = {}, {}, true
  local ok, err = job:halt("abandoned", "it was abandoned: keys and stores stay as they are")
  if ok then
    ok, err = job.escrow:wipe()
  end
  if not ok then
    return nil, err
  end
  record.settled = true
  ok, err = job:keep()
  return ok and "abandoned", err
end

return verbs
