-- SPDX-License-Identifier: Apache-2.0
-- docs/architecture.md: its modules are those that there are. CONTRIBUTING.md and SECURITY.md name nothing that is not
-- there.

local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local process = require "spec.process"

-- What a shell line prints, line by line, as a set. Without a sanitizer that is preloaded: leaks of grep are none of
-- ours.
local function lines_of(line)
  local set = {}
  local status, _, output, errors = process.start("sh", { "-c", line }, { LD_PRELOAD = false }):finish()
  assert.same({ 0, "" }, { status, errors })
  for entry in output:gmatch "[^\n]+" do
    set[entry] = true
  end
  return set
end

describe("docs/architecture.md", function()
  local page = pages.open "docs/architecture.md"
  local text = page.text

  it("names every module, in the section of its folder, and no other", function()
    local named = {}
    for folder, section in text:gmatch "### (%S+)\n([^#]*)" do
      for names in section:gmatch "\n| (`[^|]*) |" do
        for name in names:gmatch "`([%w_]+)`" do
          local path = folder .. "/" .. name
          assert.is_nil(named[path], path)
          named[path] = true
        end
      end
    end
    -- A module in C among them is built for Neovim (docs/neovim.md).
    assert.same(lines_of [[find src/core src/lua lua/confidentai -type f ! -name '*.so' |
      sed 's/\.[^.]*$//' | sort -u]], named)
  end)

  it("shows the states of a rotation in their order", function()
    local states = {}
    for state in text:match("\n (planned %->[^\n]*)"):gmatch "%l+" do
      states[#states + 1] = state
    end
    for state in pairs(lines_of [[ls lua/confidentai/rotation/steps | sed 's/\.lua$//']]) do
      assert.is_truthy(text:find("%-> " .. state .. "%f[%W]"), state)
    end
    assert.equal("planned creating escrowed proven published soaking disabled grace done",
      table.concat(states, " ", 1, 9))
  end)

  it("is true about the layers", function()
    assert.same({}, lines_of "grep -lE 'include.*(lua|lauxlib)' src/core/*.[ch] || true")
    page:leave("libcurl multi", "a picture of the layers, which this test is about")
    page:leave("start -> waiting for its turn", "a picture; spec/core/engine_test.c takes calls through it")
    page:leave("one file in steps/ each", "a picture, held against the files above")
  end)

  page:all_are_run()
end)

for _, page in ipairs { "docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md" } do
  describe(page, function()
    it("links to, and names, what is there", function()
      local text = assert(folders.read(page))
      for target in text:gmatch "%]%(([^)#]+)[^)]*%)" do
        if not target:find "^https:" then
          assert.is_string(folders.read((page:match "^.*/" or "") .. target), target)
        end
      end
      for path in text:gmatch "`([%l]+/[%w_./]+)" do
        local made = path:find "^build/" -- by commands that the page names
        assert.equal(0, made and 0 or (process.start("test", { "-e", path }):finish()), path)
      end
    end)
  end)
end
