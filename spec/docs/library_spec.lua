-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
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

  -- A line of the page, on the Lua of this spec.
  local function begin(line)
    local lua = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d.%d"
    return process.start("sh", { "-c", "exec " .. (line:gsub("lua5%.4", lua)) },
      { CONFIDENT_REGION = false, LD_PRELOAD = false, LUA_PATH = false, LUA_CPATH = false })
  end

  it("shows commands that run", function()
    -- spec/packaging/deb.sh runs it.
    assert.equal("packaging/build", packages.without(page:block("sh", "Installing").text))
    local blocks = page:blocks("sh", "A first script")
    local lines = {}
    for line in blocks[1].text:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("%s+#.*", "")
    end
    -- The first two are what scripts/demo does, which a test of its own runs.
    local demo = folders.read "scripts/demo"
    for i = 1, 2 do
      assert.is_truthy(demo:find("\n" .. lines[i] .. "\n", 1, true), lines[i])
    end
    local status, _, output, errors = begin(lines[3]):finish()
    assert.equal(0, status, errors)
    assert.matches("Deleted : 0 keys named quickstart are left", output, 1, true)
    local sandbox = begin(blocks[2].text .. " --port 0")
    sandbox:wait_for "Stop"
    sandbox:kill "sigterm"
    status, _, output, errors = sandbox:finish()
    assert.equal(0, status, errors)
    assert.matches("export CONFIDENT_ORG_API_KEY=%S+\n  export CONFIDENT_BASE_URL=http://127%.0%.0%.1:%d+\n", output)
  end)

  it("says where the types are, once it is installed", function()
    local setting = cjson.decode(page:block("json", "Installing").text)["workspace.library"]
    -- Where Debian's packages have what CMake installs; spec/packaging/deb.sh and rock.sh look.
    assert.same({ "/usr/share/lua/5.4/confidentai/types" }, setting)
    for _, name in ipairs { "deb", "rock" } do
      local script = folders.read("spec/packaging/" .. name .. ".sh")
      assert.is_truthy(script:find("confidentai/types/confidentai.lua", 1, true), name)
    end
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
