-- SPDX-License-Identifier: Apache-2.0
-- The one place that decides whether a key may be removed, and that removes it. A key is removed only if
--   1. no store that can be read holds its secret, as far as the last characters tell;
--   2. no other has used it since this rotation did, and the service is known to show uses;
--   3. the user named it, or this rotation made it: it was not there before the create, and was created after that was
--      sent;
--   4. it was disabled, and nobody missed it for as long as users take to read a store again;
--   5. and it counts as gone only when its address and a complete list say so.
-- What cannot be read, or was not shown, speaks against removing it.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local elapsed = require "confidentai.rotation.elapsed"
local last_used = require "confidentai.rotation.last_used"
local names = require "confidentai.rotation.names"
local stores = require "confidentai.rotation.stores"
local timestamp = require "confidentai.timestamp"

local guard = {}

-- Seconds by which lastUsed may lie ahead: one that is later says nothing.
local AHEAD = 300

-- Seconds for which what was seen of keys and stores is good enough to act on.
local FRESH = 600

-- Seconds by which the clocks of the service's machines may differ.
local SKEW = 5

---What is known about a key that is to be removed.
---@class confidentai.GuardFacts
---@field named? boolean the user named it, or a rotation of it has disabled it: point 3 does not count
---@field attempt? { from: table, to: table? } marks: when the create was sent, and when its answer was there
---@field own_use? table mark of our own last use of the key; nil: we never used it
---@field margin? number seconds after own_use in which a use is not another's; default: 2
---@field use_confirmed? boolean a person knows who used it: point 2 does not count
---@field retired? boolean a rotation that the user wanted has replaced it: a use has to be shown to keep it
---@field lag? number seconds by which lastUsed is late, where the caller has found that out
---@field intend? fun(): true?, confidentai.Error? puts a delete on record, once it is allowed and before it is sent
---@field may_send? fun(): boolean asked last before a key is disabled: false keeps it as it is
---@field ours_alone? boolean this process made it, and its secret never left it: point 4 does not count
---@field disabled? table mark: since when it is disabled by us
---@field watch? number seconds for which it is watched once it is disabled; default: guard.watch
---@field claimed? string what somebody did who wants the key to stay

-- Point 1. True when no store holds the key.
local function is_unheld(job, identity)
  for i, description in ipairs(job.record.stores or {}) do
    if description.readable and not job.stores[i] then
      return job:failure("guard", ("the store %s has to be given again: it may hold key %s"):format(description.label,
        identity.id))
    end
  end
  for _, store in ipairs(job.stores or {}) do
    local content, err = stores.get(job, store)
    if content == nil and err then
      return nil, err
    elseif stores.is_secret_of(content, identity.last6) then
      return false, ("%s holds its secret"):format(store.label), "stored"
    elseif stores.may_be_secret_of(content, identity.last6) then
      return false, ("%s may hold its secret, of which the service does not show the last 6 characters"):format(
        store.label), "stored"
    end
  end
  return true
end

local function contains(list, id)
  for _, other in ipairs(list or {}) do
    if other == id then
      return true
    end
  end
  return false
end

---Returns true if only this rotation has used a key whose secret no store was given. The rotation's next use would hide
---another one.
---@param job confidentai.Job
---@param identity table as of calls.identity
---@param own_use? table mark of our own last use of the key
---@return boolean? alone nil: an error; true where the key is gone, or lastUsed cannot be believed
---@return string|confidentai.Error|nil reason_or_err
function guard.is_alone(job, identity, own_use)
  local key, err = calls.ask(job, identity.id)
  if key == nil then
    return nil, err
  end
  local read, last = timestamp.read(key and key.last_used or nil)
  if read ~= "time" or last > elapsed.dated(job:mark()) + AHEAD then
    return true
  end
  local alone = own_use ~= nil and last <= elapsed.dated(own_use) + last_used.MARGIN
  return alone, not alone and ("it was used at %s"):format(key.last_used) or nil
end

