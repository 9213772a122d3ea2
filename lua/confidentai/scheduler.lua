-- SPDX-License-Identifier: Apache-2.0
-- Tasks: coroutines of ours, which wait for calls by yielding to the group that runs them. Nobody's completion can be
-- lost, as a call keeps its own: a group looks at what its tasks wait for. A group has done() like a call, so that
-- whatever waits for a call waits for a group, too: a driver, or a task of another group.

local core = require "confidentai.core"

local scheduler = {}

-- The task of each coroutine of ours. Weak values, too: a task refers to its coroutine, and Lua 5.1 and LuaJIT would
-- keep both for ever. While it lives its group has it.
local tasks = setmetatable({}, { __mode = "kv" })

-- PUC 5.1 says only by failing that a yield cannot cross something: a C function, which shows on the stack, a
-- metamethod or a `for` iterator, which show by how their function was called. Where a tail call has hidden that, and
-- the coroutine did not begin there, it may have been one.
local function stack_can_yield()
  local level = 2
  while true do
    local frame = debug.getinfo(level, "Sn")
    if not frame then
      return true
    elseif frame.what == "C" or frame.name == "(for generator)" then
      return false
    elseif frame.what ~= "tail" and frame.namewhat == "" then
      repeat
        level = level + 1
        frame = debug.getinfo(level, "S")
      until not frame or frame.what ~= "tail"
      return frame == nil
    end
    level = level + 1
  end
end

local function luajit_can_yield()
  return not require("confidentai.stack").is_below_c()
end

-- Lua 5.2 yields through pcall, metamethods and iterators, but through no other function in C.
local function c_can_yield()
  local level = 2
  while true do
    local frame = debug.getinfo(level, "Sf")
    if not frame then
      return true
    elseif frame.what == "C" and frame.func ~= pcall and frame.func ~= xpcall then
      return false
    end
    level = level + 1
  end
end

local can_yield = coroutine.isyieldable -- luacheck: ignore 143
  or jit and luajit_can_yield or _VERSION == "Lua 5.2" and c_can_yield or stack_can_yield

-- Whether a yield passes through pcall: not on PUC 5.1, where it is used outside of coroutines only.
local pcall_yields = _VERSION ~= "Lua 5.1" or jit ~= nil

-- Waits as a driver does. What nobody waits for any more must not be sent later, behind the back of a caller who was
-- told that it failed: when the wait is broken off, by Ctrl-C or by an error of the driver, so is what it was for.
local function drive(driver, awaited)
  local ok, problem = true, nil
  if pcall_yields or not coroutine.running() then
    ok, problem = pcall(driver.wait, core.engine(), awaited)
  else
    driver.wait(core.engine(), awaited)
  end
  if not awaited:done() then
    awaited:cancel()
    error(ok and "the driver did not wait to the end" or problem, 0)
  end
end

---Waits for something with done() and cancel(), a call, a timer or a group. A task gives way to the others of its
---group; elsewhere the driver waits. Never yields in a coroutine that is not ours.
---@param driver confidentai.Driver
---@param awaited confidentai.Call|confidentai.Timer|confidentai.Group
function scheduler.wait(driver, awaited)
  if awaited:done() then
    return
  end
  local running = coroutine.running()
  local task = running and tasks[running]
  if task and can_yield() then
    task.awaited = awaited
    coroutine.yield()
    task.awaited = nil
  else
    drive(driver, awaited)
  end
end

---@class confidentai.Group
---@field running table[] tasks that have begun and not ended, oldest first
local Group = {}
Group.__index = Group

---A group that runs functions, at most so many at once.
---@param functions function[] from 1 to count
---@param count integer
---@param concurrency integer
---@param finished fun(group: confidentai.Group, index: integer, ok: boolean, ...: any) told of each end
---@return confidentai.Group
function scheduler.group(functions, count, concurrency, finished)
  return setmetatable({
    functions = functions, count = count, concurrency = concurrency, finished = finished, begun = 0, running = {},
  }, Group)
end

-- What came of resuming a task: it waits again, or it ended. A yield of its own would never be resumed.
local function resumed(group, task, ok, ...)
  if coroutine.status(task.coroutine) == "dead" then
    group:finished(task.index, ok, ...)
    return true
  elseif task.awaited == nil then
    group:finished(task.index, false, "the task yielded outside of a wait: only calls of confidentai may yield in it")
    return true
  end
  return false
end

-- Resumes a task until it waits or ends. Whether it ended.
local function resume(group, task)
  return resumed(group, task, coroutine.resume(task.coroutine))
end

local function begin(group)
  group.begun = group.begun + 1
  local task = { index = group.begun, coroutine = coroutine.create(group.functions[group.begun]) }
  tasks[task.coroutine] = task
  if not resume(group, task) then
    group.running[#group.running + 1] = task
  end
end

-- Resumes the tasks whose wait is over. Whether there were any.
local function advance(group)
  local running, kept, any = group.running, {}, false
  group.running = kept
  for _, task in ipairs(running) do
    if not task.awaited:done() then
      kept[#kept + 1] = task
    else
      any = true
      if not resume(group, task) then
        kept[#kept + 1] = task
      end
    end
  end
  return any
end

-- Cancels what the tasks wait for.
local function cancel_waits(group)
  for _, task in ipairs(group.running) do
    if task.awaited then
      task.awaited:cancel()
    end
  end
end

-- Does what can be done now.
local function work(group)
  repeat
    if group.cancelled then
      cancel_waits(group)
    end
    local any = #group.running > 0 and advance(group)
    while #group.running < group.concurrency and group.begun < group.count do
      begin(group)
      any = true
    end
  until not any
end

---Does what can be done now. Whether all is. Raises what `finished` raises.
---@return boolean
function Group:done()
  if self.busy then
    return false -- asked from within: a task waits where it cannot yield, and the host's loop goes on
  end
  self.busy = true
  local ok, problem = pcall(work, self)
  self.busy = false
  if not ok then
    error(problem, 0)
  end
  return #self.running == 0 and self.begun == self.count
end

---Begins no more functions, and cancels what those wait for that have begun, now and later.
function Group:cancel()
  self.cancelled = true
  self.count = self.begun
  cancel_waits(self)
end

return scheduler
