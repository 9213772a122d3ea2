-- SPDX-License-Identifier: Apache-2.0
-- `confidentai audit`: every key of the organization and its projects, examined.

local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local help = require "confidentai.cli.help"
local output = require "confidentai.cli.output"
local progress = require "confidentai.cli.progress"
local session = require "confidentai.cli.session"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"
local time = require "confidentai.cli.time"

local audit = {}

local DAY = 86400

-- Days of both options where neither is given: without them no age and no idleness would be a finding.
local DEFAULT_DAYS = 90

-- Days of a text such as "90d". A bare number would be seconds, and is hardly what is meant.
local function days(text)
  local seconds = not text:find "^%d+$" and time.duration(text)
  if not seconds then
    return nil, (text:find "^%d+$" and "'%s' has no unit: write %sd, %sw or %sh"
      or "'%s' is not a duration, such as 90d, 12w or 36h"):format(text, text, text, text)
  end
  return seconds / DAY
end

---Tells the parser about the options.
---@param command table of argparse
function audit.define(command)
  command:option("--max-age", "Report enabled keys that are older than this. Without this and --unused: 90d.")
    :argname("TIME"):target("max_age_days"):convert(days)
  command:option("--unused", "Report enabled keys that were not used for this long. Without this and --max-age: "
    .. "90d."):argname("TIME"):target("unused_days"):convert(days)
  command:flag("--fail", "Exit with 3 when there is a finding, or a scope could not be read.")
  session.define(command)
  help.examples(command, {
    "confidentai audit --max-age 90d --unused 30d",
    "confidentai audit --max-age 90d --output csv >findings.csv",
    "confidentai audit --max-age 90d --fail --quiet || notify-on-call",
  })
end

local STYLES = { old = "yellow", unused = "yellow", superseded = "yellow" }

local function project_of(record)
  return record.project or {}
end

-- The fields of a finding: the stable contract of JSON and CSV (docs/incident.md).
local function finding_columns(now)
  return {
    { name = "kind", title = "FINDING", value = function(finding) return finding.kind end,
      text = function(finding) return finding.kind:gsub("_", " "), STYLES[finding.kind] end },
    { name = "days", value = function(finding) return finding.days end },
    { name = "rotated", value = function(finding) return finding.rotated end },
    { name = "scope", value = function(finding) return finding.key.scope end },
    { name = "project_id", value = function(finding) return finding.key.project_id end },
    { name = "project_name", title = "PLACE", shrinks = true,
      value = function(finding) return project_of(finding).name end,
      text = function(finding) return finding.project and (finding.project.name or finding.project.id)
        or "(organization)" end },
    { name = "id", title = "ID", value = function(finding) return finding.key.id end },
    { name = "name", title = "NAME", shrinks = true, value = function(finding) return finding.key.name end },
    { name = "valid", value = function(finding) return finding.key.valid end },
    { name = "value", value = function(finding) return finding.key.value end },
    { name = "created_at", value = function(finding) return finding.key.created_at end },
    { name = "last_used", title = "LAST USED", value = function(finding) return finding.key.last_used end,
      text = function(finding) return time.ago(finding.key.last_used, now) end },
    { name = "message", title = "WHY", shrinks = true, value = function(finding) return finding.message end },
  }
end

local unreadable_columns = {
  { name = "scope", value = function(place) return place.scope end },
  { name = "project_id", value = function(place) return project_of(place).id end },
  { name = "project_name", value = function(place) return project_of(place).name end },
  { name = "kind", value = function(place) return place.err.kind end },
  { name = "status", value = function(place) return place.err.status end },
  { name = "message", value = function(place) return place.err.message end },
}

local function report_columns(now)
  return {
    { name = "at", value = function(report) return report.at end },
    { name = "base_url", value = function(report) return report.base_url end },
    { name = "organization_id", value = function(report) return report.organization.id end },
    { name = "organization_name", value = function(report) return report.organization.name end },
    { name = "max_age_days", value = function(report) return report.max_age_days end },
    { name = "unused_days", value = function(report) return report.unused_days end },
    { name = "totals", value = function(report) return report.totals end },
    { name = "findings", value = function(report) return output.list(report.findings, finding_columns(now)) end },
    { name = "unreadable", value = function(report) return output.list(report.unreadable, unreadable_columns) end },
  }
end

local function summarize(self, report)
  local totals = report.totals
  local findings = totals.findings == 0 and "no findings"
    or ("%d finding%s"):format(totals.findings, totals.findings == 1 and "" or "s")
  self:say(("%s: %d keys in the organization and %d project%s (%d enabled, %d disabled); %s"):format(
    failure.redact(report.organization.name or grid.text(report.organization.id)), totals.keys, totals.scopes - 1,
    totals.scopes == 2 and "" or "s", totals.enabled, totals.disabled, findings))
end

-- What could not be read may hide anything: that is told, also with --quiet.
local function tell_unreadable(report)
  for _, place in ipairs(report.unreadable) do
    local where = place.project and "the project " .. (place.project.name or place.project.id) or "the organization"
    terminal.say(failure.redact(("confidentai: the keys of %s could not be read, or not all: %s"):format(where,
      place.err.message)))
  end
end

-- Per cent of what is in use at which garbage is collected again. Most of what an audit reads is garbage at once; Lua's
-- 200 would let it pile up to as much as all that is kept.
local PAUSE = 110

local function run(self, arguments)
  collectgarbage("setpause", PAUSE)
  local client = self:client()
  local by_default = not arguments.max_age_days and not arguments.unused_days
  if by_default then
    arguments.max_age_days, arguments.unused_days = DEFAULT_DAYS, DEFAULT_DAYS
  end
  local report = failure.check(progress.during(arguments, "Reading keys", function(on_progress)
    local report, err = client:audit { max_age_days = arguments.max_age_days, unused_days = arguments.unused_days,
      on_progress = on_progress }
    return report, err
  end))
  local now = self:now()
  if arguments.output == "json" then
    output.record(report_columns(now), report, arguments)
  elseif arguments.output ~= "table" or #report.findings > 0 then
    output.records(finding_columns(now), report.findings, arguments)
  end
  if arguments.output == "table" then
    summarize(self, report)
    if by_default then
      self:say(("default limits: keys older than %d days, and keys not used for %d days (--max-age, --unused)")
        :format(DEFAULT_DAYS, DEFAULT_DAYS))
    end
  end
  if arguments.output ~= "json" then
    tell_unreadable(report)
  end
  local failed = arguments.fail and report.totals.findings + report.totals.unreadable > 0
  return failed and status.findings or status.ok
end

---Runs the command.
---@param arguments table parsed
---@return integer status
function audit.run(arguments)
  return session.run(arguments, run)
end

return audit
