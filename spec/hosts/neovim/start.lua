-- SPDX-License-Identifier: Apache-2.0
-- The beginning of a spec's program inside of Neovim: nvim --headless -u NONE -c 'luafile this'. The program is in
-- $SPEC_PROGRAM, what it has at hand in $SPEC_FACTS. It ends Neovim by finish().
-- luacheck: globals vim, ignore 111 112 113

local facts = vim.fn.json_decode(vim.env.SPEC_FACTS)
local libuv = vim.loop
vim.uv = facts.newer_name and libuv or nil -- as it is called from 0.10 on
vim.o.showmode = false -- or standard error has it, where there is no screen

-- Ends Neovim, successfully, with these words on standard output.
local function finish(...)
  local words = {}
  for i = 1, select("#", ...) do
    words[i] = tostring((select(i, ...)))
  end
  io.stdout:write(table.concat(words, " "))
  io.stdout:flush()
  vim.cmd("qa!")
end

local function fail(problem)
  io.stderr:write(tostring(problem), "\n")
  vim.cmd("cquit! 3")
end

-- Raises where the main loop would only show it, so that no program waits for its time limit.
local function guarded(run)
  return function(...)
    local ok, problem = xpcall(run, debug.traceback, ...)
    if not ok then
      vim.schedule(function() fail(problem) end)
    end
  end
end

-- Once, later, in the fast context of libuv's callbacks, or on the main thread.
local function after(milliseconds, run)
  local timer = libuv.new_timer()
  timer:start(milliseconds, 0, function()
    timer:close()
    run()
  end)
end

local function after_on_main(milliseconds, run)
  after(milliseconds, vim.schedule_wrap(guarded(run)))
end

-- The longest gap between ticks of 5 ms, in milliseconds, since it was started.
local ticks = {}

function ticks.start()
  local last = libuv.hrtime()
  ticks.gap, ticks.count = 0, 0
  ticks.timer = libuv.new_timer()
  ticks.timer:start(5, 5, function()
    local now = libuv.hrtime()
    ticks.gap, ticks.count, last = math.max(ticks.gap, (now - last) / 1e6), ticks.count + 1, now
  end)
end

function ticks.stop()
  ticks.timer:close()
  return ticks.gap, ticks.count
end

local at_hand = {
  facts = facts, finish = finish, fail = fail, guarded = guarded, after = after, after_on_main = after_on_main,
  ticks = ticks, libuv = libuv,
  client = function(options)
    local given = vim.tbl_extend("force", { api_key = facts.api_key, base_url = facts.base_url, timeout = 10 },
      options or {})
    local confidentai = require "confidentai"
    return confidentai.check(confidentai.new(given))
  end,
}

local program = assert(loadstring(vim.env.SPEC_PROGRAM, "=program"))
guarded(setfenv(program, setmetatable(at_hand, { __index = _G })))()