---Returns true if a key was there before the rotation of a record made one.
---@param record table
---@param id string
---@return boolean
function guard.was_there(record, id)
  return contains(record.snapshot, id) or contains(record.past, id)
end

---Finds the keys that carry the name of a create, as it was sent or as the service has altered it. A key that was there
---before is not among them: of a long name that was cut, its own may be the beginning.
---@param job confidentai.Job
---@param keys confidentai.ApiKey[]
---@param attempt { name: string, op: string }
---@param record? table whose snapshot tells what was there; default: that of the job
---@return confidentai.ApiKey[]
function guard.find(job, keys, attempt, record)
  local found = {}
  for _, key in ipairs(names.find(keys, attempt)) do
    found[#found + 1] = not guard.was_there(record or job.record, core.key_id(job.api_keys, key)) and key or nil
  end
  return found
end

---Judges whether a key is one that a create of ours has made.
---@param job confidentai.Job
---@param key confidentai.ApiKey as its own address shows it
---@param facts confidentai.GuardFacts
---@return boolean ours
---@return string? reason
---@return "foreign"|"unclear"|nil kind foreign: it is certainly not ours
function guard.is_ours(job, key, facts)
  local id = core.key_id(job.api_keys, key)
  if guard.was_there(job.record, id) then
    return false, "it was there before", "foreign"
  elseif not facts.attempt or not facts.attempt.from then
    return false, "it is not known when its create was sent", "unclear"
  end
  local _, created = timestamp.read(key.created_at)
  local to = facts.attempt.to and elapsed.dated(facts.attempt.to)
  if not created then
    return false, ("the service does not say when it was created, or not legibly: %s"):format(
      tostring(key.created_at)), "unclear"
  elseif created < math.floor(elapsed.dated(facts.attempt.from)) - SKEW or to and created > to + SKEW then
    return false, ("it was created at %s, and not by the create that was sent"):format(key.created_at), "foreign"
  end
  return true
end

---Decides whether a key may be removed now, and looks at it for that.
---@param job confidentai.Job
---@param identity table as of calls.identity
---@param facts confidentai.GuardFacts
---@return boolean? allowed nil: an error
---@return confidentai.ApiKey|false|string|confidentai.Error key_or_reason the key as it is now, false when it is gone;
---why it may not be removed; or the error
---@return string? kind of the reason: "stored", "used", "unshown" (a use of it need not be shown), "claimed" (somebody
---has enabled it), "unclear", or "foreign": the key is not ours; with an error "listed": its address does not show it
---any more, and the list does
function guard.check(job, identity, facts)
  local ok, reason, kind = is_unheld(job, identity)
  if not ok then
    return ok, reason, kind
  end
  local key, err, listed = calls.get(job, identity.id)
  if key == nil then
    return nil, err, listed
  elseif key == false then
    return true, false
  elseif not calls.is_same(job, key, identity) then
    return false, "it is not the one on record any more (name, time of creation and last characters were compared)",
      "foreign"
  end
  if not facts.named then
    ok, reason, kind = guard.is_ours(job, key, facts)
  end
  if ok and facts.claimed then
    ok, reason, kind = false, facts.claimed, "claimed"
  end
  if ok then
    ok, reason, kind = last_used.is_unused(job, key, facts)
  end
  if not ok then
    return ok, reason, kind
  end
  return true, key
end

---Returns true while what was seen since a moment is good enough to act on: a process that was stopped meanwhile,
---perhaps for days, has to look again.
---@param job confidentai.Job
---@param begun number of the job's clock
---@return boolean
function guard.is_recent(job, begun)
  return math.abs(job.clock() - begun) <= FRESH
end

---Returns true if a key is gone: the service says so at its address, in its envelope, and a complete list of the scope
---does not show it.
---@param job confidentai.Job
---@param id string
---@return boolean? gone
---@return confidentai.Error? err
function guard.gone(job, id)
  local key, err = calls.get(job, id)
  if key == nil then
    return nil, err
  end
  return key == false
end

---Seconds for which a disabled key is watched before it is deleted.
---@param job confidentai.Job
---@return number
function guard.watch(job)
  local options = job.record.options or {}
  local soak = not (options.compromised or options.replace) and options.soak or 0
  return math.max(options.settle or 0, soak)
end

---Disables a key that is to be removed, if it may be.
---@param job confidentai.Job
---@param identity table
---@param facts confidentai.GuardFacts
---@return "disabled"|"gone"|false|nil done
---@return string|confidentai.Error|nil reason_or_err why it may not be; or the error
---@return string? kind as of check
function guard.disable(job, identity, facts)
  local allowed, key, kind = guard.check(job, identity, facts)
  if not allowed then
    return allowed, key, kind
  elseif key == false then
    return "gone"
  end
  local result, err = calls.set_valid(job, identity, false, facts.may_send)
  if not result then
    return nil, err
  elseif result == "held back" then
    return false, "the key that stays was not seen to work", "unclear"
  end
  key, err = calls.get(job, identity.id)
  if key == nil then
    return nil, err
  elseif key and key.valid then
    return job:failure("guard", ("key %s is enabled again while it is being removed"):format(identity.id))
  end
  return key and "disabled" or "gone"
end

---Enables a key again that was disabled to be removed, as somebody has its secret.
---@param job confidentai.Job
---@param identity table
---@return true?
---@return confidentai.Error? err
function guard.enable(job, identity)
  local result, err = calls.set_valid(job, identity, true)
  return result and true, err
end

---Deletes a key that is disabled, if it may be, and sees it gone.
---@param job confidentai.Job
---@param identity table
---@param facts confidentai.GuardFacts
---@return "deleted"|"gone"|"late"|false|nil done late: the service has taken the delete, and still shows the key
---@return string|confidentai.Error|nil reason_or_err why it may not be; or the error
---@return string? kind as of check; with an error "unsent" where no delete was sent
function guard.delete(job, identity, facts)
  local begun = job.clock()
  local allowed, key, kind = guard.check(job, identity, facts)
  if not allowed then
    return allowed, key, kind
  elseif key == false then
    return "gone"
  elseif key.valid then
    return false, "it was enabled again", "claimed"
  end
  local ok, err = true, nil
  if facts.intend then
    ok, err = facts.intend()
  end
  if ok and not guard.is_recent(job, begun) then
    ok, err = job:failure("api", ("looking at key %s took too long for what was seen to be true still: try again")
      :format(identity.id), "not_applied")
  end
  if not ok then
    return nil, err, "unsent"
  end
  ok, err = calls.delete(job, key)
  if not ok then
    return nil, err, err.outcome == "not_applied" and "unsent" or nil
  end
  key, err = calls.ask(job, identity.id)
  if key == nil then
    return nil, err
  elseif key then
    return "late"
  end
  local gone = guard.gone(job, identity.id)
  return gone and "deleted" or "late"
end

---Removes a key as far as that can be done now: disables it, or deletes it when it was watched for long enough.
---@param job confidentai.Job
---@param identity table
---@param facts confidentai.GuardFacts `disabled`: the mark that a call before has given
---@return "gone"|"waiting"|false|nil done waiting: it is disabled, and goes later
---@return table|string|confidentai.Error|nil more with "waiting": the mark since when it is disabled, which has to be
---kept; why it may not be removed; or the error
---@return string? kind as of check
function guard.remove(job, identity, facts)
  local result, reason, kind
  local since = facts.disabled
  if not since then
    result, reason, kind = guard.disable(job, identity, facts)
    if result ~= "disabled" then
      return result, reason, kind
    end
    since = job:mark()
  end
  if not facts.ours_alone and not job:has_passed(since, facts.watch or guard.watch(job)) then
    return "waiting", since
  end
  result, reason, kind = guard.delete(job, identity, facts)
  if result == "late" or kind == "listed" then
    return "waiting", since
  elseif not result then
    return result, reason, kind
  end
  return "gone"
end

return guard
