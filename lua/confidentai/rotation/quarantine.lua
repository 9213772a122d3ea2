-- SPDX-License-Identifier: Apache-2.0
-- Quarantine: keys that this rotation made and nobody shall use are recorded, disabled, watched, deleted, and seen
-- gone, where the guard allows it. It goes on after any interruption, as the record lists what is left.

local guard = require "confidentai.rotation.guard"

local quarantine = {}

-- Seconds between two looks at a key that cannot be removed yet, at most.
local INTERVAL = 3600

---Returns true if a key is on a record's list.
---@param record table
---@param id string
---@return boolean
function quarantine.holds(record, id)
  for _, entry in ipairs(record.quarantine) do
    if entry.id == id then
      return true
    end
  end
  return false
end

---Puts keys on the record's list. The caller saves.
---@param job confidentai.Job
---@param identities table[] as of calls.identity
---@param attempt? { from: table, to: table? } of the create that made them; default: that of the record
---@param published? boolean a store may have held them: they are disabled later, as consumers have to read it again
function quarantine.add(job, identities, attempt, published)
  local record = job.record
  local list, made_by = record.quarantine, attempt or record.attempt or {}
  for _, identity in ipairs(identities) do
    local known = false
    for _, other in ipairs(list) do
      known = known or other.id == identity.id and other.last6 == identity.last6
    end
    if not known then
      -- What is known of it goes with it, into the next rotation of the base if need be.
      local entry = { attempt = { from = made_by.from, to = made_by.to },
        own_use = record.new and record.new.id == identity.id and record.our_use or nil, watch = guard.watch(job),
        published = published and job:mark() or nil }
      for name, value in pairs(identity) do
        entry[name] = value
      end
      list[#list + 1] = entry
    end
  end
end

-- What the guard has to know of an entry.
local function facts_of(job, entry)
  return { attempt = entry.attempt, named = entry.ours, disabled = entry.disabled, claimed = entry.claimed,
    own_use = entry.own_use, watch = entry.watch, ours_alone = job.made ~= nil and job.made[entry.id] or nil }
end

-- Returns since when an entry waits, and for how many seconds; nil: it waits for nothing. The seconds were settled when
-- it was put on the list: a later rotation of the base may have other options.
local function waiting(job, entry)
  local since = entry.disabled or entry.published
  return since, since and (entry.watch or guard.watch(job))
end

-- Returns true if there is nothing to do about an entry yet.
local function is_waiting(job, entry)
  local since, seconds = waiting(job, entry)
  return since ~= nil and not job:has_passed(since, seconds)
end

-- Takes an entry off the list.
local function strike(job, place, what)
  local entry = table.remove(job.record.quarantine, place)
  local ok, err = job:save(what, { key = entry.id, name = entry.name })
  return ok, err
end

-- Notes why a key is not removed, once.
local function note_kept(job, entry, text)
  if entry.kept == text then
    return true
  end
  entry.kept = text
  local ok, err = job:save(text, { key = entry.id, name = entry.name })
  return ok, err
end

-- Somebody has the secret of a key that was to be removed: it works again, if we disabled it, and a person decides.
local function keep(job, entry, reason, kind)
  local record = job.record
  if entry.disabled and kind ~= "unclear" then
    local result, err = guard.enable(job, entry)
    if not result then
      return nil, err
    end
    entry.disabled = nil
  end
  entry.claimed = entry.claimed or (kind == "claimed" or kind == "used") and reason or nil
  local text = ("key %s ('%s') is not removed: %s; is the state folder an old copy?"):format(entry.id, entry.name,
    reason)
  local ok, err
  if record.finished then
    ok, err = note_kept(job, entry, text)
  else
    entry.kept = text
    ok, err = job:halt(kind == "stored" and "key_stored" or "key_claimed", text, entry.id)
  end
  return ok, err
end

-- Does what can be done about one entry now. True when it is off the list.
local function work_on(job, place)
  local entry = job.record.quarantine[place]
  if is_waiting(job, entry) and not entry.disabled then
    return false
  end
  local result, more, kind = guard.remove(job, entry, facts_of(job, entry))
  local ok, err = true, nil
  if result == nil then
    return nil, more
  elseif result == "gone" then
    ok, err = strike(job, place, "removed a key that must not be used")
    return ok, err
  elseif kind == "foreign" then
    ok, err = strike(job, place, "left a key alone that this rotation did not make: " .. more)
    return ok, err
  elseif result == "waiting" and not entry.disabled then
    entry.disabled, entry.ours, entry.kept = more, true, nil
    ok, err = job:save("disabled a key that must not be used", { key = entry.id, name = entry.name })
  elseif kind == "unshown" then -- no use by others is shown: the rotation continues, and looks again
    ok, err = note_kept(job, entry, ("key %s ('%s') is not removed yet: %s"):format(entry.id, entry.name, more))
  elseif result == false then
    ok, err = keep(job, entry, more, kind)
  end
  if not ok then
    return nil, err
  end
  return false
end

---Removes what is on the list, as far as that can be done now.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err what is left stays on the list
function quarantine.work(job)
  local place = 1
  while job.record.quarantine[place] do
    local done, err = work_on(job, place)
    if done == nil then
      return nil, err
    elseif not done then
      place = place + 1
    end
  end
  return true
end

---Returns true if there is more to do about the list now: nothing of it is only being watched.
---@param job confidentai.Job
---@return boolean
function quarantine.is_due(job)
  for _, entry in ipairs(job.record.quarantine) do
    if not is_waiting(job, entry) then
      return true
    end
  end
  return false
end

---Seconds until there is more to do about the list; nil: it is empty.
---@param job confidentai.Job
---@return number?
function quarantine.wait(job)
  local wait
  for _, entry in ipairs(job.record.quarantine) do
    local since, seconds = waiting(job, entry)
    local left = is_waiting(job, entry) and seconds + 1 - job:since(since) or entry.disabled and 0 or INTERVAL
    wait = math.min(wait or INTERVAL, math.max(1, left))
  end
  return wait
end

return quarantine
