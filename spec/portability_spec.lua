-- SPDX-License-Identifier: Apache-2.0
-- docs/portability.md against the sources. A definition that is asked for and never looked for would be a branch that
-- nobody takes.

local folders = require "spec.folders"
local process = require "spec.process"

-- The names of definitions in a text, without their prefix, as a set.
local function features_of(text, pattern)
  local set = {}
  for name in text:gmatch(pattern) do
    set[name] = true
  end
  return set
end

describe("docs/portability.md", function()
  local page = assert(folders.read "docs/portability.md")
  local checks = assert(folders.read "src/features.cmake")

  it("has every feature that the build looks for, which are those that the sources ask for", function()
    local looked_for = features_of(checks, "\n%s+feature%(([%u%d_]+) ")
    for name in pairs(features_of(checks, "%f[%w]CAI_HAS_([%u%d_]+)%)")) do
      looked_for[name] = true
    end
    assert.is_true(looked_for.EPOLL and looked_for.STATVFS_NAME)
    assert.same(looked_for, features_of(page, "\n| `CAI_HAS_([%u%d_]+)` |"))
    local status, _, sources, errors = process.start("sh", { "-c", "cat src/core/*.[ch] src/lua/*.[ch]" },
      { LD_PRELOAD = false }):finish()
    assert.same({ 0, "" }, { status, errors })
    assert.same(looked_for, features_of(sources, "defined%(CAI_HAS_([%u%d_]+)%)"))
  end)

  it("names the oldest libcurl that the build takes", function()
    local oldest = page:match "The oldest that is supported is ([%d.]*%d)"
    local build = assert(folders.read "CMakeLists.txt")
    assert.is_truthy(build:find("find_package(CURL " .. oldest .. " REQUIRED)", 1, true))
    local major, minor = oldest:match "^(%d+)%.(%d+)$"
    local number = ("0x%02x%02x00"):format(tonumber(major), tonumber(minor))
    assert.is_truthy(assert(folders.read "src/core/libcurl.c"):find("#if LIBCURL_VERSION_NUM < " .. number, 1, true))
    assert.is_truthy(assert(folders.read "scripts/curl_symbols.lua"):find("local OLDEST = " .. number, 1, true))
  end)

  it("has every version of libcurl that the sources ask for", function()
    local status, _, sources = process.start("sh", { "-c", "cat src/core/*.c" }, { LD_PRELOAD = false }):finish()
    assert.equal(0, status)
    for digits in sources:gmatch "LIBCURL_VERSION_NUM >= 0x(%x+)" do
      local major, minor = tonumber(digits:sub(1, 2), 16), tonumber(digits:sub(3, 4), 16)
      assert.is_truthy(page:find(("\n| %d.%d |"):format(major, minor), 1, true), digits)
    end
  end)

  it("names scripts and folders that are there", function()
    for path in page:gmatch "`([%l]+/[%w_./]+)" do
      if not path:find "^dev/" then
        assert.equal(0, (process.start("test", { "-e", path }):finish()), path)
      end
    end
  end)
end)
