-- SPDX-License-Identifier: Apache-2.0
local folders = require "spec.folders"
local options = require "confidentai.options"
local packages = require "spec.docs.packages"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local snippets = require "spec.docs.snippets"
local support = require "spec.support"

local page = pages.open "docs/library.md"

describe("docs/library.md", function()
  local service = support.service()
  local folder = folders.each()

  it("shows Lua that runs", function()
    for _, block in ipairs(page:blocks "lua") do
      snippets.run(block, service, folder.path)
    end
  end)

  it("shows commands that run", function()
    local blocks = page:blocks("sh", "Installing, and a first look")
    assert.equal("packaging/build", packages.without(blocks[1].text)) -- which spec/packaging/deb.sh runs
    local lines = {}
    for line in blocks[2].text:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("%s+#.*", "")
    end
    -- The first two are what scripts/demo does, which a test of its own runs.
    local demo = folders.read "scripts/demo"
    for i = 1, 2 do
      assert.is_truthy(demo:find("\n" .. lines[i] .. "\n", 1, true), lines[i])
    end
    -- The package is not installed here: this checkout stands in for it.
    local lua = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d.%d"
    local child = process.start("sh", { "-c", (lines[3]:gsub("lua5%.4", "scripts/run " .. lua)) },
      { CONFIDENT_REGION = false, LD_PRELOAD = false, LUA_PATH = false, LUA_CPATH = false })
    local status, _, output, errors = child:finish()
    assert.equal(0, status, errors)
    assert.matches("Deleted : 0 keys named quickstart are left", output, 1, true)
  end)

  it("lists every option with its default", function()
    for _, option in ipairs(options.list) do
      local default = page.text:match("\n| `" .. option.name .. "` | ([^|]*) |")
      assert.is_string(default, option.name)
      if type(option.default) == "number" or type(option.default) == "boolean" then
        assert.equal(tostring(option.default), (default:gsub("`", "")), option.name)
      end
    end
  end)

  page:links_are_good()
  page:all_are_run()
end)
