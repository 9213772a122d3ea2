-- SPDX-License-Identifier: Apache-2.0
-- Stores in Neovim: the editor goes on while a command runs.

if not jit then
  return
end

local neovim = require "spec.hosts.neovim.run"

-- Milliseconds: half of what the command takes, for which an editor that waited for it would be gone.
local LONGEST_GAP = 500

local SECRET = "confident_us_org_s3cr3t0123456789abcdef"

describe("a command as a store, in Neovim,", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local PROGRAM = [[
    local context = { pause = function(seconds)
      local passed, err = require("confidentai.pause")(require "confidentai.driver.uv", seconds)
      return passed, err
    end }
    local function store(script, options)
      options = options or {}
      options.command = { "sh", "-c", script, facts.path }
      return require("confidentai.store.exec").new(options)
    end
  ]]

  local function run(program)
    return neovim.output(PROGRAM .. program, { secret = SECRET, path = path })
  end

  it("stores, is read, and tells how it failed", function()
    assert.equal("true true exec:sh: its command exited with status 3: no room", run [[
      local mine = store("cat >$0", { check = { "cat", facts.path } })
      local stored = mine:put(facts.secret, context)
      local same = mine:get(context) == facts.secret
      local _, message = store("echo no room >&2; exit 3"):put(facts.secret, context)
      finish(stored, same, message)
    ]])
  end)

  it("leaves Neovim's own jobs alone, and they leave it", function()
    assert.equal("4 true", run [[
      local code
      vim.fn.jobstart({ "sh", "-c", "sleep 0.2; exit 4" }, { on_exit = function(_, status) code = status end })
      local stored = store("cat >$0; sleep 0.4"):put(facts.secret, context)
      finish(code, stored)
    ]])
  end)

  it("is ended by Ctrl-C", function()
    assert.equal("false interrupted true", run [[
      after(200, function() vim.api.nvim_input("<C-c>") end)
      local mine = store("echo $$ >$0; exec sleep 60")
      local ok, problem = pcall(mine.put, mine, facts.secret, context)
      local pid = tonumber(vim.fn.readfile(facts.path)[1])
      local gone = vim.wait(5000, function() return libuv.kill(pid, 0) ~= 0 end, 10)
      finish(ok, problem, gone)
    ]])
  end)

  it("holds nobody", function()
    local longest, count
    for _ = 1, 3 do -- 10 ms on an idle machine; on a busy one the best of three counts
      longest, count = run([[
        ticks.start()
        assert(store("cat >$0; sleep 1"):put(facts.secret, context))
        finish(ticks.stop())
      ]]):match "^(%S+) (%d+)$"
      if tonumber(longest) < LONGEST_GAP then
        assert.is_true(tonumber(count) > 50)
        return
      end
    end
    error(("the longest gap was %s ms"):format(longest))
  end)
end)
