-- SPDX-License-Identifier: Apache-2.0
-- Waits in a loop of libuv: Neovim's, or luv's. One poll handle on the engine's descriptor steps it when there is
-- something to do; it is stopped while nothing is in flight, so that it keeps no loop alive.
-- luacheck: globals vim

local blocking = require "confidentai.driver.blocking"

local libuv = vim and (vim.uv or vim.loop) or require "luv"

local uv = {}

local poll, polled -- the handle, and the descriptor that it watches
local groups = {}  -- that run in the background

local function forget_poll()
  if poll and not poll:is_closing() then
    poll:close()
  end
  poll, polled = nil, nil
end

local on_readable

-- Watches the engine; the descriptor is another one after a fork.
local function watch(engine)
  local descriptor = engine:fd()
  if descriptor ~= polled then
    forget_poll()
    poll, polled = assert(libuv.new_poll(descriptor)), descriptor
  end
  poll:start("r", function() on_readable(engine) end)
end

-- Runs what can run in the background groups; what they begin is watched.
local function advance(engine)
  for i = #groups, 1, -1 do
    if groups[i]:done() then
      table.remove(groups, i)
    end
  end
  if engine:in_flight() > 0 then
    watch(engine)
  end
end

-- Neovim's own functions may not be called from a callback of the loop, but tasks want to call them.
local advance_soon = vim and vim.schedule_wrap(advance) or advance

function on_readable(engine)
  local before = engine:finished()
  if engine:step(0) == 0 then
    poll:stop()
  end
  if #groups > 0 and engine:finished() ~= before then
    advance_soon(engine)
  end
end

local function wait_in_neovim(engine, awaited)
  watch(engine)
  local done, reason
  repeat
    done, reason = vim.wait(1000, function() return awaited:done() end, 20)
    if reason == -2 then
      error("interrupted", 0)
    end
    if not done and engine:in_flight() > 0 then
      watch(engine) -- a task may have begun something after the poll was stopped
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
end

---Returns at once; the loop runs the group.
---@param engine confidentai.Engine
---@param group confidentai.Group
function uv.background(engine, group)
  if not group:done() then
    groups[#groups + 1] = group
    watch(engine)
  end
end

return uv
