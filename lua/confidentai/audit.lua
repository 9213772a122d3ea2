-- SPDX-License-Identifier: Apache-2.0
-- Examines every key of the organization and its projects: how old, how long unused, disabled, named like another, left
-- behind by a rotation. It only reads.

local core = require "confidentai.core"
local all_keys = require "confidentai.all_keys"
local gather = require "confidentai.gather"
local names = require "confidentai.rotation.names"
local operation = require "confidentai.operation"
local timestamp = require "confidentai.timestamp"

local audit = {}

local DAY = 86400

-- Days after which a key that nobody has ever used counts as never used, where `unused_days` does not say.
local NEVER_USED_DAYS = 1

-- Days after which the key before a rotation's newest should be gone: the longest soak and the grace, by default.
local SUPERSEDED_DAYS = 37

---@class confidentai.AuditOptions
---@field max_age_days? number days of age from which on an enabled key is a finding; without it, age makes none
---@field unused_days? number days without use from which on an enabled key is a finding; without it, use makes none
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time, or the service's clock where the two disagree

---@class confidentai.AuditReport
---@field at string when it was made, ISO 8601, UTC
---@field base_url string
---@field organization confidentai.OrganizationRecord
---@field max_age_days? number as given
---@field unused_days? number as given
---@field totals confidentai.AuditTotals
---@field findings confidentai.AuditFinding[] the organization's first, then project by project
---@field unreadable confidentai.UnreadableScope[] what could not be read, or not as a whole

---@class confidentai.AuditTotals
---@field scopes integer
---@field keys integer
---@field enabled integer
---@field disabled integer
---@field unrotated integer enabled keys that no rotation has made
---@field findings integer
---@field unreadable integer scopes

---@class confidentai.UnreadableScope
---@field scope "organization"|"project"
---@field project? confidentai.ProjectRecord
---@field err confidentai.Error

---@class confidentai.AuditFinding
---@field kind "old"|"unused"|"never_used"|"unreadable_time"|"disabled"|"same_name"|"superseded"
---@field key confidentai.ApiKey
---@field project? confidentai.ProjectRecord nil: a key of the organization
---@field days? integer whole days: of age, without use, or since there is a newer one
---@field rotated boolean whether a rotation has made the key, by its name
---@field message string for people

-- What is said of a time that the service leaves out.
local UNTOLD = "is not told by the service"

-- A finding keeps little, as there may be as many as keys; what it says is made when it is asked for.
local Finding = {}

local function count(days)
  return days == 1 and "1 day" or ("%d days"):format(days)
end

local SENTENCES = {
  old = function(finding)
    return ("%s old, %s"):format(count(finding.days), finding.rotated
      and "not rotated since a rotation created it" or "never rotated")
  end,
  unused = function(finding) return "not used for " .. count(finding.days) end,
  never_used = function(finding) return ("never used in %s"):format(count(finding.days)) end,
  unreadable_time = function(finding)
    return (finding.creation and "the time of its creation " or "the time of its last use ") .. finding.problem
  end,
  disabled = function() return "disabled; the service does not say since when" end,
  same_name = function() return "another key of this scope has the same name" end,
  superseded = function(finding)
    return ("still enabled, %s after a rotation made its successor"):format(count(finding.days))
  end,
}

function Finding.__index(finding, name)
  if name == "rotated" then
    return names.parse(finding.key.name) ~= nil
  elseif name == "message" then
    return SENTENCES[finding.kind](finding)
  end
end

-- Returns the whole days from a time of the service to now; nil: the time tells nothing. Then whether it is "never", or
-- why it tells nothing.
local function days_since(text, now)
  local kind, seconds = timestamp.read(text)
  if kind == "time" and seconds > now + DAY then
    return nil, "lies ahead: " .. text
  end
  return seconds and math.max(0, math.floor((now - seconds) / DAY)), kind == "never" and kind
    or text == timestamp.UNKNOWN and UNTOLD or kind == "unreadable" and "cannot be read: " .. text or nil
end

