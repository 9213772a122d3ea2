-- SPDX-License-Identifier: Apache-2.0
-- Waits in a loop of libuv: Neovim's, or luv's. A poll handle on the engine's descriptor steps the engine when there is
-- something to do; a prepare handle, which runs once in each round of the loop, sees what ended otherwise: by a client
-- that was closed, by a call that was cancelled, in somebody else's step. Both are stopped while nothing is in flight,
-- so that they keep no loop alive, and kept: luv trips over handles that are being closed when its state ends.
-- luacheck: globals vim

local blocking = require "confidentai.driver.blocking"

local libuv = vim and (vim.uv or vim.loop) or require "luv"

-- Milliseconds. Neovim's wait (seen in 0.7.2) looks for Ctrl-C only at its end, when it has a condition.
local LONGEST_WAIT = 50

local uv = {}

local poll, polled -- the handle, and the descriptor that it watches
local prepare
local groups = {}  -- that run in the background, oldest first
local seen = 0     -- how many calls had ended when we last looked

local function forget_poll()
  if poll and not poll:is_closing() then
    poll:close()
  end
  poll, polled = nil, nil
end

local function rest()
  if poll then
    poll:stop()
  end
  if prepare then
    prepare:stop()
  end
end

local advance_soon

-- Looks at what has changed. May run in a callback of the loop.
local function notice(engine)
  local finished = engine:finished()
  if finished ~= seen then
    seen = finished
    if #groups > 0 then
      advance_soon(engine)
    end
  end
  if engine:in_flight() == 0 then
    rest()
  end
end

local function watch_descriptor(engine)
  local descriptor = engine:fd() -- another one after a fork
  if descriptor ~= polled then
    forget_poll()
    local problem, name
    poll, problem, name = libuv.new_poll(descriptor)
    if not poll and name == "EEXIST" then
      return -- another copy of this module, before a reload, steps the engine until nothing is in flight
    end
    assert(poll, problem)
    polled = descriptor
  end
  if not poll:is_active() then
    poll:start("r", function()
      engine:step(0)
      notice(engine)
    end)
  end
end

-- Has the loop do what the calls in flight need.
local function watch(engine)
  if engine:in_flight() == 0 then
    return
  end
  watch_descriptor(engine)
  prepare = prepare or assert(libuv.new_prepare())
  if not prepare:is_active() then
    prepare:start(function() notice(engine) end)
  end
end

-- Raises an error where the host shows it, and where it stops nobody else.
local function raise_in_loop(problem)
  local function raise()
    error(problem, 0)
  end
  if vim then
    vim.schedule(raise)
    return
  end
  local timer = assert(libuv.new_timer())
  timer:start(0, 0, function()
    timer:close()
    raise()
  end)
end

local function forget_group(group)
  for i, other in ipairs(groups) do
    if other == group then
      table.remove(groups, i)
      return
    end
  end
end

-- Runs what can run of a background group. What it raises is its end, and that of no other group.
local function run(group)
  local ok, done = pcall(group.done, group)
  if not ok then
    raise_in_loop(done)
  end
  if done or not ok then
    forget_group(group)
  end
end

-- Runs what can run; what it begins is watched. A task may begin other groups, or wait where it cannot yield, so that
-- this runs again meanwhile: hence the copy.
local function advance(engine)
  local now = {}
  for i, group in ipairs(groups) do
    now[i] = group
  end
  for _, group in ipairs(now) do
    run(group)
  end
  watch(engine)
end

-- Neovim's own functions may not be called from a callback of the loop, but tasks want to call them.
advance_soon = vim and vim.schedule_wrap(advance) or advance

local function wait_in_neovim(engine, awaited)
  local function is_done()
    return awaited:done()
  end
  local _, pending = vim.wait(0)
  if pending == -2 then -- a Ctrl-C during a wait that ended well, as one of many short ones does
    error("interrupted", 0)
  end
  repeat
    watch(engine) -- again and again: a task may have begun something when nothing was in flight any more
    local done, reason = vim.wait(LONGEST_WAIT, is_done, LONGEST_WAIT)
    if reason == -2 then
      error("interrupted", 0)
    end
  until done
end

local function wait_in_loop(engine, awaited)
  while not awaited:done() do
    watch(engine)
    libuv.run("once")
  end
end

---Returns when what is awaited is done. On Neovim's main thread, and where luv's loop can be run, the loop goes on;
---inside of the loop's own callbacks nothing else can be done, and it blocks.
---@param engine confidentai.Engine
---@param awaited confidentai.Call|confidentai.Group
function uv.wait(engine, awaited)
  if vim and not vim.in_fast_event() then
    wait_in_neovim(engine, awaited)
  elseif not vim and not libuv.loop_mode() then
    wait_in_loop(engine, awaited)
  else
    blocking.wait(engine, awaited)
  end
  notice(engine)
end

---Returns at once; the loop runs the group. What it raises is raised in the loop.
---@param engine confidentai.Engine
---@param group confidentai.Group
function uv.background(engine, group)
  groups[#groups + 1] = group
  if vim and vim.in_fast_event() then
    advance_soon(engine)
  else
    run(group)
    watch(engine)
  end
end

return uv
