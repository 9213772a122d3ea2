-- SPDX-License-Identifier: Apache-2.0
-- Inside of Neovim, the real one, which LuaJIT runs in: one of the Luas that the specs run on is enough.

if not jit then
  return
end

local contract = require "spec.hosts.contract"
local neovim = require "spec.hosts.neovim.run"
local support = require "spec.support"
local uv = require "luv"

for _, name in ipairs { "vim.loop", "vim.uv" } do
  describe("in Neovim, by " .. name .. ",", function()
    contract(support.service(), function(entry, facts)
      facts.newer_name = name == "vim.uv"
      local ok, problem, output = neovim.run(([[
        local ok, problem = require("spec.hosts.inside").run(%q, facts)
        if not ok then return fail(problem) end
        finish(vim.uv ~= nil)
      ]]):format(entry), facts)
      return ok and output == tostring(facts.newer_name), problem
    end)
  end)
end

describe("in Neovim", function()
  local service = support.service()

  local function run(program, options)
    return neovim.output(program, neovim.facts(service), options)
  end

  -- That the editor goes on while a program of two seconds waits: no gap between ticks of 5 ms is near that. bench/run
  -- measures the gap; here other work of the machine may add to it, and the best of three counts.
  local function assert_open(program, options)
    local longest, count
    for _ = 1, 3 do
      longest, count = run(program, options):match("^(%S+) (%d+)$")
      if tonumber(longest) < 250 then
        assert.is_true(tonumber(count) > 100)
        return
      end
    end
    error(("the longest gap was %s ms"):format(longest))
  end

  local LIST = [[
    local keys = client():organization().api_keys
  ]]
  local GATHER = LIST .. [[
    local tasks = {}
    for i = 1, 20 do tasks[i] = function() return keys:list() end end
    ticks.start()
    local _, errors = require("confidentai").gather(tasks, { concurrency = 20 })
    assert(next(errors) == nil)
    finish(ticks.stop())
  ]]
  local ASYNC = LIST .. [[
    local left = 20
    ticks.start()
    for _ = 1, 20 do
      require("confidentai").async(function()
        assert(keys:list())
        left = left - 1
        if left == 0 then finish(ticks.stop()) end
      end)
    end
  ]]

  describe("the editor goes on", function()
    local function hold_back()
      service:fault { type = "delay", seconds = 2, times = -1 }
    end

    it("while a call waits on the main thread", function()
      hold_back()
      assert_open(LIST .. "ticks.start() assert(keys:list()) finish(ticks.stop())")
    end)

    it("while 20 calls are gathered", function()
      hold_back()
      assert_open(GATHER)
    end)

    it("while 20 tasks wait", function()
      hold_back()
      assert_open(ASYNC)
    end)

    local resolver = neovim.slow_resolver()
    local with_resolver = resolver and it or pending
    local SLOW = [[
      facts.base_url = facts.base_url:gsub("127%.0%.0%.1", "service.example")
      local given = client
      function client(options)
        options = options or {}
        options.allow_plain_http = true
        return given(options)
      end
    ]]

    with_resolver("while the resolver is slow", function()
      assert_open(SLOW .. GATHER, { preload = resolver })
      assert_open(SLOW .. ASYNC, { preload = resolver })
    end)

    with_resolver("when a call ends before the resolver does", function()
      local before = uv.hrtime()
      local gap, kind = run(SLOW .. [[
        ticks.start()
        local _, err = client({ timeout = 0.3, max_retries = 0 }):organization():get()
        vim.wait(100)
        finish((ticks.stop()), err.kind)
      ]], { preload = resolver }):match("^(%S+) (%a+)$")
      assert.equal("timeout", kind)
      assert.is_true(tonumber(gap) < 250, gap)
      assert.is_true(uv.hrtime() - before < 2e9)
    end)

    with_resolver("to its end, when it is left while the resolver is slow", function()
      local before = uv.hrtime()
      run(SLOW .. [[
        after_on_main(100, function() vim.cmd("qa!") end)
        client():organization():get()
      ]], { preload = resolver })
      assert.is_true(uv.hrtime() - before < 1.5e9)
    end)
  end)

  describe("while a call waits on the main thread", function()
    it("timers and scheduled functions run, and keys wait for its end", function()
      service:fault { type = "delay", seconds = 0.4, times = -1 }
      assert.equal("2 true true hello", run [[
        local timer_ran, scheduled
        after(50, function() timer_ran = true vim.api.nvim_input("ihello<Esc>") end)
        after_on_main(50, function() scheduled = vim.api.nvim_get_current_line() == "" end)
        local count = #client():organization().api_keys:list()
        after_on_main(100, function() finish(count, timer_ran, scheduled, vim.api.nvim_get_current_line()) end)
      ]])
    end)

    it("a remote program is answered, and its Ctrl-C ends the call", function()
      service:fault { type = "hang", times = -1 }
      local socket = os.tmpname()
      os.remove(socket)
      local child = neovim.start([[
        local engine = require("confidentai.core").engine()
        after_on_main(50, function()
          print("in flight: " .. engine:in_flight())
          io.stdout:write("waiting")
          io.stdout:flush()
        end)
        local ok, problem = pcall(function() return client():organization().api_keys:create("made") end)
        finish(ok, problem, engine:in_flight(), vim.api.nvim_get_mode().mode)
      ]], neovim.facts(service), { listen = socket })
      child:wait_for("waiting")
      assert.matches("in flight: 1", neovim.remote(socket, "expr", "execute('messages')"), 1, true)
      local before = uv.hrtime()
      neovim.remote(socket, "send", "<C-c>")
      local ok, problem, output = neovim.finish(child)
      assert.is_true(ok, problem)
      assert.equal("waiting" .. "false interrupted 0 n", output)
      assert.is_true(uv.hrtime() - before < 10e9) -- the timeout is 30
    end)

    it("Ctrl-C ends all that is gathered, and nothing more begins", function()
      service:fault { type = "hang", times = -1 }
      assert.equal("false interrupted 0 true", run(LIST .. [[
        local began, tasks = libuv.hrtime(), {}
        for i = 1, 20 do tasks[i] = function() return keys:list() end end
        after(150, function() vim.api.nvim_input("<C-c>") end)
        local ok, problem = pcall(require("confidentai").gather, tasks, { concurrency = 5 })
        local soon = libuv.hrtime() - began < 10e9
        vim.wait(100)
        finish(ok, problem, require("confidentai.core").engine():in_flight(), soon)
      ]]))
      assert.equal(5, #support.requests(service))
    end)

    it("another waits within it", function()
      service:fault { type = "delay", seconds = 0.2, times = -1 }
      assert.equal("2 2 0", run(LIST .. [[
        local inner
        after_on_main(50, function() inner = #assert(keys:list()) end)
        finish(#assert(keys:list()), inner, require("confidentai.core").engine():in_flight())
      ]]))
    end)
  end)

  it("blocks in a callback of the loop, and the tasks in the background go on after it", function()
    service:fault { type = "delay", seconds = 0.2, times = -1 }
    assert.equal("true 2 false n", run(LIST .. [[
      local fast, count
      require("confidentai").async(function()
        assert(keys:list())
        after_on_main(200, function() finish(fast, count, vim.in_fast_event(), vim.fn.mode()) end)
      end)
      after(50, function() fast, count = vim.in_fast_event(), #assert(keys:list()) end)
    ]]))
  end)
end)
