-- SPDX-License-Identifier: Apache-2.0
-- A method that no guide names is a method that nobody finds: each of a user's objects is on its page.

local core = require "confidentai.core"
local folders = require "spec.folders"

require "confidentai"

-- Where the methods of each class are described, and which of them are not for users.
local PAGES = {
  Client = { "docs/library.md", "docs/incident.md" }, Organization = { "docs/library.md" },
  Project = { "docs/library.md" }, Projects = { "docs/library.md" }, ApiKeys = { "docs/library.md" },
  ApiKey = { "docs/library.md" },
}
local INTERNAL = { ["Client.start"] = true, ["Client.owns"] = true, ["Client.is_credential"] = true }

-- The verbs of a Rotation, as the reference has them.
local function rotation_methods()
  local found = {}
  for name in folders.read "docs/reference.md":gmatch "\n### `rotation:(%w+)" do
    found[#found + 1] = name
  end
  return found
end

describe("the guides", function()
  for class, pages in pairs(PAGES) do
    it("name every method of " .. class, function()
      local text = ""
      for _, page in ipairs(pages) do
        text = text .. folders.read(page)
      end
      for name in pairs(core.methods[class]) do
        assert.is_truthy(INTERNAL[class .. "." .. name] or text:find("[:`%s]" .. name .. "[({]"), class .. ":" .. name)
      end
    end)
  end

  it("name every verb of a rotation", function()
    local page, count = folders.read "docs/rotation.md", 0
    for _, name in ipairs(rotation_methods()) do
      count = count + 1
      assert.is_truthy(page:find("`" .. name .. "`", 1, true) or page:find(":" .. name .. "(", 1, true), name)
    end
    assert.is_true(count >= 5)
  end)
end)
