-- SPDX-License-Identifier: Apache-2.0
-- A rotation that is being carried out: its record and escrow, and what is needed to go on. It knows secrets, so it is
-- never given to the user (init.lua gives a Rotation, through which nothing of it can be seen).

local causes = require "confidentai.rotation.causes"
local core = require "confidentai.core"
local driver_pause = require "confidentai.pause"
local elapsed = require "confidentai.rotation.elapsed"
local record = require "confidentai.rotation.record"

local Job = {}
Job.__index = Job

local job = {}

---What `on_step` is called with: an event of the rotation's history, and whose it is. No secret is in it.
---@class confidentai.Step
---@field rotation string id
---@field base string the name under which the key is known
---@field scope "organization"|"project"
---@field project_id? string
---@field state string state or stop (docs/rotation.md)
---@field what string in words
---@field at number seconds since 1970, by this machine
---@field service? number seconds since 1970, by the service

---@class confidentai.Job
---@field client confidentai.Client
---@field api_keys confidentai.ApiKeys of the scope whose key is rotated
---@field state confidentai.State
---@field key string of the record in the state
---@field record table
---@field version? string of the record as it was last read or written
---@field halted { stop: string?, reason: string?, state: string? } as the record that is written says
---@field escrow table
---@field stores table<integer, confidentai.Store> by position; a missing one has to be given again
---@field credential? string that calls authenticate with; nil: the client's own
---@field old_secret? string
---@field proven_at? number seconds since 1970: when this process last saw the new key accepted
---@field refused? boolean whether its last proof was refused
---@field provisioned? confidentai.ApiKey the key that a provisioning has found
---@field made? table<string, true> ids of keys that this run has made, whose secret no store was given yet
---@field ends_grace? boolean the next rotation is about to begin: the grace is over for this run
---@field upgraded? boolean the record is of a key that was found to be compromised, and is to be written
---@field service_time? number seconds since 1970, as the service's last answer said; `heard`: by this machine's clock

---@param client confidentai.Client
---@param api_keys confidentai.ApiKeys
---@param options table checked
---@return confidentai.Job
function job.new(client, api_keys, options)
  local driver = core.environment(client).driver
  return setmetatable({
    client = client, api_keys = api_keys, stores = options.stores, old_secret = options.old_secret, halted = {},
    on_step = options.on_step, clock = options.clock or os.time, random = options.random or core.random,
    pause = options.pause or function(seconds) driver_pause(driver, seconds) end,
  }, Job)
end

---A job that only shows what is on record: it has no client.
---@param state confidentai.State
---@param key string of the record
---@param content table the record
---@param options { clock: function? }
---@return confidentai.Job
function job.reader(state, key, content, options)
  return setmetatable({ state = state, key = key, record = content, stores = {}, halted = {},
    clock = options.clock or os.time }, Job)
end

---Now, by both clocks. The service's goes on with ours since it was last heard.
function Job:mark()
  local here = self.clock()
  return elapsed.mark(here, self.service_time and self.service_time + (here - self.heard))
end

---Seconds since a mark. A doubt is kept for `status`.
---@param mark table
---@return number
function Job:since(mark)
  local seconds, doubt = elapsed.since(mark, self:mark())
  self.doubt = doubt
  return seconds
end

---Returns true if so many seconds have certainly passed since a mark, whose clocks show whole seconds only.
---@param mark table
---@param seconds number 0: at once
---@return boolean
function Job:has_passed(mark, seconds)
  return seconds <= 0 or self:since(mark) >= seconds + 1
end

---Takes in what a call said about the service's clock.
---@param call? confidentai.Call
function Job:hear(call)
  local date = call and call:info().date
  if date then
    self.service_time, self.heard = date, self.clock()
  end
end

---Keeps what a look at the old or the new key has shown, for status: it is on record with the next event.
---@param id string of the key
---@param key confidentai.ApiKey|false|nil false: it is not there; nil: it could not be found out
function Job:see(id, key)
  local seen = self.record.seen or {}
  for _, which in ipairs { "old", "new" } do
    local identity = self.record[which]
    if key ~= nil and identity and identity.id == id then
      seen[which] = { at = self.clock(), gone = not key or nil, valid = key and key.valid,
        last_used = key and key.last_used or nil }
      self.record.seen, self.has_looked = seen, true
    end
  end
end

-- An observer's error is its own: nothing of a rotation may depend on it.
local function tell(self, event)
  if not self.on_step then
    return
  end
  local step = { rotation = self.record.id, base = self.record.base, scope = self.record.scope,
    project_id = self.record.project_id, state = self.record.stop or self.record.state }
  for name, value in pairs(event) do
    step[name] = value
  end
  pcall(self.on_step, step)
end

---Writes the record as it is, without an event.
---@return true?
---@return confidentai.Error? err
function Job:keep()
  local version, err = record.write(self.state, self.key, self.record, self.version)
  if not version then
    err.state = self.record.state
    return nil, err
  end
  self.version, self.has_looked, self.kept_at = version, nil, self.clock()
  return true
end

---Writes the record, with an event: an intent before the act, or a fact after it.
---@param what string in words, for people and logs
---@param facts? table more fields of the event; never a secret
---@return true?
---@return confidentai.Error? err
function Job:save(what, facts)
  local mark = self:mark()
  local event = { what = what, at = mark.here, service = mark.service, state = self.record.state }
  for name, value in pairs(facts or {}) do
    event[name] = value
  end
  record.note(self.record, event)
  local ok, err = self:keep()
  if not ok then
    return nil, err
  end
  self.halted = { stop = self.record.stop, reason = self.record.reason, cause = self.record.cause,
    state = self.record.state }
  tell(self, event)
  return true
end

---Puts on record that a key is about to be changed: what was seen of it before does not hold from here on.
---@param what string
---@param id string of the key
---@return true?
---@return confidentai.Error? err
function Job:intend(what, id)
  for _, which in ipairs { "old", "new" } do
    local identity, seen = self.record[which], (self.record.seen or {})[which]
    if seen and identity and identity.id == id then
      seen.stale = true
    end
  end
  local ok, err = self:save(what, { key = id })
  return ok, err
end

---Enters a state.
---@param state string
---@param what string
---@param facts? table
---@return true?
---@return confidentai.Error? err
function Job:enter(state, what, facts)
  self.record.state, self.record.stop, self.record.reason, self.record.cause = state, nil, nil, nil
  local ok, err = self:save(what, facts)
  return ok, err
end

---Takes a stop back: what it was about is decided again. The caller saves.
function Job:clear_stop()
  local on_record = self.record
  on_record.stop, on_record.reason, on_record.cause, on_record.about = nil, nil, nil, nil
end

---Stops: a named end, or a halt that a person has to resolve.
---@param cause string one of causes.lua, which has the stop that it makes, and the ways on
---@param reason string for people: what has happened
---@param about? string what the ways need to know: the id of another key, or the label of a store
---@return true?
---@return confidentai.Error? err
function Job:halt(cause, reason, about)
  local known = causes.list[cause] or error("no such cause: " .. tostring(cause))
  self.record.stop, self.record.reason, self.record.cause, self.record.about = known.stop, reason, cause, about
  if self.halted.cause == cause and self.halted.reason == reason then
    return true -- as it is on record
  end
  local ok, err = self:save("stopped: " .. reason)
  return ok, err
end

---An error of this rotation, which can be gone on with.
---@param kind string
---@param message string
---@param outcome? string
---@return nil
---@return confidentai.Error
function Job:failure(kind, message, outcome)
  return nil, core.failure { kind = kind, message = message, outcome = outcome,
    state = self.record.stop or self.record.state }
end

return job
