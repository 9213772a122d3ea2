-- SPDX-License-Identifier: Apache-2.0
local folders = require "spec.folders"
local pages = require "spec.docs.pages"

local page = pages.open "docs/figures.md"

describe("docs/figures.md", function()
  it("has figures of every case of the bench", function()
    for name in assert(folders.read "bench/main.lua"):match("\nlocal ALL = (%b{})"):gmatch '"(%w+)"' do
      assert.matches("\n| " .. name .. " | ", page.text, 1, true)
    end
  end)

  page:links_are_good()
  page:all_are_run()
end)
