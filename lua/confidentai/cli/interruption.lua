-- SPDX-License-Identifier: Apache-2.0
-- SIGINT, SIGTERM and SIGHUP end a wait, and with it the command, in an orderly way: what was sent is cancelled, and
-- what is left is said. What a rotation has begun is on record, and goes on later.

local blocking = require "confidentai.driver.blocking"
local core = require "confidentai.core"
local terminal = require "confidentai.cli.terminal"

local interruption = {}

-- The numbers of signals by POSIX; a shell expects 128 more as the status.
local NUMBERS = { SIGHUP = 1, SIGINT = 2, SIGTERM = 15 }

-- Seconds: a signal that comes just before a wait does not end it.
local LONGEST_WAIT = 0.25

local metatable = {}

-- What a verb wants to be said when it is interrupted.
local left

-- While something must not be broken off: what is said when a signal comes. And the signal that came then.
local held, pending

-- Waits as the driver `blocking` does, and looks for signals before each step: what is done already keeps its result,
-- and the signal its effect, on the next wait. Looking after a step would end a wait that is over, which scheduler.lua
-- takes for one that went well: between many short waits, as for a command, the signal would be lost.
local function wait(engine, awaited)
  while not awaited:done() do
    interruption.check()
    engine:step(LONGEST_WAIT)
  end
end

interruption.driver = { wait = wait }

---Has the signals be noticed from now on rather than end the process at once.
function interruption.watch()
  core.stream.fill_standard()
  core.watch_signals(os.getenv "CONFIDENTAI_IGNORES_SIGINT" == "1") -- bin/confidentai says so
  blocking.wait = wait -- gather waits by the host's driver, not by a client's, and this process is the command's own
end

local function raise(name)
  error(setmetatable({ name = name }, metatable), 0)
end

---Ends the command if a signal has come.
function interruption.check()
  local name = core.caught_signal()
  if name and held then
    pending = name
    terminal.say("confidentai: ", name, ": ", held)
  elseif name then
    raise(name)
  end
end

---From now on a signal does not end the command, but is told of with this text. A second one ends the process, as ever.
---@param text string what is waited for
function interruption.hold(text)
  held = text
end

---The name of the signal that came since `hold`; nil: none.
---@return string?
function interruption.came()
  interruption.check()
  return pending
end

---Ends what `hold` began.
---@return string? name of the signal that came meanwhile; finish(name) ends the command
function interruption.release()
  local name = interruption.came()
  held, pending = nil, nil
  return name
end

---Ends the command as the signal asks for.
---@param name string
---@param text? string what is left to do; nil: nothing
function interruption.finish(name, text)
  left = text
  raise(name)
end

---What is to be said when the command is interrupted from now on.
---@param text? string nil: nothing is left undone
function interruption.leaves(text)
  left = text
end

---Whether something that pcall caught is an interruption.
---@param caught any
---@return boolean
function interruption.caught(caught)
  return getmetatable(caught) == metatable
end

---Tells of an interruption.
---@param caught table
---@param arguments table parsed
---@return integer status
function interruption.report(caught, arguments)
  if left or not arguments.quiet then
    terminal.say("confidentai: ended by ", caught.name, left and (": " .. left) or "")
  end
  return 128 + NUMBERS[caught.name]
end

return interruption
