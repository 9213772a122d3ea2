-- SPDX-License-Identifier: Apache-2.0
-- How far something is: a bar on standard error, where that is a terminal. It leaves no trace.

local terminal = require "confidentai.cli.terminal"

local progress = {}

-- Seconds between two drawings; and of the first, since nobody wants to see what is done at once flash by.
local EVERY, FIRST = 0.05, 0.1

-- Columns of the bar.
local WIDTH = 24

local function draw(label, done, total)
  local filled = total > 0 and math.floor(WIDTH * done / total) or 0
  terminal.write(2, ("\r%s [%s%s] %d/%d"):format(label, ("#"):rep(filled), ("."):rep(WIDTH - filled), done, total))
end

---Does something while a bar shows how far it is.
---@param arguments { quiet: boolean?, verbose: boolean? } of the command line; neither goes with a bar
---@param label string what is counted
---@param act fun(on_progress: nil|fun(done: integer, total: integer)): any
---@return any ... what act returns; what it raises is raised
function progress.during(arguments, label, act)
  if arguments.quiet or arguments.verbose or not terminal.width(2) or os.getenv "TERM" == "dumb" then
    return act(nil)
  end
  local core = require "confidentai.core" -- here: --help does without
  local shown, drawn = false, core.now() + FIRST - EVERY
  local function clear()
    if shown then
      terminal.write(2, "\r\27[K")
      shown = false
    end
  end
  local function finish(ok, ...)
    clear()
    if not ok then
      error((...), 0)
    end
    return ...
  end
  return finish(pcall(act, function(done, total)
    local now = core.now()
    if done == total then
      clear()
    elseif now - drawn >= EVERY then
      shown, drawn = true, now
      draw(label, done, total)
    end
  end))
end

return progress
