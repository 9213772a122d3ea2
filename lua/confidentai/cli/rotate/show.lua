-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate status|list|history`: what is on record here, without a key and without a request.

local output = require "confidentai.cli.output"
local records = require "confidentai.cli.rotate.records"
local run = require "confidentai.cli.rotate.run"
local status = require "confidentai.cli.status"
local words = require "confidentai.cli.rotate.words"

local show = {}

---@param _ table the session
---@param arguments table parsed
function show.status(_, arguments)
  local found = run.pick(run.read(arguments, true), arguments.rotation, arguments)
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
  local rows, unreadable = run.read(arguments, arguments.all)
  local findings = false
  for _, row in ipairs(rows) do
    findings = findings or row.attention ~= nil
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

---@param session table
---@param arguments table parsed
---@return integer? status
function show.history(session, arguments)
  local list, unreadable = run.tell_of(arguments,
    require("confidentai").rotation.history { state_dir = arguments.state_dir })
  local rows = {}
  for _, entry in ipairs(list) do
    local is_meant = not arguments.rotation or entry.id == arguments.rotation or entry.base == arguments.rotation
    rows[#rows + 1] = is_meant and entry or nil
  end
  if #rows == 0 and arguments.output == "table" then
    local meant = arguments.rotation and (" of the id or the name '%s'"):format(arguments.rotation) or ""
    session:say("no rotation" .. meant .. " has ended")
  else
    output.records(records.ended(os.time()), rows, arguments)
  end
  return unreadable
end

return show
