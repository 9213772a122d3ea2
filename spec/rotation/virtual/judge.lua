-- SPDX-License-Identifier: Apache-2.0
-- Judges a run in virtual time by the service's log and by what consumers met. Of the machines it believes nothing.
--
-- - A consumer that reads the store again within the soak has no failed request that we caused.
-- - No key is disabled or deleted while a store holds it.
-- - No key that a person made is changed, nor any other that was there before, except the one that was named; and, by
--   ensure, one that has the name of a generation, and that no consumer has used.
-- - No key but the old one is taken away when others than us have used it, unless a person asked for that.
-- - No key is deleted before it was disabled for as long as users take to notice, but by the process that made it.

local oracle = require "spec.rotation.oracle"

local judge = {}

-- Seconds after the create within which a key may be deleted at once, by the process that made it.
local ALONE = 400

-- Verbs that are to take a key away that was in use, if it is one of ours: another generation, or the new key.
local TAKES_USED = { ensure = true, rollback = true }

local function name_of(key)
  return ("%s/%s/%s"):format(key.scope, key.project_id or "", (tostring(key.id or key.key_id):gsub("%.0$", "")))
end

local function target_of(entry)
  return name_of { scope = entry.scope, project_id = entry.project_id, id = entry.change.key_id }
end

local function is_person(w, entry)
  return entry.by == "somebody" or entry.credential ~= nil and entry.credential.scope == "organization"
    and tostring(entry.credential.id):gsub("%.0$", "") == tostring(w.what.person_id):gsub("%.0$", "")
end

-- What an act of ours is counted as.
local function word_of(entry)
  local words = { create = "created", delete = "deleted" }
  return words[entry.operation] or entry.change.valid and "enabled" or "disabled"
end

local function takes_away(entry)
  return entry.operation == "delete" or entry.operation == "update" and not entry.change.valid
end

-- Keys by secret, deleted ones too; and the keys by name.
local function index_keys(w)
  local by_secret, by_name = {}, {}
  for _, key in ipairs(oracle.keys(assert(w.service:snapshot()))) do
    by_secret[key.value], by_name[name_of(key)] = key, key
  end
  return by_secret, by_name
end

-- Who took each key away, whose each is, and since when it is there (a key of the beginning: before).
local function read_log(w, log)
  local facts = { made = {}, made_at = {}, by_person = {}, by_us = {}, disabled = {} }
  for _, entry in ipairs(log) do
    if entry.change then
      local key, acts = target_of(entry), w.what.acts
      if not is_person(w, entry) then
        acts[word_of(entry)] = acts[word_of(entry)] + 1
      end
      if entry.operation == "create" then
        facts.made[key], facts.made_at[key] = is_person(w, entry) and "a person" or "us", entry.change.time
      elseif takes_away(entry) then
        facts[is_person(w, entry) and "by_person" or "by_us"][key] = true
      end
    end
  end
  return facts
end

-- The key may be deleted now: no consumer missed it for a while, or can.
local function judge_delete(w, facts, entry, key, used, complain)
  local drawn, now = w.what.drawn, entry.change.time
  local disabled, made_at = facts.disabled[key], facts.made_at[key]
  local watched = disabled and now - disabled >= math.min(drawn.soak, drawn.grace) * 3 / 4
  local alone = made_at and now - made_at <= ALONE
  -- ensure may have no record of when a key was disabled: its promise is about how long the key was unused.
  local unused = w.what.verb == "ensure" and disabled
    and (not used or now - w.began - used >= drawn.grace) and not (made_at and now - made_at < drawn.soak + drawn.grace)
  if not watched and not (alone and not used) and not unused then
    complain(("%s was deleted %s"):format(key, disabled and ("%.0f s after it was disabled"):format(now - disabled)
      or "without having been disabled"))
  end
end

