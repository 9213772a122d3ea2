-- SPDX-License-Identifier: Apache-2.0
-- Many tasks at once, in one place of the code: gather waits for all of them, async for none.

local core = require "confidentai.core"
local argument = require "confidentai.argument"
local driver = require "confidentai.driver"
local scheduler = require "confidentai.scheduler"

local OPTIONS = { concurrency = "count", on_error = "string", driver = "table" }
local DEFAULT_CONCURRENCY = 16

local function check_tasks(tasks)
  if type(tasks) ~= "table" then
    argument.refuse(1, "gather", "table of functions expected, got " .. type(tasks), 1)
  end
  for i = 1, #tasks do
    if type(tasks[i]) ~= "function" then
      argument.refuse(1, "gather", ("task %d: function expected, got %s"):format(i, type(tasks[i])), 1)
    end
  end
end

local function check_options(options)
  argument.fields(2, "gather", options, OPTIONS, nil, 1)
  if options.on_error and options.on_error ~= "cancel" and options.on_error ~= "continue" then
    argument.refuse(2, "gather", "field 'on_error': \"continue\" or \"cancel\" is expected", 1)
  end
  if options.driver and type(options.driver.wait) ~= "function" then
    argument.refuse(2, "gather", "field 'driver': a table with a function 'wait' is expected", 1)
  end
end

local function cancelled()
  return core.failure { kind = "cancelled", message = "the task was not started: another one failed" }
end

local gather = {}

---@class confidentai.GatherOptions
---@field concurrency? integer how many tasks run at once; default: 16
---after an error, "cancel" cancels the calls under way, and begins no other task; default: "continue"
---@field on_error? "continue"|"cancel"
---@field driver? confidentai.Driver what waits, instead of the host's

---The tasks' first results, by position.
---@class confidentai.GatherResults: { [integer]: any }
---@field n integer how many tasks there were

---Runs functions at once, at most so many, and waits for them all; nothing blocks the host meanwhile. On PUC Lua 5.1 a
---task gives way to no other below pcall, so that a rotation does not while it holds its record.
---@param tasks function[] each: its first result is kept; `nil, err` and what it raises are its error
---@param options? confidentai.GatherOptions
---@return confidentai.GatherResults results by position
---@return table<integer, any> errors by position: what a task returned with nil, or raised; of kind "cancelled": it was
---not begun; of kind "config" for all: nothing can wait here
function gather.gather(tasks, options)
  check_tasks(tasks)
  options = options or {}
  check_options(options)
  local results, errors = { n = #tasks }, {}
  local host = options.driver or driver.default()
  local problem = host.refuse and host.refuse()
  if problem then -- nginx's coroutines do not work there either
    for i = 1, #tasks do
      errors[i] = core.failure { kind = "config", message = problem }
    end
    return results, errors
  end
  local function finished(group, index, ok, value, err)
    if ok and (value ~= nil or err == nil) then
      results[index] = value
      return
    end
    errors[index] = ok and err or value
    if options.on_error == "cancel" and not group.cancelled then
      group:cancel()
      for i = group.begun + 1, #tasks do
        errors[i] = cancelled()
      end
    end
  end
  scheduler.wait(host,
    scheduler.group(tasks, #tasks, options.concurrency or DEFAULT_CONCURRENCY, finished))
  return results, errors
end

---Begins one function, in Neovim or another host of libuv, and returns at once; the host's loop runs it on. Raises in
---other hosts.
---@param task function may wait for calls as any other code; what it raises, without on_end, is raised in the loop
---@param on_end? fun(ok: boolean, ...: any) called with true and the results, or false and the error
function gather.async(task, on_end)
  if type(task) ~= "function" then
    argument.refuse(1, "async", "function expected, got " .. type(task))
  end
  local host = driver.default()
  if not host.background then
    error("confidentai.async needs Neovim or luv: in other hosts, gather", 2)
  end
  local function finished(_, _, ok, ...)
    if on_end then
      on_end(ok, ...)
    elseif not ok then
      error((...), 0)
    end
  end
  host.background(core.engine(), scheduler.group({ task }, 1, 1, finished))
end

return gather
