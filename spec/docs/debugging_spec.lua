-- SPDX-License-Identifier: Apache-2.0
local pages = require "spec.docs.pages"
local process = require "spec.process"

local page = pages.open "docs/debugging.md"

-- Builds with sanitizers are what other entries are for; a preloaded sanitizer would look into every tool.
local WITHOUT = { BUILD_ROOT = false, RUN_UNDER = false, LD_PRELOAD = false, CONFIDENTAI_BUILD = false,
  LUA_PATH = false, LUA_CPATH = false }

describe("docs/debugging.md", function()
  -- Runs a section's block in this folder. Returns what it shows.
  local function run(heading)
    local block = page:block("sh", heading)
    local status, _, output, errors = process.start("sh", { "-euc", block.text }, WITHOUT):finish()
    assert.equal(0, status, output .. errors)
    return output, errors
  end

  it("runs one test", function()
    assert.matches("[1-9]%d* success[es]* / 0 failures", (run "One test"))
  end)

  it("shows what libcurl does", function()
    local output, errors = run "What libcurl does"
    assert.matches("manager", output)
    assert.matches("> GET /v1/organization/api%-keys", errors)
    assert.matches("CONFIDENT_API_KEY: %(hidden%)", errors)
  end)

  it("shows what a rotation did, and repeats one of the tests'", function()
    local blocks, shown = page:blocks("sh", "What a rotation did"), {}
    for i, block in ipairs(blocks) do
      local status, _, output, errors = process.start("sh", { "-euc", block.text }, WITHOUT):finish()
      assert.equal(0, status, output .. errors)
      shown[i] = output
    end
    assert.matches('"state": ?"soaking"', shown[1])
    assert.matches("1 success", shown[2])
  end)

  page:leave("-DSANITIZE", "other entries of the tests build with sanitizers, and run every spec with them")
  page:leave("gdb --quiet", "tests need no gdb")
  page:links_are_good()
  page:all_are_run()
end)
