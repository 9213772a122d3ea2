-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate advance`: made for cron and timers. What is due of every rotation is done; what goes wrong with
-- one keeps no other from it.

local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"
local interruption = require "confidentai.cli.interruption"
local output = require "confidentai.cli.output"
local pause = require "confidentai.pause"
local records = require "confidentai.cli.rotate.records"
local run = require "confidentai.cli.rotate.run"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local advance = {}

-- States whose waits are the operator's, not a part of a step.
local LONG = { soaking = true, grace = true }

-- Advances one. What it raises is an error of this rotation alone: the others go on.
local function step(rotation)
  local ok, state, more = pcall(rotation.advance, rotation)
  if ok then
    return state, more
  elseif type(state) ~= "string" then
    error(state, 0) -- ends the command
  end
  return nil, core.failure { kind = "state", message = "a bug in this program, please report it: " .. state }
end

-- Does what is due, through the waits that are part of steps. The seconds until there is more, or nil and an error.
local function go_on(rotation)
  while true do
    local state, more = step(rotation)
    if not state then
      return nil, more
    elseif not more or LONG[state] or rotation:status().finished then
      return true, more
    end
    failure.check(pause(interruption.driver, more))
  end
end

-- A rotation that ended early in this run is a failure, unless a person has asked for that; one that had ended before
-- is not.
local function exit_of(shown, was_finished, arguments)
  if shown.stop and shown.finished and not was_finished and shown.stop ~= "ambiguous" then
    return shown.cause == "rolled_back" and status.ok or status.failed
  elseif was_finished then
    return status.ok
  end
  return run.exit(shown, arguments)
end

-- Tells of a stop on standard error: cron throws away the table, and mails what is there. Nothing is said where all is
-- well, nor again of what had ended before.
local function tell(shown, before, arguments)
  local stop = shown.cause ~= "rolled_back" and shown.stop
  local problem = stop and ("has stopped (%s): %s"):format(stop, shown.reason or "")
    or shown.attention == "command failed" and "has a command --on-published that failed: " .. shown.notice.problem
    or shown.unshown and "has ended; " .. shown.doubt
  if problem and not before.finished then
    run.tell(shown, problem, arguments)
  end
end

-- Advances one: how it is now, its exit status, and the seconds until there is more to do.
local function one(rotation, arguments)
  local before = rotation:status()
  local ok, more = go_on(rotation)
  local shown = rotation:status()
  if ok then
    tell(shown, before, arguments)
    return shown, exit_of(shown, before.finished, arguments), not shown.stop and not shown.finished and more or nil
  end
  local err = run.explain(more, rotation.id)
  failure.report(err, arguments.output)
  shown.error = failure.redact(failure.in_options(err.message))
  return shown, status.of(err)
end

-- Advances each: how they are now, the worst exit status, and when to look again.
local function round(list, arguments)
  local rows, exit, wait = {}, nil, nil
  for i, rotation in ipairs(list) do
    local code, more
    rows[i], code, more = one(rotation, arguments)
    if more then
      wait = math.min(wait or more, more)
    end
    if code ~= status.ok then
      local same = exit == nil or exit == code or exit == status.unfinished
      exit = same and code or code == status.unfinished and exit or status.failed
    end
  end
  interruption.leaves(nil)
  return rows, exit, wait
end

local function has_error(rows)
  for _, row in ipairs(rows) do
    if row.error then
      return true
    end
  end
  return false
end

local function select(list, arguments)
  if #arguments.ids == 0 then
    return list
  end
  local chosen, seen = {}, {}
  for _, name in ipairs(arguments.ids) do
    local rotation = run.pick(list, name, arguments)
    if not seen[rotation.id] then
      seen[rotation.id] = true
      chosen[#chosen + 1] = rotation
    end
  end
  return chosen
end

---@param session table
---@param arguments table parsed
---@return integer status
function advance.advance(session, arguments)
  -- One that is asked for by name may have ended already, which is as good.
  local found, unreadable = run.open(session, arguments, #arguments.ids > 0)
  local list = select(found, arguments)
  local rows, exit, wait
  repeat
    if wait then
      interruption.leaves "progress is saved; to continue: confidentai rotate advance"
      failure.check(pause(interruption.driver, wait))
    end
    rows, exit, wait = round(list, arguments)
  until not arguments.wait or not wait
  if #rows == 0 and arguments.output == "table" then
    if not unreadable and terminal.width(1) then -- cron would mail it
      session:say "no rotation is under way"
    end
  else
    output.records(records.columns(os.time(), arguments.output ~= "table" or has_error(rows)), rows, arguments)
  end
  return exit or unreadable or status.ok
end

return advance
