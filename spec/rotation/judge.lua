-- SPDX-License-Identifier: Apache-2.0
-- Judges a run of the fault matrix, in which others edit keys and creates happen late, of which the oracle
-- (oracle.lua) knows nothing: by the service's log and keys, and by what the stores hold. Of the machine it believes
-- only which names the record has. The promises are those of docs/rotation.md.

local judge = {}

local function id_of(value)
  return (tostring(value):gsub("%.0$", ""))
end

-- The key that an entry of the log is about, and the one that it was made with.
local function target(entry)
  return entry.scope .. " " .. id_of(entry.change.key_id)
end

local function credential(entry)
  return entry.credential and entry.credential.id and entry.credential.scope .. " " .. id_of(entry.credential.id)
end

---The keys of a scope, and of the organization, by "scope id".
function judge.keys(service, project_id)
  local found = {}
  for _, key in ipairs(assert(service:state()).keys) do
    if key.scope == "organization" or key.project_id == project_id then
      found[key.scope .. " " .. id_of(key.id)] = key
    end
  end
  return found
end

-- Promise 1 at one change of ours: what the stores hold works, and the old key goes only when they hold another.
local function judge_witness(watch, entry, is_touched, complain)
  for path, seen in pairs(entry.witness or {}) do
    local holds = seen.holds and seen.holds.scope .. " " .. id_of(seen.holds.id)
    if not holds then
      complain("a store holds no key: " .. path)
    elseif not (seen.valid.before and seen.valid.after) and not is_touched(holds) then
      complain(("a store holds key %s, which works before: %s, after: %s"):format(holds, tostring(seen.valid.before),
        tostring(seen.valid.after)))
    elseif target(entry) == watch.old and holds == watch.old and (entry.operation == "delete" or not entry.change.valid)
    then
      complain "the old key goes while a store holds it"
    end
  end
end

-- Promises 3 and 5 at one change of ours.
local function judge_change(watch, entry, looked, complain)
  local key = target(entry)
  if entry.operation == "create" then
    return
  end
  if key ~= watch.old and (watch.before[key] or not tostring(entry.change.name):find(watch.pattern)) then
    complain(("key %s, '%s', was changed, which nobody named"):format(key, tostring(entry.change.name)))
  elseif not looked[key] and entry.fault ~= "late_commit" and not entry.duplicate_of then
    complain(("key %s was changed without a look at it"):format(key))
  end
  if credential(entry) == key and (entry.operation == "delete" or not entry.change.valid) then
    complain(("key %s removes itself"):format(key))
  end
end

-- When somebody else first changed each key: the number of the request meanwhile.
local function edits_of(log)
  local first = {}
  for _, entry in ipairs(log) do
    if entry.by == "somebody" and entry.change and not first[target(entry)] then
      first[target(entry)] = entry.during
    end
  end
  return first
end

---Judges the log.
---@param watch table { old = "scope id", before = judge.keys at the start, pattern of the names that are made }
---@param log table[]
---@return string[] complaints
function judge.log(watch, log)
  local found, looked, edits = {}, {}, edits_of(log)
  for _, entry in ipairs(log) do
    local function complain(text)
      found[#found + 1] = ("request %d, %s %s: %s"):format(entry.n, tostring(entry.method), tostring(entry.path), text)
    end
    if entry.change and entry.by ~= "somebody" then
      judge_witness(watch, entry, function(key) -- a late commit stands where its request came, before what it follows
        return edits[key] and (edits[key] <= entry.n or entry.fault == "late_commit")
      end, complain)
      judge_change(watch, entry, looked, complain)
      looked[target(entry)] = entry.duplicate_of ~= nil or nil
    elseif entry.operation == "get" and entry.status == 200 then
      looked[entry.scope .. " " .. id_of(entry.key_id)] = true
    end
  end
  watch.touched = edits
  return found
end

---Judges what there is at the end: promise 1 for the stores, 2 for what was made, 5 for the rest.
---@param watch table as of judge.log, after it; `named`: names that the record has
---@param after table judge.keys
---@param held table<string, string> secret in each store, by path
---@return string[] complaints
function judge.ending(watch, after, held)
  local found, published = {}, {}
  for path, secret in pairs(held) do
    local holder
    for name, key in pairs(after) do
      holder = key.value == secret and name or holder
    end
    if not holder then
      if not next(watch.touched) then
        found[#found + 1] = "a store holds no key that is there: " .. path
      end
    else
      published[holder] = true
      if not after[holder].valid and not watch.touched[holder] then
        found[#found + 1] = ("a store holds key %s, which does not work"):format(holder)
      end
    end
  end
  for name, key in pairs(after) do
    local before = watch.before[name]
    if before and name ~= watch.old and not watch.touched[name] and (before.valid ~= key.valid) then
      found[#found + 1] = ("key %s, which nobody named, has changed"):format(name)
    elseif not before and not published[name] and not watch.touched[name] and not watch.named[key.name] then
      found[#found + 1] = ("key %s, '%s', is an orphan"):format(name, key.name)
    end
  end
  for name in pairs(watch.before) do
    if name ~= watch.old and not after[name] and not watch.touched[name] then
      found[#found + 1] = ("key %s, which nobody named, is gone"):format(name)
    end
  end
  return found
end

return judge
