-- SPDX-License-Identifier: Apache-2.0
-- A Rotation: what the user holds. Nothing of the job behind it, which knows secrets, can be seen through it.

local advance = require "confidentai.rotation.advance"
local argument = require "confidentai.argument"
local escrow = require "confidentai.rotation.escrow"
local operation = require "confidentai.operation"
local record = require "confidentai.rotation.record"
local refusals = require "confidentai.rotation.refusals"
local rollback = require "confidentai.rotation.rollback"
local status = require "confidentai.rotation.status"
local verbs = require "confidentai.rotation.verbs"

local handle = {}

---A rotation. Another process may go on with it: each method reads its record again, and refuses (`state`) while
---somebody else holds it. A failure leaves what was done on record, and the next call goes on from there.
---@class confidentai.Rotation
---@field id string
---@field base string the name under which the key is known
---@field state string state or stop (docs/rotation.md)
---@field old_id string
---@field new_id? string
local Rotation = {}

-- The job of each rotation. A table of its own, so that no inspection of a Rotation finds it.
local jobs = setmetatable({}, { __mode = "k" })

local fields = {
  id = function(job) return job.record.id end,
  base = function(job) return job.record.base end,
  state = function(job) return job.record.stop or job.record.state end,
  old_id = function(job) return job.record.old_id end,
  new_id = function(job) return job.record.new and job.record.new.id end,
}

