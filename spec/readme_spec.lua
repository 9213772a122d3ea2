-- SPDX-License-Identifier: Apache-2.0
-- What the README shows is run, and its tables are held against the code. Other pages have specs of their own, in
-- spec/docs.

local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local session = require "spec.docs.session"
local snippets = require "spec.docs.snippets"
local support = require "spec.support"

local page = pages.open "README.md"

describe("README.md", function()
  local service = support.service()
  local folder = folders.each()

  it("shows Lua that runs, and what it prints", function()
    local output = snippets.run(page:block "lua", service, folder.path)
    assert.equal(session.plain(page:block("text").text), session.plain((output:gsub("\n$", ""))))
  end)

  page:links_are_good()

  it("shows commands that other tests run", function()
    local run_by = { -- a file, and the words in it
      ["scripts/demo"] = { "spec/CMakeLists.txt", '"scripts/demo" "" scripts/demo' },
      ["scripts/test"] = { ".ci/run", "exec bash \"$(dirname \"$0\")/../scripts/test\"" },
      ["bin/confidentai sandbox"] = { "spec/sandbox/command_spec.lua", " bin/confidentai sandbox " },
    }
    for _, block in ipairs(page:blocks "sh") do
      for line in block.text:gmatch "[^\n]+" do
        local command = line:gsub("%s+#.*$", "")
        local by = assert(run_by[command], "no test is known to run: " .. command)
        assert.is_truthy(assert(folders.read(by[1])):find(by[2], 1, true), command)
      end
    end
  end)

  it("has at most 120 lines, and names methods and verbs that are there", function()
    local _, lines = page.text:gsub("\n", "")
    assert.is_true(lines <= 120)
    local reference, command = folders.read "docs/reference.md", folders.read "docs/command.md"
    for class, method in page.text:gmatch "`([%l_]+):([%l_]+)" do
      assert.is_truthy(reference:find(("### `%s:%s("):format(class, method), 1, true), method)
    end
    for verb in page.text:match("\n## The library and the command\n(.-)\n## "):gmatch "| `(%l+)[^|]*` |[^|]*|\n" do
      assert.matches("[ `]" .. verb .. "%f[%W]", command, nil, verb)
    end
  end)

  page:leave(" new key       ●", "a picture of a rotation")
  page:all_are_run()
end)
