-- SPDX-License-Identifier: Apache-2.0
-- Why a rotation stops or ends early: every cause that there is, the stop that it makes, and the ways on from there.
-- Job:halt takes no other. A spec brings each of them about, runs the commands, and sees that they lead out.

local journal = require "confidentai.rotation.record"
local ways = require "confidentai.rotation.ways"

local causes = {}

---@class confidentai.Cause
---@field stop string
---@field ways fun(job: confidentai.Job): confidentai.Way[]
---@field next? string what is next, where the stop alone does not say it
---@field ended? string the same where the rotation has ended

-- The ways of most conflicts: the one that leads forward, back, keeping the new key, and closing the record.
local function conflict(forward)
  return function(job)
    local record = job.record
    return ways.list(forward(record), ways.back(record), ways.keep(record), ways.abandon(record))
  end
end

-- An end before anything was published.
local function early(job)
  return ways.list(ways.again(job.record))
end

local function none()
  return {}
end

local function nothing() end

-- Of a client's own key, the command has to act as the other one: no key disables itself.
local function acting(record, purpose)
  return record.self and purpose .. " (with another organization key in CONFIDENT_ORG_API_KEY)" or purpose
end

local function look_again(record)
  return ways.advance(record, "Look again")
end

local function enable_new(record)
  return ways.change(record, "enable", record.new.id, "Enable the new key")
end

-- The new key cannot be brought to work: where nothing leads back, another one is made.
local function without_new(forward)
  return function(job)
    local record = job.record
    return ways.list(forward(record), ways.back(record) or ways.renew(record), ways.abandon(record))
  end
end

-- Neither way leads on while a key that was to be removed is claimed: that is looked at first.
local function claimed(forward)
  return function(job) return ways.list(forward(job.record), ways.abandon(job.record)) end
end

local function enable_old(record)
  return ways.change(record, "enable", record.old.id, "Enable the old key, if it may work again")
end

-- A damaged pending secret is taken out of the way first; what it held counts as lost then.
local function without_secret(job)
  local record, path = job.record, job.state.path_of and job.state.path_of(journal.escrow_key(job.key))
  if not path then
    return ways.list(ways.abandon(record))
  end
  local folder, name = path:match "^(.*/)([^/]*)$"
  local away = { "mv", "--", path, folder .. ".damaged-" .. name }
  local forward = record.published
    and ways.make("Continue without it: the stores hold the new secret", away, ways.rotate(record, "advance"))
    or ways.make("Continue without it: the new key is removed, as its secret is lost", away,
      ways.rotate(record, "rollback"))
  local close = ways.abandon(record)
  table.insert(close.steps, 1, away)
  return { forward, close }
end

-- A .env file that lies where a file with one secret was is never replaced as a whole.
local function without_env_file(record)
  local way = ways.republish(record, "Move it away, and write the new secret into its place")
  for _, description in ipairs(way and record.stores or {}) do
    local path = description.spec and description.spec.kind == "file" and description.spec.path
    if description.label == record.about and path then
      table.insert(way.steps, 1, { "mv", "--", path, path .. ".moved" })
      return way
    end
  end
end

local function keys_stay(record)
  return ways.confirm(record, "Leave both keys, each in its store")
end

