-- SPDX-License-Identifier: Apache-2.0
-- A process that is forked while little memory is in use, and forks the runs of a world one after the other. The
-- harness keeps thousands of states: if it forked the runs itself, the kernel would copy each page of them that it
-- writes to afterwards.

local boundary = require "boundary"

local Nursery = {}
Nursery.__index = Nursery

local nursery = {}

-- More short strings than a run adds. The interpreter's table of them grows here once: in a run, that would write to
-- every string that is shared.
local ROOM = 10000

local function make_room()
  collectgarbage()
  collectgarbage "stop" -- it would write to every page that is shared, here and in the runs
  for number = 1, ROOM do
    local _ = "room " .. number
  end
end

-- The life of the process: each line is an order.
local function serve(live, out, into)
  make_room()
  for line in function() return boundary.read(into) end do
    local pid = boundary.fork()
    if pid == 0 then
      pcall(live, line, out, into)
      boundary.leave(1)
    end
    local status, signal = boundary.wait(pid)
    boundary.write(out, ("ended %d %d\n"):format(status or -1, signal or 0))
  end
end

---Starts the process.
---@param live fun(line: string, out: integer, into: integer) what a run does with its order; out and into are
---descriptors by which it asks
---@return table
function nursery.new(live)
  local pid, out, into = boundary.spawn()
  if pid == 0 then
    pcall(serve, live, out, into)
    boundary.leave(0)
  end
  return setmetatable({ pid = pid, out = out, into = into }, Nursery)
end

---Runs once.
---@param order string a line without its end
---@param meet? fun(number: integer, what: string, path: string, pid: integer) at each boundary about which is asked
---@return integer status -1 after a signal
---@return integer signal 0 without one
function Nursery:run(order, meet)
  boundary.write(self.into, order .. "\n")
  for line in function() return boundary.read(self.out) end do
    local status, signal = line:match "^ended (%S+) (%S+)$"
    if status then
      return tonumber(status), tonumber(signal)
    end
    local pid, number, what, path = line:match "^(%d+) (%d+) (%l+) (.*)$"
    meet(tonumber(number), what, path, tonumber(pid))
    boundary.write(self.into, "g")
  end
  error "the process that forks the runs has ended"
end

---Ends the process. The end of its orders may not reach it, as another world's process has this descriptor, too.
function Nursery:close()
  boundary.kill(self.pid)
  boundary.wait(self.pid)
  boundary.close(self.into)
  boundary.close(self.out)
end

return nursery
