-- SPDX-License-Identifier: Apache-2.0
local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local snippets = require "spec.docs.snippets"
local support = require "spec.support"

local page = pages.open "docs/hosts.md"

describe("docs/hosts.md", function()
  local service = support.service()
  local folder = folders.each()

  it("shows Lua that runs", function()
    for _, block in ipairs(page:blocks "lua") do
      assert.matches("1\t%d", snippets.run(block, service, folder.path))
    end
  end)

  page:links_are_good()
  page:all_are_run()
end)
