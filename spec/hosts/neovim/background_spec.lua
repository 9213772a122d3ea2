-- SPDX-License-Identifier: Apache-2.0
-- Inside of Neovim: tasks in the background, what is left of them, and the end of the editor.

if not jit then
  return -- as in ../neovim_spec.lua
end

local neovim = require "spec.hosts.neovim.run"
local support = require "spec.support"
local uv = require "luv"

describe("in Neovim", function()
  local service = support.service()

  local function run(program, options)
    return neovim.output(program, neovim.facts(service), options)
  end

  local LIST = [[
    local keys = client():organization().api_keys
  ]]

  describe("a task in the background", function()
    local function hold_back()
      service:fault { type = "delay", seconds = 0.1, times = -1 }
    end

    it("may call what Neovim has, where the task began and after each wait", function()
      hold_back()
      for _, begin in ipairs { "begin()", "after(20, begin)" } do -- on the main thread, and in a callback of the loop
        assert.equal("false n 2 false", run(LIST .. [[
          local function begin()
            require("confidentai").async(function()
              local mode = vim.fn.mode()
              local first = vim.in_fast_event()
              vim.api.nvim_buf_set_lines(0, 0, -1, true, { tostring(#assert(keys:list())) })
              finish(first, mode, vim.api.nvim_get_current_line(), vim.in_fast_event())
            end)
          end
        ]] .. begin))
      end
    end)

    it("has keys typed while it waits", function()
      service:fault { type = "delay", seconds = 0.3 }
      assert.equal("hello", run(LIST .. [[
        require("confidentai").async(function()
          assert(keys:list())
          finish(vim.api.nvim_get_current_line())
        end)
        after(20, function() vim.api.nvim_input("ihello<Esc>") end)
      ]]))
    end)

    it("gathers, and begins others", function()
      hold_back()
      assert.equal("2 2 2 2", run(LIST .. [[
        local confidentai = require "confidentai"
        local function count()
          return #assert(keys:list())
        end
        local function gather()
          return confidentai.gather { count, function() return confidentai.gather({ count, count })[2] end }
        end
        local inner
        confidentai.async(function()
          confidentai.async(gather, function(_, results) inner = results end)
          local outer = gather()
          count()
          finish(outer[1], outer[2], inner[1], inner[2])
        end)
      ]]))
    end)

    it("shows its error as a message, and holds no other up", function()
      hold_back()
      for _, case in ipairs { { 'error("the problem", 0)', "the problem" },
        { "assert(keys:get(999))", "API key not found" } } do
        -- After an error Neovim itself rests for a second.
        local ok, problem, output = neovim.run(LIST .. ([[
          local ended = 0
          for i = 1, 3 do
            require("confidentai").async(function()
              assert(keys:list())
              if i == 2 then %s end
              assert(keys:list())
              ended = ended + 1
            end)
          end
          require("confidentai").async(function() error("at once", 0) end)
          after_on_main(3000, function()
            finish(ended, require("confidentai.core").engine():in_flight(), vim.fn.execute("messages"))
          end)
        ]]):format(case[1]), neovim.facts(service))
        assert.is_true(ok, problem)
        assert.matches("^2 0 ", output)
        assert.matches(case[2], output, 1, true)
        assert.matches("at once", output, 1, true)
      end
    end)

    it("hears when its client is closed", function()
      service:fault { type = "hang", times = -1 }
      assert.equal("cancelled 0", run [[
        local closed = client()
        require("confidentai").async(function()
          local _, err = closed:organization():get()
          finish(err.kind, require("confidentai.core").engine():in_flight())
        end)
        after_on_main(50, function() closed:close() end)
      ]])
    end)

    it("goes on when somebody else has stepped to its end", function()
      service:fault { type = "delay", seconds = 0.2, times = -1 }
      assert.equal("2 2", run(LIST .. [[
        local blocked
        require("confidentai").async(function()
          local count = #assert(keys:list())
          finish(count, blocked)
        end)
        after_on_main(50, function() blocked = #client({ driver = "blocking" }).projects:list() end)
      ]]))
    end)

    it("goes on when the modules are loaded again", function()
      hold_back()
      assert.equal("2 true", run(LIST .. [[
        local ended = 0
        local function begin()
          local again = client():organization().api_keys
          require("confidentai").async(function()
            assert(#again:list() + #again:list() == 4)
            ended = ended + 1
          end)
        end
        begin()
        for name in pairs(package.loaded) do
          if name:find("^confidentai") then package.loaded[name] = nil end
        end
        begin()
        local on_main = assert(client():organization().api_keys:list())
        after_on_main(800, function() finish(ended, #on_main == 2) end)
      ]]))
    end)
  end)

  it("keeps two handles of the loop, which are at rest when nothing is in flight", function()
    local ok, listed = neovim.run(LIST .. [[
      local function show_handles(title)
        vim.wait(20) -- what is being closed is closed
        io.stderr:write(title, "\n")
        libuv.print_all_handles() -- vim.loop.walk trips over those of Neovim's own
      end
      local function some_calls()
        require("confidentai").gather { function() return keys:list() end, function() return keys:list() end }
        local ended
        require("confidentai").async(function() ended = assert(keys:list()) end)
        assert(vim.wait(1000, function() return ended end, 5))
      end
      some_calls()
      show_handles("once")
      for _ = 1, 20 do some_calls() end
      show_handles("often")
      finish()
    ]], neovim.facts(service))
    assert.is_true(ok, listed)
    local once, often = listed:gsub(" 0x%x+", ""):match("once\n(.*)often\n(.*)")
    assert.equal(once, often)
    assert.matches("[R--] poll", often, 1, true)
    assert.matches("[R--] prepare", often, 1, true)
  end)

  describe("is left at once, well and without a word,", function()
    local QUIT = [[
      after_on_main(100, function() vim.cmd("qa!") end)
    ]]

    local function assert_left(program)
      service:fault { type = "hang", times = -1 }
      local before = uv.hrtime()
      run(program)
      local seconds = (uv.hrtime() - before) / 1e9
      assert.is_true(seconds < 10, ("it took %.1f s"):format(seconds))
      assert.is_true(#support.requests(service) > 0)
    end

    it("while a call waits on the main thread", function()
      assert_left(QUIT .. "client():organization():get()")
    end)

    it("while calls are gathered", function()
      assert_left(QUIT .. LIST .. [[
        local function list()
          return keys:list()
        end
        require("confidentai").gather { list, list, list }
      ]])
    end)

    it("while tasks wait", function()
      assert_left(QUIT .. LIST .. [[
        for _ = 1, 20 do
          require("confidentai").async(function() keys:list() end)
        end
      ]])
    end)

    it("after a last call when it is being left", function()
      assert.equal("2", run(LIST .. [[
        vim.api.nvim_create_autocmd("VimLeavePre", { callback = function() io.stdout:write(#assert(keys:list())) end })
        vim.cmd("qa!")
      ]]))
    end)
  end)
end)
