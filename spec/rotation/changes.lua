-- SPDX-License-Identifier: Apache-2.0
-- The oracle's judgement of a log: each change that took effect, who made it, and what the stores held at that moment.

local changes = {}

-- Seconds for which a proof of the new key is good enough (docs/rotation.md), and what rounding may add.
local FRESH = 61

-- The name of the key that an entry is about.
local function target(entry, name)
  return name { scope = entry.scope, project_id = entry.project_id, id = entry.change.key_id }
end

---Whether a name is one that rotations of a base make.
---@param text? string
---@param base string
---@return boolean
function changes.is_made(text, base)
  local generation, op = (text or ""):sub(#base + 1):match "^~g(%d+)~(.*)$"
  return (text or ""):sub(1, #base) == base and generation ~= nil and #op == 8 and not op:find "[^a-z2-7]"
end

local function takes_away(entry)
  return entry.operation == "delete" or entry.operation == "update" and not entry.change.valid
end

-- Promise 1 for each store, at one change.
local function judge_stores(self, entry, name, complain)
  for _, path in ipairs(self.what.stores) do
    local seen = (entry.witness or {})[path] or { missing = true }
    local before = self.held[path]
    if before and before.valid then
      if not seen.holds then
        complain(("%s holds no key"):format(path))
      elseif not seen.valid.before or not seen.valid.after then
        complain(("%s holds key %s, which works before: %s, after: %s"):format(path, name(seen.holds),
          tostring(seen.valid.before), tostring(seen.valid.after)))
      end
    end
  end
end

-- Whether the key was used successfully in the last minute.
local function is_proven(log, entry, held, name)
  for _, other in ipairs(log) do
    if other.n < entry.n and other.credential and name(other.credential) == held and (other.status or 0) < 300
      and other.status and entry.time - other.time <= FRESH then
      return true
    end
  end
  return false
end

-- Promise 1 where the old key goes: all stores hold another key, which was just proven.
local function judge_old(self, log, entry, name, complain)
  for _, path in ipairs(self.what.stores) do
    local holds = ((entry.witness or {})[path] or {}).holds
    local held = holds and name(holds)
    if not held or held == self.old then
      complain(("the old key goes while %s holds %s"):format(path, held and "it" or "none"))
    elseif not is_proven(log, entry, held, name) then
      complain(("the old key goes while nothing shows that %s works"):format(held))
    end
  end
end

-- The last entry before this one that changed the same key, and the last that looked at it.
local function before(log, entry, name)
  local changed, looked
  local wanted = target(entry, name)
  for _, other in ipairs(log) do
    if other.n >= entry.n then
      break
    elseif other.change and target(other, name) == wanted then
      changed = other
    elseif other.operation == "get" and other.status == 200 and other.scope == entry.scope
      and other.project_id == entry.project_id and tostring(other.key_id) == tostring(entry.key_id) then
      looked = other
    end
  end
  return changed, looked
end

-- The engine sends a request again whose answer did not arrive: no look comes between.
local function is_repeated(entry, changed)
  return entry.duplicate_of ~= nil
    or changed and changed.operation == entry.operation and changed.change.valid == entry.change.valid
      and changed.fault ~= nil
end

-- Promise 5: only what was named or made, and after a look at it.
local function judge_target(self, log, entry, name, complain)
  local wanted = target(entry, name)
  local made = not self.initial[wanted] and changes.is_made(entry.change.name, self.what.base)
  if wanted ~= self.old and not made then
    complain(("key %s (%s) was changed, which nobody named"):format(wanted, tostring(entry.change.name)))
  end
  local changed, looked = before(log, entry, name)
  if not is_repeated(entry, changed) and (not looked or changed and changed.n > looked.n) then
    complain(("key %s was changed without a look at it"):format(wanted))
  end
end

-- Both keys soak, the old one forwards and the new one in a rollback: the clock stands still during a run, so that a
-- key which a store held when the run began is not taken away in it.
local function judge_soak(self, start, entry, name, complain)
  local wanted = target(entry, name)
  for _, path in ipairs(start and (self.what.soak or 0) > 0 and self.what.stores or {}) do
    local held = self:holder(start, path)
    if held and name(held) == wanted then
      complain(("key %s goes without a soak: %s held it when the run began"):format(wanted, path))
    end
  end
end

local function judge(self, log, entry, name, complain, start)
  judge_stores(self, entry, name, complain)
  if entry.operation == "create" then
    if not changes.is_made(entry.change.name, self.what.base) then
      complain(("key %s was created"):format(tostring(entry.change.name)))
    end
    return
  end
  judge_target(self, log, entry, name, complain)
  if takes_away(entry) then
    judge_soak(self, start, entry, name, complain)
    local wanted = target(entry, name)
    if entry.credential and name(entry.credential) == wanted then
      complain(("key %s removes itself"):format(wanted))
    end
    if wanted == self.old then
      judge_old(self, log, entry, name, complain)
    end
  end
end

---Judges what took effect.
---@param self table the oracle
---@param log table[]
---@param name fun(key: table): string
---@param start? table the view when the run of this log began
---@return string[] complaints
function changes.judge(self, log, name, start)
  local found = {}
  for _, entry in ipairs(log) do
    if entry.change and entry.by ~= "somebody" then
      judge(self, log, entry, name, function(text)
        found[#found + 1] = ("request %d, %s %s: %s"):format(entry.n, entry.method, entry.path, text)
      end, start)
    end
  end
  return found
end

return changes
