-- SPDX-License-Identifier: Apache-2.0
-- planned: what a rotation finds out, and refuses, before anything is written anywhere.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local names = require "confidentai.rotation.names"
local preflight = require "confidentai.rotation.preflight"
local refusals = require "confidentai.rotation.refusals"
local stores = require "confidentai.rotation.stores"
local ways = require "confidentai.rotation.ways"

local plan = {}

-- Options that a record keeps; the others are of this process.
local KEPT = { "soak", "soak_max", "grace", "adoption", "settle", "replace", "compromised", "replace_store",
  "on_published", "on_published_folder" }

-- Seconds: the least for which an unclear create is looked for (rotation page).
local LEAST_SETTLE = 60

local function options_of_record(job, options)
  local kept = {}
  for _, name in ipairs(KEPT) do
    kept[name] = options[name]
  end
  local settings = core.environment(job.client)
  kept.settle = options.settle or math.max(LEAST_SETTLE, 2 * (settings.timeout or 0))
  return kept
end

-- The record as it begins.
local function draft(job, options, wanted)
  local base, keys = wanted.base, wanted.keys
  return {
    kind = wanted.kind, old_id = wanted.old_id, id = names.op(job.random), base_url = job.client.base_url,
    organization = job.record.organization,
    scope = job.api_keys.scope, project_id = job.api_keys.project_id, base = base,
    state = "planned",
    options = options_of_record(job, options), stores = stores.describe(job.stores), history = {},
    generation = wanted.generation, snapshot = calls.ids(job, keys), quarantine = {}, suspects = {},
  }
end

---Plans. The job's record is set, and not yet written.
---@param job confidentai.Job with the organization in its record
---@param options table checked
---@param wanted confidentai.Wanted
---@return true?
---@return confidentai.Error? err nothing was changed
function plan.make(job, options, wanted)
  local id, key, ok, err = wanted.old_id, wanted.key, true, nil
  local generation, problem = names.next(wanted.keys, wanted.base, wanted.highest)
  wanted.generation = generation
  if not generation then
    return refusals.make("names_used_up", problem,
      refusals.again("Give another base", { drop = { "--base" }, add = { "--base", "key-" .. (id or wanted.base) } }))
  end
  local record = draft(job, options, wanted)
  if id then
    ok, err = preflight.check_old(job, key, id, options)
  end
  if ok then
    ok, err = preflight.check_ends(job, key, wanted.keys)
  end
  if not ok then
    return nil, err
  end
  if key then
    record.old = calls.identity(job, key)
    record.self = key.scope == "organization" and job.client:owns(key) or nil
  end
  job.record = record
  if key then
    job:see(record.old.id, key)
  end
  ok, err = preflight.check_stores(job, options, wanted.keys)
  if ok and record.scope == "organization" then
    ok, err = preflight.check_other_manager(job, options.require_other_manager, record.old)
  end
  if not ok then
    return nil, err
  end
  return true
end

local function is_equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  return table.concat(a, "\0") == table.concat(b, "\0")
end

-- What was asked for differently than the rotation that is under way was begun; nil: nothing. A key that is found to be
-- compromised meanwhile has its rotation go on without soak and grace, whatever they were.
local function find_difference(self, existing, checked)
  local labels = {}
  for _, description in ipairs(existing.stores) do
    labels[description.label] = true
  end
  for _, store in ipairs(self.stores) do
    if not labels[store.label] then
      return "store = " .. store.label
    end
  end
  for _, name in ipairs(KEPT) do
    local urgent = checked.compromised and (name == "soak" or name == "grace" or name == "compromised")
    if checked.given[name] and name ~= "settle" and not urgent
      and not is_equal(checked[name], existing.options[name]) then
      return ("%s = %s"):format(name, tostring(checked[name]))
    end
  end
end

---Takes the options of a rotation that is begun again into account.
---@param self confidentai.Job
---@param existing table the record
---@param checked table options
---@return true? agreed it goes on; `upgraded` of the job: the record has changed, and is to be written
---@return confidentai.Error? err of kind "guard": it was begun with others
function plan.agree(self, existing, checked)
  local difference = find_difference(self, existing, checked)
  if difference then
    return refusals.make("begun_otherwise", ("the rotation %s of this key is under way, and was begun with another %s: "
      .. "end or undo it first, or leave that option out"):format(existing.id, difference:match "^[%w_]+"),
      ways.advance(existing, "Continue it as it was begun"), ways.back(existing))
  elseif existing.rollback and existing.kind == "rotation" then -- since a moment ago
    return refusals.of_rotation("under_way", ("the rotation %s is going back to this key: it has to end before"):format(
      existing.id), { record = existing, state = self.state, key = self.key })
  elseif checked.compromised and not existing.options.compromised then
    existing.options.compromised, existing.options.soak, existing.options.grace = true, 0, 0
    self.upgraded = true
  end
  return true
end

return plan