-- What the names of a scope's keys show: how many have each, and the newest generation of each base that is enabled.
local function survey(keys)
  local uses, newest = {}, {}
  for _, key in ipairs(keys) do
    if key.name then
      uses[key.name] = (uses[key.name] or 0) + 1
    end
    local base, generation = names.parse(key.name)
    if base and key.valid and (not newest[base] or newest[base].generation < generation) then
      newest[base] = { generation = generation, created_at = key.created_at }
    end
  end
  return uses, newest
end

-- Examines an enabled key.
local function examine(key, newest, options, now, add)
  local age, created = days_since(key.created_at, now)
  local idle, used = days_since(key.last_used, now)
  if age and options.max_age_days and age >= options.max_age_days then
    add("old", age)
  end
  if idle and options.unused_days and idle >= options.unused_days then
    add("unused", idle)
  elseif used == "never" and age and age >= (options.unused_days or NEVER_USED_DAYS) then
    add("never_used", age)
  end
  if created == "never" then -- a key of which the service does not tell the age passes for no young one
    created = (options.max_age_days or used == "never") and UNTOLD
  end
  if created then
    add("unreadable_time", nil, created, true)
  elseif used and used ~= "never" then
    add("unreadable_time", nil, used)
  end
  local base, generation = names.parse(key.name)
  local successor = base and newest[base]
  if successor and successor.generation > generation then
    local days = days_since(successor.created_at, now)
    if days and days >= SUPERSEDED_DAYS then
      add("superseded", days)
    end
  end
end

-- The findings of a scope, in the order of its keys. Counts its keys.
local function examine_scope(scope, options, now, totals)
  local uses, newest = survey(scope.keys)
  local list = {}
  for _, key in ipairs(scope.keys) do
    local function add(kind, days, problem, creation)
      list[#list + 1] = setmetatable({ kind = kind, key = key, project = scope.project, days = days, problem = problem,
        creation = creation }, Finding)
    end
    totals.keys = totals.keys + 1
    if key.valid then
      totals.enabled = totals.enabled + 1
      totals.unrotated = totals.unrotated + (names.parse(key.name) and 0 or 1)
      examine(key, newest, options, now, add)
    else
      totals.disabled = totals.disabled + 1
      add "disabled"
    end
    if key.name and uses[key.name] > 1 then
      add "same_name"
    end
  end
  return list
end

-- Sets the findings of the scopes one after the other, the organization's first.
local function arrange(report, lists, unreadable)
  for index = 1, report.totals.scopes do
    for _, finding in ipairs(lists[index] or {}) do
      report.findings[#report.findings + 1] = finding
    end
    lists[index] = nil
    report.unreadable[#report.unreadable + 1] = unreadable[index]
  end
  report.totals.findings, report.totals.unreadable = #report.findings, #report.unreadable
end

---Audits all keys. For Client:audit, which documents it.
---@param client confidentai.Client
---@param options table checked
---@return table? report
---@return confidentai.Error? err
function audit.run(client, options)
  local clock = options.clock or function() return operation.now(client) end
  local lists, unreadable = {}, {}
  local report = {
    base_url = client.base_url, max_age_days = options.max_age_days,
    unused_days = options.unused_days, findings = {}, unreadable = {},
    totals = { scopes = 0, keys = 0, enabled = 0, disabled = 0, unrotated = 0, findings = 0, unreadable = 0 },
  }
  local function see(scope, index, done, total)
    if scope.keys then
      lists[index] = examine_scope(scope, options, clock(), report.totals)
    end
    if scope.err then
      unreadable[index] = { scope = scope.scope, project = scope.project, err = scope.err }
    end
    if options.on_progress then
      options.on_progress(done, total)
    end
  end
  local results, errors = gather.gather({
    function()
      local organization, err = core.organization(client):get()
      return organization, err
    end,
    function()
      local total, err = all_keys.visit(client, see, options.concurrency)
      return total, err
    end,
  }, { driver = core.environment(client).driver })
  if not results[1] or not results[2] then
    local err = errors[2] or errors[1]
    if type(err) ~= "table" or not err.kind then
      error(err, 0)
    end
    return nil, err
  end
  report.at, report.organization, report.totals.scopes = timestamp.text(clock()), results[1], results[2]
  arrange(report, lists, unreadable)
  return report
end

return audit