-- Raises about a name that is neither a field nor a method, and does not repeat it: it may be a secret.
local function refuse_name()
  local known = {}
  for _, list in ipairs { fields, Rotation } do
    for each in pairs(list) do
      known[#known + 1] = each
    end
  end
  table.sort(known)
  error("confidentai.Rotation has no field or method of that name; it has: " .. table.concat(known, ", "), 3)
end

local metatable = {
  __index = function(self, name)
    local field = fields[name]
    if field then
      return field(jobs[self])
    end
    return Rotation[name] or refuse_name()
  end,
  __newindex = function()
    error("a Rotation takes no new fields", 2)
  end,
  __tostring = function(self)
    local content = jobs[self].record
    return ("confidentai.Rotation %s of %s (%s)"):format(content.id, content.base, content.stop or content.state)
  end,
  __metatable = "confidentai.Rotation",
}

---Makes a Rotation of a job.
---@param job confidentai.Job
---@return confidentai.Rotation
function handle.new(job)
  local rotation = setmetatable({}, metatable)
  jobs[rotation] = job
  return rotation
end

local function job_of(rotation, name)
  local job = type(rotation) == "table" and jobs[rotation]
  if not job then
    error(("calling '%s' on a bad self (Rotation expected: is it called with a colon?)"):format(name), 3)
  end
  return job
end

-- Somebody else is at it. A run of this process that was broken off may have left its hold to the collector.
local function hold(state, key)
  local release, who, problem = state.hold(key)
  if not release and who then
    collectgarbage()
    release, who, problem = state.hold(key)
  end
  if release then
    return release
  elseif who then
    return refusals.held(who)
  end
  return record.failure(problem)
end

---Runs a function while no other process can continue the same rotation, or begin one of the same base.
---@param state confidentai.State
---@param key string of the record, or of the base
---@param work fun(let_go: fun()): any its results are returned, three at most; what it raises is raised, after the hold
---was let go. It may call let_go to end the hold earlier
function handle.held(state, key, work)
  local release, err = hold(state, key)
  if not release then
    return nil, err
  end
  local function let_go()
    if release then
      release()
      release = nil
    end
  end
  local ok, a, b, c = pcall(work, let_go)
  let_go()
  if not ok then
    error(a, 0)
  end
  return a, b, c
end

-- Reads the record and the escrow again: another process may have gone on.
local function reload(job)
  local content, version = record.read(job.state, job.key)
  if not content then
    if version then
      return nil, version
    end
    return record.failure("the record of this rotation is gone: it has ended, and another one of the same key has "
      .. "begun, or the record was removed")
  elseif content.id ~= job.record.id then
    return record.failure "this rotation has ended, and another one of the same key has begun"
  end
  job.record, job.version, job.identified, job.made = content, version, nil, nil
  job.escrow = escrow.open(job.state, job.key, content.id)
  return true
end

-- Holds the rotation, reads it again, and works.
local function with(job, work)
  if job.dry then
    return job:failure("guard", "this is the plan of a dry run: rotate without dry_run")
  end
  local a, b = handle.held(job.state, job.key, function()
    local ok, err = reload(job)
    if not ok then
      return nil, err
    end
    local first, second = work()
    return first, second
  end)
  return a, b
end

-- A verb's refusal says what can be done instead.
local function with_ways(job, verb, state, err)
  if state == nil and err.kind == "guard" then
    refusals.attach(err, job, verb)
  end
  return state, err
end

-- What advance and its like return: the state, and the seconds until there is more to do.
local function outcome(job, ok, more)
  if not ok then
    return nil, more
  end
  return job.record.stop or job.record.state, more
end

---Advances a job once, while nobody else does.
---@param job confidentai.Job
---@return string? state or stop (docs/rotation.md)
---@return number|confidentai.Error|nil wait_or_err
function handle.advance(job)
  local state, more = with(job, function()
    local ok, wait = advance.once(job)
    return outcome(job, ok, wait)
  end)
  return state, more
end

---Does what can be done now, without waiting for soak or grace.
---@return string? state of the rotation, or what it has stopped at (docs/rotation.md)
---@return number|confidentai.Error|nil wait seconds until there is more to do; nil at the end and at a stop; the error,
---when the state is nil
function Rotation:advance()
  local state, more = handle.advance(job_of(self, "advance"))
  return state, more
end

---Goes on to the end, or to a stop, and waits through soak and grace.
---@return string? state "done", or what it has stopped at
---@return confidentai.Error? err
function Rotation:run()
  local job = job_of(self, "run")
  while true do
    local state, more = with(job, function()
      local ok, wait = advance.run(job)
      return outcome(job, ok, wait)
    end)
    if not state then
      return nil, more
    elseif not more or job.record.finished then
      return state
    end
    local _, err = job.pause(more) -- held by nobody meanwhile: somebody may confirm, or go back
    if err then
      return nil, err
    end
  end
end

-- Does what a person says, while nobody else can go on with the rotation.
local function tell(job, name, ...)
  local arguments = { ... }
  local state, more = with(job, function()
    local result, wait = verbs[name](job, arguments[1], arguments[2])
    return with_ways(job, name, result, wait)
  end)
  return state, more
end

---Says what no evidence shows: that the new key has been taken over; that the late use of a disabled key is known; or,
---in a rollback, that a store which cannot be read holds the old secret again, or that its users know. Where nothing of
---that is asked for, it is refused.
---@return true? confirmed
---@return confidentai.Error? err of kind "guard": there is nothing to confirm
function Rotation:confirm()
  local ok, err = tell(job_of(self, "confirm"), "confirm")
  return operation.one(ok, err)
end

---Goes back, as a rotation backwards: the old key works and is in the stores again, the new one soaks for the shorter
---of `soak` and an hour, is disabled, is kept for the grace, and is deleted. Advance goes on with it.
---@param options? { now: boolean? } now: the new key does not soak
---@return string? state "aborted" at the end; else where it waits, or what it has stopped at
---@return confidentai.Error? err of kind "guard": there is no way back, and nothing was changed
function Rotation:rollback(options)
  local job = job_of(self, "rollback")
  argument.fields(1, "rollback", options or {}, { now = "boolean" })
  local state, err = tell(job, "rollback", "rolling back", options and options.now or nil)
  return operation.one(state, err)
end

---Withdraws a rollback: the new key stays, is written to the stores again, and soaks again.
---@return string? state
---@return confidentai.Error? err of kind "guard": there is none, or the new key is gone
function Rotation:keep()
  local state, err = tell(job_of(self, "keep"), "keep")
  return operation.one(state, err)
end

---Writes the new secret into the stores that somebody has changed, after looking that the new key works.
---@return string? state
---@return confidentai.Error? err of kind "guard": there is nothing to publish again
function Rotation:republish()
  local state, err = tell(job_of(self, "republish"), "republish")
  return operation.one(state, err)
end

---Closes the record. Keys and stores stay as they are; `status` names them. Nothing is asked of the service.
---@return string? state "abandoned"
---@return confidentai.Error? err
function Rotation:abandon()
  local state, err = tell(job_of(self, "abandon"), "abandon")
  return operation.one(state, err)
end

---Ends a rotation that has not published anything: its new key, if any, is removed.
---@return string? state "aborted"
---@return confidentai.Error? err of kind "guard" when something is published: rollback goes back
function Rotation:abort()
  local job = job_of(self, "abort")
  local state, err = with(job, function()
    if rollback.is_published(job) then
      return with_ways(job, "abort",
        job:failure("guard", "the new secret is published: rollback goes back, advance continues"))
    end
    local result, problem = verbs.rollback(job, "aborting")
    return with_ways(job, "abort", result, problem)
  end)
  return operation.one(state, err)
end

---What a person wants to know; nothing is asked of the service.
---@return confidentai.Status status
function Rotation:status()
  return status.of(job_of(self, "status"))
end

return handle
