-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate doctor`: it changes nothing but what --fix names.

local continuation = require "confidentai.cli.continuation"
local failure = require "confidentai.cli.failure"
local output = require "confidentai.cli.output"
local run = require "confidentai.cli.rotate.run"
local selection = require "confidentai.cli.selection"
local status = require "confidentai.cli.status"
local time = require "confidentai.cli.time"

local doctor = {}

local function of_key(name)
  return function(finding) return finding.key and finding.key[name] end
end

local function message_of(finding)
  return failure.redact(failure.in_options(finding.message))
end

---The columns of findings, for programs.
---@type confidentai.Column[]
doctor.columns = {
  { name = "id", value = function(finding) return finding.id end },
  { name = "kind", value = function(finding) return finding.kind end },
  { name = "message", value = message_of },
  { name = "rotation", value = function(finding) return finding.rotation end },
  { name = "scope", value = of_key "scope" },
  { name = "project_id", value = of_key "project_id" },
  { name = "key_id", value = of_key "id" },
  { name = "fixable", value = function(finding) return finding.fixable end },
  { name = "fixed", value = function(finding) return finding.fixed end },
  { name = "error", value = function(finding) return finding.err and failure.redact(finding.err.message) end },
}

-- What has become of a finding, or who can fix it.
local function fate(finding)
  if finding.fixed ~= nil then
    return finding.fixed and "fixed" or "not fixed"
  end
  return finding.fixable and "can be fixed" or "up to you"
end

-- For people a finding is a sentence, of which the column of a table would show the beginning.
local function write_for_people(findings, arguments)
  local lines = {}
  for _, finding in ipairs(findings) do
    lines[#lines + 1] = failure.redact(("%s (%s):"):format(finding.id, fate(finding)))
    lines[#lines + 1] = "  " .. message_of(finding)
    if finding.fixable and finding.fixed == nil then
      local way = { steps = { { "confidentai", "rotate", "doctor", "--fix", finding.id } } }
      lines[#lines + 1] = failure.redact("    " .. continuation.line(way, arguments))
    end
  end
  output.write(table.concat(lines, "\n") .. "\n")
end

local function wanted_ids(arguments)
  local ids = {}
  for _, list in ipairs(arguments.fix or {}) do
    for _, id in ipairs(list) do
      ids[#ids + 1] = id
    end
  end
  return ids
end

-- The findings; records that cannot be used are some.
local function examine(session, arguments, fix, on_step)
  local report = failure.check(require("confidentai").rotation.doctor(session:client(),
    { state_dir = arguments.state_dir, fix = fix, on_step = on_step }))
  local findings = report.findings
  for _, problem in ipairs(report.problems or {}) do
    findings[#findings + 1] = { id = "damaged:" .. #findings + 1, kind = "damaged",
      message = problem.message, fixable = false }
  end
  return findings
end

-- What is to be mended must be there and can be mended; what disables or deletes a key is asked for.
local function check_wanted(session, findings, ids)
  local by_id, now = {}, session:now()
  for _, finding in ipairs(findings) do
    by_id[finding.id] = finding
  end
  for _, id in ipairs(ids) do
    local finding = by_id[id]
    if not finding or not finding.fixable then
      failure.raise { kind = "rotation", outcome = "not_applied",
        message = (finding and "finding '%s' cannot be fixed from here" or "there is no finding '%s'"):format(
          failure.redact(id)), next = "see: confidentai rotate doctor" }
    end
  end
  for _, id in ipairs(ids) do
    local key = by_id[id].key
    if key then
      session:confirm(("%s %s, %s?"):format(key.valid and "Disable" or "Delete",
        failure.redact(selection.describe(key)), (time.last_use(key.last_used, now))))
    end
  end
end

---@param session table
---@param arguments table parsed
---@return integer? status
function doctor.doctor(session, arguments)
  local ids, on_step = wanted_ids(arguments), (run.observer(arguments))
  local findings = examine(session, arguments)
  if #ids > 0 then
    check_wanted(session, findings, ids)
    findings = examine(session, arguments, ids, on_step)
  end
  if #findings == 0 and arguments.output == "table" then
    session:say "no problems found"
  elseif arguments.output == "table" then
    write_for_people(findings, arguments)
  else
    output.records(doctor.columns, findings, arguments)
  end
  local open, failed = 0, nil
  for _, finding in ipairs(findings) do
    if finding.fixed == false then
      failure.report(finding.err, arguments.output)
      failed = status.failed
    end
    open = open + (finding.fixed and 0 or 1)
  end
  return failed or arguments.fail and open > 0 and status.findings or nil
end

return doctor
