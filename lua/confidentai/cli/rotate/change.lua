-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate confirm|rollback|abort|keep|republish|abandon`

local continuation = require "confidentai.cli.continuation"
local interruption = require "confidentai.cli.interruption"
local output = require "confidentai.cli.output"
local records = require "confidentai.cli.rotate.records"
local run = require "confidentai.cli.rotate.run"
local status = require "confidentai.cli.status"
local words = require "confidentai.cli.rotate.words"

local change = {}

local function show(rotation, arguments)
  local found = rotation:status()
  interruption.leaves(nil)
  if arguments.output == "table" then
    output.write(words.status(found, arguments))
  else
    output.record(records.columns(os.time()), found, arguments)
  end
  return found
end

local function act(session, arguments, name, given)
  local rotation = run.pick(run.open(session, arguments), arguments.rotation, arguments, true)
  local result, err = rotation[name](rotation, given)
  if not result then
    run.fail(err, rotation.id)
  end
  return show(rotation, arguments), rotation
end

---@param session table
---@param arguments table parsed
function change.confirm(session, arguments)
  local found = act(session, arguments, "confirm")
  if not found.finished then
    session:say("confirmed; to continue: confidentai rotate advance " .. found.id .. continuation.options(arguments))
  end
end

---@param session table
---@param arguments table parsed
---@return integer status
function change.rollback(session, arguments)
  local found = act(session, arguments, "rollback", arguments.now and { now = true } or nil)
  return found.finished and status.ok or run.exit(found, arguments)
end

---@param session table
---@param arguments table parsed
---@return integer status
function change.abort(session, arguments)
  local found = act(session, arguments, "abort")
  return found.finished and status.ok or run.exit(found, arguments)
end

---@param session table
---@param arguments table parsed
---@return integer status
function change.keep(session, arguments)
  local found = act(session, arguments, "keep")
  return run.exit(found, arguments)
end

---@param session table
---@param arguments table parsed
---@return integer status
function change.republish(session, arguments)
  local found = act(session, arguments, "republish")
  return run.exit(found, arguments)
end

---@param session table
---@param arguments table parsed
---@return integer status
function change.abandon(session, arguments)
  local found = act(session, arguments, "abandon")
  return found.finished and status.ok or run.exit(found, arguments)
end

return change
