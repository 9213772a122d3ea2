-- SPDX-License-Identifier: Apache-2.0
-- Keys that carry a rotation's name and that no record here knows. On a second machine every healthy key is one: so a
-- key is offered for removal only where nothing speaks for it, and the service is known to show what would: that it was
-- used. It is disabled first, and deleted a day later at the earliest. The state folder has a note of when it was
-- disabled.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local duration = require "confidentai.duration"
local guard = require "confidentai.rotation.guard"
local last_used = require "confidentai.rotation.last_used"
local job = require "confidentai.rotation.job"
local names = require "confidentai.rotation.names"
local record = require "confidentai.rotation.record"
local sealed = require "confidentai.rotation.sealed"
local stores = require "confidentai.rotation.stores"
local timestamp = require "confidentai.timestamp"

local strays = {}

-- Seconds: a key that was created or used within these is in use; and for which a disabled one is watched.
local ALIVE, WATCH = 30 * 86400, 86400

---@class confidentai.StrayFacts
---@field jobs confidentai.Job[] of the records that are ours
---@field known table<string, true> keys that records know, by place and id, or place and name
---@field leftovers table<string, table> records that ended otherwise than done, by place and id of their new key
---@field bases table<string, true> of every record in the folder, by place and base
---@field damaged boolean whether a record cannot be read
---@field now? number seconds since 1970, by the service
---@field lag number|false seconds by which lastUsed is late; false: it is not evidence
---@field why? string it is not
---@field used table<string, boolean> scopes, "organization" or "project", with a key whose use is shown
---@field folder confidentai.State
---@field organization? string

local function place_of(content)
  return (content.project_id or "") .. "/"
end

-- Adds what a record knows. One that ended otherwise than done has no claim to its new key: it was to be removed. One
-- that is done has none to its old key.
local function add_known(facts, content)
  local place = place_of(content)
  local ended = content.finished and (content.stop and "stopped" or "done")
  if content.new and content.new.id then
    if ended == "stopped" then
      facts.leftovers[place .. content.new.id] = content
    else
      facts.known[place .. content.new.id] = true
    end
  end
  if content.old and content.old.id and ended ~= "done" then
    facts.known[place .. content.old.id] = true
  end
  for _, list in ipairs { content.suspects, content.quarantine, { not ended and content.attempt or nil } } do
    for _, entry in ipairs(list) do
      facts.known[place .. entry.name] = true
    end
  end
end

---Gathers what speaks for keys.
---@param jobs confidentai.Job[] of the records that are ours
---@param folder confidentai.State
---@param organization? string
---@param scopes confidentai.KeyScope[] the organization first
---@param observer confidentai.Job which has just made a call
---@return confidentai.StrayFacts? facts
---@return confidentai.Error? err
function strays.gather(jobs, folder, organization, scopes, observer)
  local facts = { jobs = jobs, known = {}, leftovers = {}, bases = {}, damaged = false, folder = folder,
    organization = organization, now = observer:mark().service, used = {} }
  facts.lag, facts.why = last_used.lag_in(observer, scopes[1].keys or {})
  for _, scope in ipairs(scopes) do
    facts.used[scope.scope] = facts.used[scope.scope] or last_used.is_shown(scope.keys or {})
  end
  for _, each in ipairs(jobs) do
    add_known(facts, each.record)
  end
  local keys, problem = folder.list "records/"
  if not keys then
    return record.failure("the records cannot be listed: " .. tostring(problem))
  end
  for _, key in ipairs(keys) do -- those of another spelling of the base URL, too
    local content = record.read(folder, key)
    if content then
      facts.bases[place_of(content) .. content.base] = true
    else
      facts.damaged = true
    end
  end
  return facts
end

-- Says which store of a record here holds a key, or may hold it. Returns false if none does; nil and the label of a
-- store if that cannot be read.
local function is_held(facts, key)
  local unreadable
  for _, each in ipairs(facts.jobs) do
    for i, description in ipairs(each.record.stores) do
      local store = each.stores[i]
      local content, err
      if store then
        content, err = stores.get(each, store)
      end
      if stores.is_secret_of(content, key.value:sub(-6)) then
        return store.label .. " holds its secret"
      elseif stores.may_be_secret_of(content, key.value:sub(-6)) then
        return store.label .. " may hold its secret, of which the service does not show the last 6 characters"
      end
      unreadable = unreadable or (err or not store and description.readable) and description.label or nil
    end
  end
  if unreadable then
    return nil, unreadable
  end
  return false
end

-- Why the times that the service shows speak for a key; nil: they do not.
local function sign_of_life(facts, key)
  local kind, used = timestamp.read(key.last_used)
  local _, created = timestamp.read(key.created_at)
  if kind == "unreadable" then
    return "the time of its last use cannot be read"
  elseif not facts.now then
    return "the service's answers have no Date header, so it is not known how long ago that is"
  elseif used and facts.now - used < ALIVE then
    return "it was used within 30 days, as the keys of another machine are"
  elseif not created then
    return "the time of its creation cannot be read"
  elseif facts.now - created < ALIVE then
    return "it was created within 30 days, and may be on its way into a store of another machine"
  elseif not facts.lag then
    return facts.why .. ", so that this one may be in use"
  elseif facts.now - (used or created) < ALIVE + facts.lag then
    return "the service shows uses late, and may not show its last one yet"
  elseif not facts.used[key.scope] then
    return last_used.blindness(key.scope) .. ", so that this one may be in use"
  end
