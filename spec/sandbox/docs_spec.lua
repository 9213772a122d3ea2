-- SPDX-License-Identifier: Apache-2.0
local Faults = require "confidentai.sandbox.faults"
local options = require "confidentai.sandbox.options"
local router = require "confidentai.sandbox.router"
local settings = require "confidentai.sandbox.settings"
local support = require "spec.sandbox.support"

describe("docs/sandbox.md", function()
  local text = support.read_file("docs/sandbox.md")

  local function has(name)
    assert.truthy(text:find("`" .. name, 1, true), name)
  end

  it("names every option", function()
    for _, option in ipairs(options.list) do
      if not option.hidden then has("--" .. option.name:gsub("_", "-")) end
    end
  end)

  it("names every setting with its default and its choices", function()
    for _, setting in ipairs(settings.list) do
      local row = text:match("\n| `" .. setting.name .. "` |[^\n]*")
      assert.truthy(row, setting.name)
      local is_none = setting.kind == "paths" or setting.default == ""
      assert.truthy(row:find(is_none and "none" or tostring(setting.default), 1, true), row)
      for choice in pairs(setting.choices or {}) do
        assert.truthy(row:find(type(choice) == "string" and "\"" .. choice or tostring(choice), 1, true), choice)
      end
    end
  end)

  it("names every fault with its fields, and every operation", function()
    for name, spec in pairs(Faults.types) do
      local row = text:match("\n| `" .. name .. "` |[^\n]*")
      assert.truthy(row, name)
      for field in pairs(spec.fields or {}) do
        assert.truthy(row:find("`" .. field, 1, true), name .. "." .. field)
      end
    end
    for name in pairs(router.operations) do has(name) end
  end)
end)
