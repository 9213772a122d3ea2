-- SPDX-License-Identifier: Apache-2.0
local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local rotation_options = require "confidentai.rotation.options"
local snippets = require "spec.docs.snippets"
local support = require "spec.support"

local page = pages.open "docs/rotation.md"

describe("docs/rotation.md", function()
  local service = support.service()
  local folder = folders.each()

  it("shows Lua that runs, one after the other", function()
    local outputs = {}
    for i, block in ipairs(page:blocks "lua") do
      outputs[i] = snippets.run(block, service, folder.path)
    end
    assert.equal(4, #outputs)
    assert.matches("^soaking\n", outputs[1])
    assert.matches("^svc\tsoaking\t%d+", outputs[2])
    assert.matches("^created\t", outputs[3])
  end)

  it("has a picture of all states, in their order", function()
    page:leave("refused: nothing was changed", "a picture; its states are held against the code here")
    local picture, from = page:blocks("", "The machine")[1].text, 1
    for _, state in ipairs { "planned", "creating", "escrowed", "proven", "published", "soaking", "disabled", "grace",
      "done" } do
      from = assert(picture:find("\n +" .. state .. " ", from) or picture:find("^ +" .. state .. " ", from), state)
    end
  end)

  it("lists every option of rotate with its default", function()
    for name, option in pairs(rotation_options.list) do
      if option.of:find("r", 1, true) then
        local default = page.text:match("\n| `" .. name .. "`[^|]*| ([^|]*) |") or page.text:find("`" .. name .. "`", 1,
          true)
        assert.is_truthy(default, name)
        if type(option.default) == "number" or type(option.default) == "boolean" then
          assert.equal(tostring(option.default), (tostring(default):gsub("`", "")), name)
        end
      end
    end
  end)

  page:links_are_good()
  page:all_are_run()
end)
