-- SPDX-License-Identifier: Apache-2.0
-- What identify and contain have found out, fit for the report of an incident: what, how certain, and when.

local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local output = require "confidentai.cli.output"
local terminal = require "confidentai.cli.terminal"
local time = require "confidentai.cli.time"

local identification = {}

local STYLES = { proven = "green", ambiguous = "yellow", excluded = "dim" }

-- The fields of a match (docs/incident.md).
local function match_columns(now)
  return {
    { name = "certainty", title = "CERTAINTY", value = function(match) return match.certainty end,
      text = function(match) return match.certainty, STYLES[match.certainty] end },
    { name = "evidence", value = function(match) return match.evidence end },
    { name = "scope", value = function(match) return match.scope end },
    { name = "project_id", title = "PROJECT", shrinks = true, value = function(match) return match.project_id end,
      text = function(match) return match.project_id or "(organization)" end },
    { name = "project_name", value = function(match) return match.project_name end },
    { name = "id", title = "ID", value = function(match) return match.key.id end },
    { name = "name", title = "NAME", shrinks = true, value = function(match) return match.key.name end },
    { name = "valid", title = "STATE", value = function(match) return match.key.valid end,
      text = function(match) return match.key.valid and "enabled" or "disabled" end },
    { name = "pending", value = function(match) return match.pending or false end },
    { name = "own", value = function(match) return match.own or false end },
    { name = "created_at", title = "CREATED", value = function(match) return match.key.created_at end,
      text = function(match) return time.ago(match.key.created_at, now) end },
    { name = "last_used", title = "LAST USED", value = function(match) return match.last_used end,
      text = function(match) return match.last_used or "never" end },
    { name = "last_used_after", value = function(match) return match.last_used_after end },
  }
end

local unreadable_columns = {
  { name = "scope", value = function(place) return place.scope end },
  { name = "project_id", value = function(place) return place.project_id end },
  { name = "project_name", value = function(place) return place.project_name end },
  { name = "message", value = function(place) return place.err.message end },
}

local step_columns = {
  { name = "at", title = "AT", value = function(step) return step.at end },
  { name = "what", title = "WHAT", value = function(step) return step.what end },
}

local function field(name)
  return { name = name, value = function(report) return report[name] end }
end

-- The fields of a report. `found`: where it was found, with --scan.
local function report_columns(now, with_found)
  local columns = { field "secret" }
  if with_found then
    columns[2] = { name = "count", value = function(report) return report.found.count end }
    columns[3] = { name = "lines", value = function(report) return output.list(report.found.lines) end }
  end
  for _, column in ipairs {
    field "at", field "base_url", field "verdict", field "message", field "probe",
    { name = "probe_error", value = function(report) return report.probe_error and report.probe_error.message end },
    { name = "organization_id", value = function(report) return (report.organization or {}).id end },
    { name = "organization_name", value = function(report) return (report.organization or {}).name end },
    field "outcome", field "contained_at", field "refused_at",
    { name = "rotation_id", value = function(report) return (report.rotation or {}).id end },
    { name = "new_id", value = function(report) return (report.rotation or {}).new_id end },
    { name = "matches", value = function(report) return output.list(report, match_columns(now)) end },
    field "scopes",
    { name = "unreadable", value = function(report) return output.list(report.unreadable, unreadable_columns) end },
    { name = "steps", value = function(report) return output.list(report.steps, step_columns) end },
  } do
    columns[#columns + 1] = column
  end
  return columns
end

-- A row for each match; a secret without any has one, too.
local function rows_of(reports)
  local rows = {}
  for _, report in ipairs(reports) do
    for i = 1, math.max(#report, 1) do
      rows[#rows + 1] = { report = report, match = report[i] }
    end
  end
  return rows
end

local function row_columns(now, with_found)
  local columns = { { name = "secret", title = "SECRET", is_mask = true,
    value = function(row) return row.report.secret end } }
  if with_found then
    columns[2] = { name = "lines", title = "LINES", shrinks = true,
      value = function(row) return table.concat(row.report.found.lines, " ") end }
  end
  columns[#columns + 1] = { name = "verdict", title = "VERDICT", value = function(row) return row.report.verdict end,
    text = function(row) return row.report.verdict, STYLES[row.report.verdict] end }
  for _, column in ipairs(match_columns(now)) do
    columns[#columns + 1] = { name = column.name, title = column.title, shrinks = column.shrinks,
      value = function(row)
        if row.match then
          return column.value(row.match)
        end
      end,
      text = column.title and function(row)
        if not row.match then
          return ""
        elseif column.text then
          return column.text(row.match)
        end
        return tostring(column.value(row.match) or "")
      end }
  end
  return columns
end

-- A single row that would be cut is shown as names and values: `keys disable` may need what is in it.
local function write_rows(columns, rows, arguments)
  if arguments.output == "table" and #rows == 1 and not grid.fits(columns, rows) then
    output.record(columns, rows[1], arguments)
  else
    output.records(columns, rows, arguments)
  end
end

local function write_person(report, arguments, now)
  local lines = { ("%s  %s"):format(report.secret, failure.redact(report.message)) }
  output.write(table.concat(lines, "\n") .. "\n")
  if #report > 0 then
    output.write "\n"
    write_rows(match_columns(now), report, arguments)
  end
  output.write "\n"
  output.records(step_columns, report.steps, arguments)
end

---Writes a report.
---@param report confidentai.Identification
---@param arguments table parsed
---@param now number seconds since 1970
function identification.write(report, arguments, now)
  if arguments.output == "json" then
    output.record(report_columns(now), report, arguments)
  elseif arguments.output == "table" then
    write_person(report, arguments, now)
  else
    output.records(row_columns(now), rows_of { report }, arguments)
  end
end

---Writes the reports on the secrets that were found in a text; each has `found`.
---@param reports confidentai.Identification[]
---@param arguments table parsed
---@param now number seconds since 1970
function identification.write_all(reports, arguments, now)
  if arguments.output == "json" then
    output.records(report_columns(now, true), reports, arguments)
  elseif arguments.output ~= "table" or #reports > 0 then
    write_rows(row_columns(now, true), rows_of(reports), arguments)
  end
end

---Tells of places that could not be read: they may hold the key.
---@param report confidentai.Identification
---@param arguments table parsed
function identification.tell_unreadable(report, arguments)
  if arguments.output == "json" then
    return
  end
  for _, place in ipairs(report.unreadable) do
    terminal.say(failure.redact(("confidentai: the keys of %s could not be read, or not all: %s"):format(
      place.scope == "project" and "the project " .. (place.project_name or place.project_id) or "the organization",
      place.err.message)))
  end
end

return identification
