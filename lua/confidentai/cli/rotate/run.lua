-- SPDX-License-Identifier: Apache-2.0
-- What the verbs of `confidentai rotate` share: rotations are found, steps are told of, and how it came out is the exit
-- status.

local continuation = require "confidentai.cli.continuation"
local failure = require "confidentai.cli.failure"
local interruption = require "confidentai.cli.interruption"
local options = require "confidentai.cli.rotate.options"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local run = {}

-- Tells of a step, for --verbose.
local function tell(event)
  local where = event.store or event.key and "key " .. event.key
  terminal.say(failure.redact(("%s  %s %s: %s%s"):format(os.date("!%H:%M:%S"), event.base, event.state, event.what,
    where and (" (%s)"):format(where) or "")))
end

---A function for `on_step`: it knows which rotation is at work when the command is interrupted or fails.
---@param arguments table parsed
---@return fun(event: table) on_step
---@return table seen its `last` is the last step
function run.observer(arguments)
  local seen = {}
  return function(event)
    seen.last = event
    interruption.leaves(("rotation %s of '%s' is saved (%s); to continue: confidentai rotate advance %s%s")
      :format(event.rotation, failure.redact(event.base), event.state, event.rotation, continuation.options(arguments)))
    if arguments.verbose then
      tell(event)
    end
  end, seen
end

---Ends the command with the error of a rotation, which may be on record.
---@param err confidentai.Error
---@param id? string of the rotation; nil: nothing is on record
function run.fail(err, id)
  failure.raise(run.explain(err, id))
end

---Adds to an error of a rotation what to do next.
---@param err confidentai.Error
---@param id? string
---@return table err
function run.explain(err, id)
  err.rotation = id or err.rotation
  if err.state == "ambiguous" then
    err.exit = status.unclear
  end
  if id and not err.next and not err.ways then
    err.ways = { { purpose = "See how the rotation stands",
      steps = { { "confidentai", "rotate", "status", id } } },
      { purpose = "Continue", steps = { { "confidentai", "rotate", "advance", id } } } }
  end
  return err
end

---The rotations on record here. What cannot be read is told of, and hides nothing else.
---@param session table
---@param arguments table parsed
---@param ended? boolean ended ones, too
---@return confidentai.Rotation[]
---@return integer? status of what could not be read
---@return table seen
function run.open(session, arguments, ended)
  local on_step, seen = run.observer(arguments)
  local secret = options.old_secret(arguments)
  local list, err, problems = require("confidentai").rotation.open(session:client(), {
    state_dir = arguments.state_dir, ended = ended, old_secret = secret, on_step = on_step,
    stores = require("confidentai.cli.store_option").stores(arguments),
  })
  if not list then
    failure.raise(err)
  end
  for _, problem in ipairs(problems or {}) do
    failure.report(problem, arguments.output)
  end
  return list, problems and problems[1] and status.failed or nil, seen
end

---Returns what was read of the records, and tells of what could not be. Raises when nothing could be read.
---@param arguments table parsed
---@param list? confidentai.Status[]
---@param err? confidentai.Error
---@param problems? confidentai.Error[] with single records
---@return confidentai.Status[]
---@return integer? status of what could not be read
function run.tell_of(arguments, list, err, problems)
  if not list then
    failure.raise(err)
  end
  for _, problem in ipairs(problems) do
    failure.report(problem, arguments.output)
  end
  return list, problems[1] and status.failed or nil
end

---The rotations on record here, without a key and without a request. What cannot be read is told of.
---@param arguments table parsed
---@param ended? boolean ended ones, too
---@return confidentai.Status[]
---@return integer? status of what could not be read
function run.read(arguments, ended)
  return run.tell_of(arguments,
    require("confidentai").rotation.list { state_dir = arguments.state_dir, ended = ended })
end

-- Returns those that are under way; all, if none is.
local function under_way(list)
  local found = {}
  for _, rotation in ipairs(list) do
    local shown = rotation.status and rotation:status() or rotation
    found[#found + 1] = not shown.finished and rotation or nil
  end
  return found[1] and found or list
end

---Returns the one that is meant, by its id or by the name of its key: then rather one that is under way. Ends the
---command if there is not exactly one.
---@param list confidentai.Rotation[]|confidentai.Status[]
---@param name string
---@param arguments table parsed
---@param unended? boolean the list has none that have ended
---@return confidentai.Rotation|confidentai.Status
function run.pick(list, name, arguments, unended)
  local found = {}
  for _, rotation in ipairs(list) do
    if rotation.id == name then
      return rotation
    elseif rotation.base == name then
      found[#found + 1] = rotation
    end
  end
  found = under_way(found)
  if #found == 1 then
    return found[1]
  elseif found[1] then
    local ids = {}
    for i, rotation in ipairs(found) do
      ids[i] = ("%s (%s%s)"):format(rotation.id, rotation.old_id and ("of key %s, "):format(rotation.old_id) or "",
        rotation.state)
    end
    failure.usage(("several rotations of '%s' are on record: %s"):format(failure.redact(name), table.concat(ids, ", ")),
      "give the id of one")
  end
  failure.raise { kind = "rotation", message = ("no rotation '%s' is %s here"):format(failure.redact(name),
    unended and "under way" or "on record"),
    next = "see: confidentai rotate list --all" .. continuation.options(arguments)
      .. "; --state-dir names another folder" }
end

---Tells on standard error of something that waits for a person.
---@param shown table of rotation:status()
---@param problem string
---@param arguments table parsed
function run.tell(shown, problem, arguments)
  failure.report({ kind = "rotation", rotation = shown.id, state = shown.state,
    message = ("the rotation %s of '%s' %s"):format(shown.id, shown.base, problem),
    next = "see: confidentai rotate status " .. shown.id .. continuation.options(arguments) }, arguments.output)
end

---The exit status that a rotation's status makes.
---@param shown table of rotation:status()
---@param arguments table parsed
---@return integer
function run.exit(shown, arguments)
  if shown.stop == "ambiguous" or shown.unshown then
    return status.unclear
  elseif shown.stop and not shown.finished or shown.attention == "command failed" then
    return status.failed
  elseif (arguments.wait or arguments.require_done) and not shown.finished then
    return status.unfinished
  end
  return status.ok
end

return run
