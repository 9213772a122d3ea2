-- SPDX-License-Identifier: Apache-2.0
-- What the README and the guides show is run, and their tables are held against the code.

local folders = require "spec.folders"
local options = require "confidentai.options"
local process = require "spec.process"
local support = require "spec.support"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local function blocks(text, language)
  local found = {}
  for block in text:gmatch("\n```" .. language .. "\n(.-)\n```") do
    found[#found + 1] = block
  end
  return found
end

-- The pages of the sandbox have a spec of their own, spec/sandbox/docs_spec.lua.
for _, page in ipairs { "README.md", "docs/hosts.md", "docs/rotation.md" } do
  describe(page, function()
    local service = support.service()
    local folder = folders.each()
    local text = read(page)

    it("shows Lua that runs", function()
      local snippets = blocks(text, "lua")
      assert.is_true(#snippets >= 1)
      for _, snippet in ipairs(snippets) do
        local status, _, output, errors = process.run(snippet, {
          CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url,
          HOME = folder.path, STATE_DIRECTORY = folder.path .. "/state",
        })
        assert.equal(0, status, errors)
        for _, key in ipairs(assert(service:state()).keys) do
          assert.is_nil((output .. errors):find(key.value, 1, true))
        end
      end
    end)

    it("names files that exist", function()
      for target in text:gmatch "%]%(([^)]+)%)" do
        if not target:find "^https?:" then
          assert.is_string(read(page:gsub("[^/]*$", "") .. target))
        end
      end
    end)
  end)
end

describe("the README", function()
  local text = read "README.md"

  it("shows commands that other tests run", function()
    local run_by = {
      ["scripts/demo"] = "spec/CMakeLists.txt", ["scripts/test"] = ".ci/run",
      ["bin/confidentai sandbox"] = "spec/sandbox/command_spec.lua",
    }
    for _, block in ipairs(blocks(text, "sh")) do
      for line in block:gmatch "[^\n]+" do
        local command = line:gsub("%s+#.*$", "")
        local where = assert(run_by[command], "no test is known to run: " .. command)
        assert.is_truthy(read(where):find((command:gsub("bin/", "")), 1, true)
          or read(where):find("confidentai", 1, true))
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
    assert.equal(plain(blocks(text, "text")[1]), plain((output:gsub("\n+$", ""))))
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
end)

describe("the page on rotation", function()
  local text = read "docs/rotation.md"
  local rotation_options = require "confidentai.rotation.options"

  it("lists every option of rotate with its default", function()
    for name, option in pairs(rotation_options.list) do
      if option.of:find("r", 1, true) then
        local default = text:match("\n| `" .. name .. "`[^|]*| ([^|]*) |") or text:find("`" .. name .. "`", 1, true)
        assert.is_truthy(default, name)
        if type(option.default) == "number" or type(option.default) == "boolean" then
          assert.equal(tostring(option.default), (tostring(default):gsub("`", "")), name)
        end
      end
    end
  end)
end)
