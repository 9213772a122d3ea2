-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate status|list`

local output = require "confidentai.cli.output"
local records = require "confidentai.cli.rotate.records"
local run = require "confidentai.cli.rotate.run"
local status = require "confidentai.cli.status"
local words = require "confidentai.cli.rotate.words"

local show = {}

---@param session table
---@param arguments table parsed
function show.status(session, arguments)
  local found = run.pick(run.open(session, arguments, true), arguments.rotation, arguments):status()
  if arguments.output == "table" then
    output.write(words.status(found, arguments, true))
  else
    output.record(records.columns(os.time()), found, arguments)
  end
end

---@param session table
---@param arguments table parsed
---@return integer? status
function show.list(session, arguments)
  local list, unreadable = run.open(session, arguments, arguments.all)
  local rows, findings = {}, false
  for i, rotation in ipairs(list) do
    rows[i] = rotation:status()
    findings = findings or rows[i].attention ~= nil
  end
  if #rows == 0 and not unreadable and arguments.output == "table" then
    session:say "no rotation is under way"
  else
    output.records(records.columns(os.time()), rows, arguments)
  end
  if arguments.fail_overdue and (findings or unreadable) then
    return status.findings
  end
  return unreadable
end

return show
