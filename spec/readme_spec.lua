-- SPDX-License-Identifier: Apache-2.0
-- What the README shows is run, and its tables are held against the code. Other pages have specs of their own, in
-- spec/docs.

local folders = require "spec.folders"
local options = require "confidentai.options"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local snippets = require "spec.docs.snippets"
local support = require "spec.support"

local page = pages.open "README.md"

describe("README.md", function()
  local service = support.service()
  local folder = folders.each()
  local text = page.text

  it("shows Lua that runs", function()
    for _, block in ipairs(page:blocks "lua") do
      snippets.run(block, service, folder.path)
    end
  end)

  page:links_are_good()

  it("shows commands that other tests run", function()
    local run_by = {
      ["scripts/demo"] = "spec/CMakeLists.txt", ["scripts/test"] = ".ci/run",
      ["bin/confidentai sandbox"] = "spec/sandbox/command_spec.lua",
    }
    for _, block in ipairs(page:blocks "sh") do
      for line in block.text:gmatch "[^\n]+" do
        local command = line:gsub("%s+#.*$", "")
        local where = assert(folders.read(assert(run_by[command], "no test is known to run: " .. command)))
        assert.is_truthy(where:find((command:gsub("bin/", "")), 1, true) or where:find("confidentai", 1, true))
      end
    end
  end)

  it("shows a session as it is now", function()
    -- What differs from run to run: ids, secrets, times, and the widths of columns with them.
    local function plain(session)
      local rotation = session:match "Rotation (%w+) of"
      session = session:gsub(rotation, "ROTATION"):gsub("%f[%w]c[%l%d]+%f[^%w]", function(word)
        return #word == 25 and "PROJECT" or word
      end)
      return (session:gsub("~g(%d)~[%l%d]+", "~g%1~OP"):gsub("%*+%S%S%S%S%S%S", "MASK")
        :gsub("ends in %S+", "ends in LAST"):gsub("%d+%-%d%d%-%d%d[T ]%d%d:%d%d[:%d.]*Z?", "TIME")
        :gsub("%d+ seconds? ago", "just now"):gsub(" +", " "))
    end
    local child = process.start("scripts/session", {}, { COLUMNS = false, NO_COLOR = false, LUA_PATH = false,
      LUA_CPATH = false, BUILD_ROOT = false, RUN_UNDER = false, LD_PRELOAD = false })
    local status, _, output, errors = child:finish()
    assert.equal(0, status, errors)
    assert.equal(plain(page:block("text").text), plain((output:gsub("\n+$", ""))))
  end)

  it("lists every option with its default", function()
    for _, option in ipairs(options.list) do
      local default = text:match("\n| `" .. option.name .. "` | ([^|]*) |")
      assert.is_string(default, option.name)
      if type(option.default) == "number" or type(option.default) == "boolean" then
        assert.equal(tostring(option.default), (default:gsub("`", "")), option.name)
      end
    end
  end)

  page:all_are_run()
end)