local function judge_change(w, facts, entry, by_name, complain)
  local key = target_of(entry)
  local old = name_of { scope = w.what.scope, project_id = w.what.project_id, id = w.what.old_id }
  local secret = by_name[key] and by_name[key].value
  local leaked = w.leaked and w.leaked[secret]
  local used
  for _, consumer in ipairs(w.consumers) do
    local last = consumer.used[secret]
    used = last and math.max(last, used or 0) or used
  end
  -- A key of the base that was there before belongs to ensure, and to the doctor, by its name; to ensure, one that was
  -- made meanwhile, too, as a run that died may have made it.
  local by_base = (w.what.verb == "ensure" and not (facts.made[key] and used)
    or w.what.verb == "doctor" and not facts.made[key]) and tostring(entry.change.name):find "^svc~g%d+~%w+$"
  if key ~= old and facts.made[key] ~= "us" and not leaked and not by_base then
    complain(("%s, which %s made, was changed"):format(key, facts.made[key] or "somebody"))
  end
  if not takes_away(entry) or leaked then
    return
  end
  for path, seen in pairs(entry.witness or {}) do
    if seen.holds and name_of(seen.holds) == key and not facts.by_person[key] then
      complain(("%s was taken away while %s holds it"):format(key, path:match "[^/]*$"))
    end
  end
  if used and key ~= old and not TAKES_USED[w.what.verb] then
    complain(("%s, which consumers have used, was taken away"):format(key))
  end
  if entry.operation == "delete" then
    judge_delete(w, facts, entry, key, used, complain)
  end
end

local function judge_log(w, facts, log, by_name, found)
  for _, entry in ipairs(log) do
    if entry.change and entry.operation ~= "create" then
      if not is_person(w, entry) then
        judge_change(w, facts, entry, by_name, function(text)
          found[#found + 1] = ("request %d, %s: %s"):format(entry.n, entry.operation, text)
        end)
      end
      local key = target_of(entry)
      facts.disabled[key] = not entry.change.valid and (facts.disabled[key] or entry.change.time) or nil
    end
  end
end

-- Counts refused requests, and complains about those of prompt consumers that we caused.
local function judge_refusals(w, facts, by_secret, found)
  local complained = {}
  for _, refusal in ipairs(w.refusals) do
    local consumer, key = refusal.consumer, refusal.secret and by_secret[refusal.secret]
    local name = key and name_of(key) or "nothing"
    local ours = not refusal.by_person and not facts.by_person[name] and not (w.leaked and w.leaked[refusal.secret])
      and (not key or facts.by_us[name])
    local counts = consumer.counts
    counts[ours and "ours" or "others"] = counts[ours and "ours" or "others"] + refusal.weight
    if ours and consumer.kind.prompt and not complained[consumer] then
      complained[consumer] = true
      found[#found + 1] = ("after %.0f s the consumer '%s' of %s was refused with %s, which it read at %.0f s"):format(
        refusal.ahead, consumer.kind.name, consumer.store.name, name, refusal.read_at)
    end
  end
end

-- At the end each store holds a key that works, and that is the old one or one of ours, unless a person has taken it
-- away, or it leaked.
local function judge_end(w, facts, by_secret, found)
  for _, store in ipairs(w.stores) do
    local key = store.content and by_secret[store.content]
    local excused = store.by_person or key and (facts.by_person[name_of(key)] or w.leaked and w.leaked[store.content])
    if not excused and not (key and key.valid) then
      found[#found + 1] = ("at the end %s holds %s, which does not work"):format(store.name,
        key and name_of(key) or "nothing")
    elseif not excused and key.value ~= w.what.secret and facts.made[name_of(key)] ~= "us" then
      found[#found + 1] = ("at the end %s holds %s, which is not ours"):format(store.name, name_of(key))
    end
  end
end

---Judges a run after its end.
---@param w table of world.lua
---@return string[] complaints
function judge.all(w)
  local found = {}
  for _, complaint in ipairs(w.complaints) do
    found[#found + 1] = complaint
  end
  local by_secret, by_name = index_keys(w)
  local log = assert(w.service:log())
  local facts = read_log(w, log)
  judge_log(w, facts, log, by_name, found)
  judge_refusals(w, facts, by_secret, found)
  judge_end(w, facts, by_secret, found)
  return found
end

return judge
