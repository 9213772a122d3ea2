-- SPDX-License-Identifier: Apache-2.0
-- The keys of a base that no store holds, as ensure retires them: disabled in one run, deleted in a later one. Each
-- conclusion needs evidence: since when all stores hold the current key, and when the key itself was used last. Times
-- are the service's alone. What it does not say, or what cannot be read, keeps a key as it is.

local calls = require "confidentai.rotation.calls"
local generations = require "confidentai.rotation.generations"
local guard = require "confidentai.rotation.guard"
local last_used = require "confidentai.rotation.last_used"
local store_note = require "confidentai.rotation.store_note"
local timestamp = require "confidentai.timestamp"

local retirement = {}

-- Seconds by which the service's lastUsed may lag without saying anything: its Date header has whole seconds.
local ROUNDING = 2

---What is known in this run.
---@class confidentai.RetirementFacts: confidentai.StoreNote
---@field now number seconds since 1970, by the service
---@field lag? number seconds by which lastUsed is behind, as our own use of the current key has shown; nil: not asked

-- How long a key must have been unused. A key that is newer than the current one may be on its way into a store.
local function need_of(key, options, is_newer)
  local soak = is_newer and math.max(options.soak, options.pending) or options.soak
  return key.valid and soak or soak + options.grace
end

-- Returns the seconds until a key is due: it has been unused for long enough, and disabled for the grace, where a note
-- tells since when. 0 or less when it has; nil and why: that cannot be told.
local function left(self, key, options, is_newer, facts)
  local created = generations.created(key)
  local kind, used = timestamp.read(key.last_used)
  if not created then
    return nil, ("the time when key %s was created cannot be read"):format(tostring(key.id))
  elseif kind == "unreadable" then
    return nil, ("the time when key %s was last used cannot be read"):format(tostring(key.id))
  end
  local due = math.max(created, facts.since, used and used + (facts.lag or 0) or 0) + need_of(key, options, is_newer)
  if not key.valid and facts.disabled then
    due = math.max(due, (facts.disabled[store_note.of(self, key)] or facts.now) + options.grace)
  end
  return due - facts.now
end

-- Notes which keys are disabled now.
local function note_disabled(self, view, facts)
  local done, problem, changed = true, nil, false
  if facts.disabled then
    facts.disabled, changed = store_note.see(self, view, facts.disabled)
  end
  if changed then
    done, problem = store_note.write(self, view.current, facts)
  end
  return done, problem
end

-- Finds out how far lastUsed is behind: this run has just used the current key.
local function measure_lag(self, current, facts)
  local key, err = calls.get(self, calls.identity(self, current).id)
  if not key then
    return nil, err or select(2, self:failure("guard", "the current key is gone", "not_applied"))
  end
  local kind, used = timestamp.read(key.last_used)
  if kind ~= "time" then
    return false
  end
  local lag = facts.now - used
  facts.lag = lag > ROUNDING and lag or 0
  return true
end

-- Acts as whoever is not that key.
local function act(self, content, key)
  if key.scope == "organization" and self.client:owns(key) ~= false then
    self.credential = content
  end
end

-- Disables a key, once the current one was seen to work, and sees that again: refused, the key works again at once.
local function disable(self, identity, options, facts)
  facts.may_send = function() return calls.try(self, options.content) == "accepted" end
  local result, err, kind = guard.disable(self, identity, facts)
  if result == false or result == "gone" or calls.try(self, options.content) ~= "refused" then
    return result, err, kind
  end
  local ok, problem = guard.enable(self, identity)
  local text = "the service refuses the current key now, so that key %s %s: does another process change keys?"
  return self:failure("guard", text:format(identity.id,
    ok and "was enabled again" or "has to be enabled again, which failed: " .. problem.message))
end

-- Disables or deletes a key that is due, after a second look at it and, by the guard, at the stores.
local function retire(self, view, options, facts, key, is_newer)
  local identity = calls.identity(self, key)
  local fresh, err = calls.get(self, identity.id)
  if not fresh then
    return fresh, err
  elseif fresh.valid ~= key.valid then
    return false
  end
  local rest, why = left(self, fresh, options, is_newer, facts)
  if not rest or rest > 0 then
    return false, nil, why
  end
  act(self, options.content, key)
  local result
  local known = { named = true, own_use = last_used.mark(fresh.last_used), lag = facts.lag }
  if key.valid then
    result, err = disable(self, identity, options, known)
  else
    result, err = guard.delete(self, identity, known)
  end
  if not result then
    return result, result == nil and err or nil,
      result == false and ("key %s stays: %s"):format(identity.id, err) or nil
  elseif result == "gone" then
    return false
  elseif result == "late" then
    return self:failure("api", ("key %s was deleted, and the service shows it still"):format(identity.id), "unknown")
  end
  if key.valid and facts.disabled then
    facts.disabled[store_note.of(self, key)] = facts.now
    store_note.write(self, view.current, facts) -- one that fails is written by the next run, as of then
  end
  return { key = view.current, action = key.valid and "disabled" or "deleted", id = identity.id,
    reason = is_newer and "it is newer than the current key, and no store holds it" or nil }
end

---Retires at most one key.
---@param self confidentai.Job
---@param view confidentai.GenerationView
---@param options { soak: number, grace: number, pending: number, content: string } pending: seconds for which a key may
---be on its way into a store; content: what the stores hold
---@param facts confidentai.RetirementFacts
---@return table|false|nil result as of ensure; false: nothing is due
---@return confidentai.Error? err
---@return number? wait with false: seconds until something is due
---@return string? reason with false: why a key that would be due stays
function retirement.work(self, view, options, facts)
  local wait, reason
  local noted, problem_with_note = note_disabled(self, view, facts)
  if not noted then
    return false, nil, nil, problem_with_note
  end
  for place, list in ipairs { view.older, view.newer } do
    for _, key in ipairs(list) do
      local rest, why = left(self, key, options, place == 2, facts)
      if rest and rest <= 0 and not facts.lag then
        local shown, err = measure_lag(self, view.current, facts)
        if shown == nil then
          return nil, err
        elseif not shown then
          return false, nil, wait, ("the service does not show our own use of key %s, so that lastUsed proves nothing")
            :format(tostring(view.current.id))
        end
        rest, why = left(self, key, options, place == 2, facts)
      end
      if rest and rest <= 0 then
        local result, err, problem = retire(self, view, options, facts, key, place == 2)
        if result == nil or result then
          return result, err
        end
        why = problem
      end
      reason = reason or why
      wait = rest and rest > 0 and math.min(rest, wait or rest) or wait
    end
  end
  return false, nil, wait, reason
end

return retirement
