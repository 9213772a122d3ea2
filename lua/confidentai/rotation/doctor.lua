-- SPDX-License-Identifier: Apache-2.0
-- The doctor: compares the records with the service, and finds what rotations have left behind or left undone. It
-- changes nothing but the findings that it is told to fix, each by its id.

local all_keys = require "confidentai.all_keys"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local duration = require "confidentai.duration"
local handle = require "confidentai.rotation.handle"
local job = require "confidentai.rotation.job"
local open = require "confidentai.rotation.open"
local quarantine = require "confidentai.rotation.quarantine"
local status = require "confidentai.rotation.status"
local strays = require "confidentai.rotation.strays"

local doctor = {}

---@class confidentai.Finding
---@field id string for `fix`
---@field kind "suspect"|"stray"|"overdue"|"stopped"|"unsettled"|"unreadable"
---@field message string for people
---@field rotation? string id of the rotation
---@field key? confidentai.ApiKey
---@field fixable boolean whether `fix` can name it
---@field fixed? boolean whether it was fixed; nil: it was not to be
---@field err? confidentai.Error why it was not

---@class confidentai.DoctorReport
---@field findings confidentai.Finding[]
---@field problems confidentai.Error[] records that cannot be used

-- What a record says of itself.
local function examine_record(self)
  local record, list = self.record, {}
  local function add(kind, message, fix, detail)
    list[#list + 1] = { id = ("%s:%s%s"):format(kind, record.id, detail or ""), kind = kind, message = message,
      rotation = record.id, fix = fix }
  end
  local function go_on()
    local ok, err = handle.advance(self)
    return ok, err
  end
  for i, suspect in ipairs(record.suspects) do
    add("suspect", ("a create of '%s' may still take effect"):format(suspect.name), go_on, "/" .. i)
  end
  if record.stop and not record.finished then
    add("stopped", ("the rotation of '%s' has stopped (%s): %s"):format(record.base, record.stop, record.reason))
  elseif record.finished and not record.settled and #record.suspects + #record.quarantine == 0
    or quarantine.is_due(self) then
    add("unsettled", ("the rotation of '%s' has keys left to remove"):format(record.base), go_on)
  elseif not record.finished then
    local seen = status.of(self)
    if seen.attention == "overdue" then
      add("overdue", ("the rotation of '%s' (%s) is due, and no run has advanced it for %s%s"):format(record.base,
        record.state, duration.length(status.idle(self)), record.trouble and "; last error: " .. record.trouble.message
          or ""), go_on)
    elseif seen.attention then
      local message = "the command on_published of the rotation of '%s' has failed: %s"
      add("unsettled", message:format(record.base, seen.notice.problem), go_on)
    end
  end
  return list
end

-- Adds what a scope has: keys that no record knows, and what could not be read.
local function examine_scope(client, checked, facts, scope, list)
  if scope.err then
    list[#list + 1] = { id = "unreadable:" .. (scope.api_keys and scope.api_keys.project_id or ""), kind = "unreadable",
      message = tostring(scope.err) }
  end
  for _, finding in ipairs(scope.keys and strays.find(client, checked, facts, scope) or {}) do
    list[#list + 1] = finding
  end
end

-- A job that has just used the client's key, and so has heard what time it is at the service.
local function observe(client, checked)
  local self = job.new(client, core.organization(client).api_keys, checked)
  self.record = { scope = "organization", state = "planned" }
  calls.organization(self)
  return self
end

-- Fixes what was asked for. The functions that do it are not for the user to see.
local function fix(list, wanted)
  local asked = {}
  for _, id in ipairs(wanted or {}) do
    asked[id] = true
  end
  for _, finding in ipairs(list) do
    local mend = finding.fix
    finding.fix, finding.fixable = nil, mend ~= nil
    if asked[finding.id] and mend then
      local ok, err = mend()
      finding.fixed, finding.err = ok and true or false, err
    end
  end
end

---Examines the records in the state folder and all keys of the service.
---@param client confidentai.Client
---@param checked table options
---@return confidentai.DoctorReport? report
---@return confidentai.Error? err
function doctor.examine(client, checked)
  local jobs, problems, organization, folder = open.all(client, checked)
  if not jobs then
    return nil, problems
  end
  local observer = observe(client, checked)
  local scopes, err = all_keys.list(client)
  if not scopes then
    return nil, err
  end
  local facts
  facts, err = strays.gather(jobs, folder, organization or nil, scopes, observer)
  if not facts then
    return nil, err
  end
  local list = {}
  for _, self in ipairs(jobs) do
    for _, finding in ipairs(examine_record(self)) do
      list[#list + 1] = finding
    end
  end
  for _, scope in ipairs(scopes) do
    examine_scope(client, checked, facts, scope, list)
  end
  fix(list, checked.fix)
  return { findings = list, problems = problems }
end

return doctor