---@type table<string, confidentai.Cause>
causes.list = {
  -- Ends before anything was published.
  create_refused = { stop = "aborted", ways = early },
  new_deleted = { stop = "aborted", ways = early },
  unproven = { stop = "aborted", ways = early },
  creates_unclear = { stop = "ambiguous", ways = early },
  name_altered = { stop = "name_altered", ways = none },
  -- Ends that a person has asked for.
  rolled_back = { stop = "aborted", ways = none },
  abandoned = { stop = "abandoned", ways = none },
  -- The soak.
  not_taken_over = { stop = "stalled", ways = function(job)
    return ways.list(ways.confirm(job.record, "When everybody uses the new key, confirm it"), ways.back(job.record))
  end },
  command_failed = { stop = "stalled", next = "fix the command, or have the consumers of the key read it again",
    ways = function(job)
      return ways.list(ways.advance(job.record, "Run the command again"),
        ways.confirm(job.record, "When everybody uses the new key, confirm it"), ways.back(job.record))
    end },
  -- Stores that this run cannot reach.
  store_elsewhere = { stop = "needs_store", ways = function(job)
    return ways.list(ways.give_stores(job.record), ways.abandon(job.record))
  end },
  store_not_given = { stop = "needs_store", ways = function(job) return ways.list(ways.abandon(job.record)) end,
    next = "continue by the program that began the rotation: confidentai.rotation.open takes its stores" },
  -- Another rotation of the same key.
  rival_first = { stop = "superseded", ways = function(job)
    return ways.list(keys_stay(job.record), ways.back(job.record))
  end },
  rival_published = { stop = "superseded", ended = "nothing to do here: the other rotation disables the old key",
    ways = function(job) return ways.list(keys_stay(job.record), ways.back(job.record)) end },
  newer_key = { stop = "conflict", next = "find out who made that key: another rotation, or a person",
    ways = conflict(function(record)
      return ways.change(record, "disable", record.about, "If that key is not needed: disable it")
    end) },
  -- The new key.
  new_disabled = { stop = "conflict", next = "find out who disabled the new key, and why",
    ways = without_new(enable_new) },
  new_refused = { stop = "conflict", ways = without_new(look_again) },
  new_gone = { stop = "conflict", next = "the stores hold a secret that does not work: go back, or rotate again",
    ways = without_new(nothing) },
  new_claimed = { stop = "conflict", next = "if the state folder is an old copy, close this record",
    ways = claimed(nothing) },
  new_changed = { stop = "conflict", ways = without_new(look_again) },
  -- The old key.
  old_enabled = { stop = "conflict", next = "find out who enabled the old key, and why",
    ways = conflict(function(record)
      return ways.change(record, "disable", record.old.id, acting(record, "Disable the old key again"))
    end) },
  old_accepted = { stop = "conflict", ways = conflict(look_again) },
  old_changed = { stop = "conflict", ways = conflict(look_again) },
  old_used = { stop = "conflict", next = "find out who used the old key", ways = conflict(function(record)
    return ways.confirm(record, "When you know who used the old key: delete it")
  end) },
  own_key = { stop = "conflict", next = "act with another organization key", ways = conflict(function(record)
    return ways.advance(record, "Continue with another organization key in CONFIDENT_ORG_API_KEY")
  end) },
  -- The stores, and the pending secret.
  store_written = { stop = "conflict", next = "find out who wrote the store", ways = conflict(function(record)
    return ways.republish(record, "Write the new secret into the stores again")
  end) },
  env_file_written = { stop = "conflict", next = "find out who wrote the store", ways = conflict(without_env_file) },
  secret_damaged = { stop = "conflict", ways = without_secret },
  -- A key that was to be removed.
  key_stored = { stop = "conflict", next = "if the state folder is an old copy, close this record",
    ways = claimed(nothing) },
  key_claimed = { stop = "conflict", next = "find out who uses that key", ways = claimed(function(record)
    return ways.change(record, "delete", record.about, "If that key is not needed: delete it")
  end) },
  -- A rollback.
  back_gone = { stop = "conflict", next = "nothing leads back: keep the new key", ways = conflict(nothing) },
  back_changed = { stop = "conflict", ways = conflict(look_again) },
  back_disabled = { stop = "conflict", next = "find out who disabled the old key, and why",
    ways = conflict(enable_old) },
  back_refused = { stop = "conflict", ways = conflict(look_again) },
  new_enabled = { stop = "conflict", next = "find out who enabled the new key, and why",
    ways = conflict(function(record)
      return ways.change(record, "disable", record.new.id, "Disable the new key again")
    end) },
  new_held = { stop = "conflict", next = "find out who wrote the store", ways = conflict(function(record)
    return ways.republish(record, "Write the old secret into the stores again")
  end) },
  new_used = { stop = "conflict", next = "find out who used the new key", ways = conflict(function(record)
    return ways.confirm(record, "When you know who used the new key: delete it")
  end) },
}

return causes