end

-- Why a key must not be removed from here; nil: nothing speaks for it.
local function defence(facts, place, key)
  if facts.bases[place .. (names.base(key.name) or "")] then
    return "rotations of that name are on record here"
  elseif facts.damaged then
    return "a record here cannot be read, and may know it"
  end
  local sign = sign_of_life(facts, key)
  if sign then
    return sign
  end
  local held, unreadable = is_held(facts, key)
  if held then
    return held
  elseif held == nil then
    return unreadable .. " cannot be read, and may hold its secret"
  end
end

-- Where the note of a disabled key is.
local function note_key(facts, place, id)
  return ("strays/%s/%s%s"):format(facts.organization or "-", place == "/" and "organization/" or place, id)
end

-- The note of a key, and its version; nil: there is none that is of this key.
local function read_note(self, facts, place, key, identity)
  local bytes, version = facts.folder.get(note_key(facts, place, identity.id))
  local note = bytes and sealed.decode("stray", bytes)
  return note and calls.is_same(self, key, note.identity) and note or nil, bytes and version
end

local function write_note(self, facts, place, identity, shown, version)
  local done, problem, message = facts.folder.cas(note_key(facts, place, identity.id),
    sealed.encode("stray", { identity = identity, since = self:mark(), last_used = shown }), version)
  if not done then
    return record.failure(("the note of the disabled key could not be written: %s"):format(message or problem))
  end
  return true
end

local function refuse(self, identity, reason)
  return self:failure("guard", ("key %s is not removed: %s"):format(identity.id, reason))
end

local function disable(self, facts, place, key, identity)
  local result, err = guard.disable(self, identity,
    { named = true, own_use = last_used.mark(key.last_used), lag = facts.lag })
  if result == false then
    return refuse(self, identity, err)
  elseif result ~= "disabled" then
    return result and true, err
  end
  local _, version = read_note(self, facts, place, key, identity)
  result, err = write_note(self, facts, place, identity, key.last_used, version)
  return result, err
end

local function delete(self, facts, place, key, identity)
  local note, version = read_note(self, facts, place, key, identity)
  if not note then
    local ok, err = write_note(self, facts, place, identity, key.last_used, version)
    if not ok then
      return nil, err
    end
    return refuse(self, identity, "who disabled it, and when, was not on record; it is now: fix it again in a day, "
      .. "if it is not missed")
  elseif self:since(note.since) < WATCH then
    return refuse(self, identity, "it was disabled less than a day ago: fix it again later, if it is not missed")
  end
  local result, err = guard.delete(self, identity,
    { named = true, own_use = last_used.mark(note.last_used), lag = facts.lag, disabled = note.since })
  if result == false then
    return refuse(self, identity, err)
  elseif not result then
    return nil, err
  elseif result == "late" then
    return self:failure("api", ("key %s was deleted and is there still"):format(identity.id), "unknown")
  end
  facts.folder.cas(note_key(facts, place, identity.id), nil, version) -- of no use any more; left over, it harms nothing
  return true
end

-- Returns the function that does the next step with a stray key: it is disabled, or deleted a day later.
local function fix_of(client, checked, facts, place, api_keys, key)
  return function()
    local self = job.new(client, api_keys, checked)
    self.record = { scope = api_keys.scope, state = "planned" }
    local identity = calls.identity(self, key)
    local fresh, err = calls.get(self, identity.id)
    if not fresh then
      return fresh == false or nil, err
    end
    local reason = defence(facts, place, fresh)
    local ok
    if reason then
      return refuse(self, identity, reason)
    elseif fresh.valid then
      ok, err = disable(self, facts, place, fresh, identity)
    else
      ok, err = delete(self, facts, place, fresh, identity)
    end
    return ok, err
  end
end

local function describe(facts, place, id, key)
  local text = ("key %s '%s' (%s, %s) "):format(id, key.name, key.valid and "enabled" or "disabled",
    duration.use(key.last_used, facts.now or os.time()))
  local leftover = facts.leftovers[place .. id]
  if leftover then
    return ("%sis left over of the rotation of '%s', which has ended (%s)"):format(text, leftover.base, leftover.stop)
  end
  return text .. "was made by a rotation that no record here knows, or by ensure"
end

---Finds the stray keys of a scope.
---@param client confidentai.Client
---@param checked table options of the doctor
---@param facts confidentai.StrayFacts
---@param scope confidentai.KeyScope whose keys could be read, or some of them
---@return table[] findings
function strays.find(client, checked, facts, scope)
  local list = {}
  local project = scope.api_keys.project_id or ""
  local place = project .. "/"
  for _, key in ipairs(scope.keys) do
    local id = core.key_id(scope.api_keys, key)
    if names.parse(key.name) and not facts.known[place .. id] and not facts.known[place .. key.name] then
      local reason = defence(facts, place, key)
      list[#list + 1] = { id = ("stray:%s/%s"):format(project, id), kind = "stray", key = key,
        message = describe(facts, place, id, key) .. (reason and ("; it is left alone: %s"):format(reason) or ""),
        fix = not reason and fix_of(client, checked, facts, place, scope.api_keys, key) or nil }
    end
  end
  return list
end

return strays
