-- SPDX-License-Identifier: Apache-2.0
-- Every page with blocks of code has a spec that runs them, and sees that none is left out; the index lists every page.

local core = require "confidentai.core"
local folders = require "spec.folders"
local pages = require "spec.docs.pages"

-- Files of a folder and of those in it, by path.
local function each_file(folder, action)
  for _, name in ipairs(assert(core.file.list(folder))) do
    local path = folder .. "/" .. name
    if core.file.list(path) then
      each_file(path, action)
    else
      action(path)
    end
  end
end

describe("the documentation", function()
  local specs, all = {}, { "README.md", "CONTRIBUTING.md", "examples/openresty/README.md", "examples/neovim/README.md" }

  setup(function()
    each_file("spec", function(path)
      if path:find "_spec%.lua$" then
        specs[path] = folders.read(path)
      end
    end)
    each_file("docs", function(path)
      all[#all + 1] = path:find "%.md$" and path or nil
    end)
    assert.is_true(#all > 8)
  end)

  it("has no page with blocks that no spec runs", function()
    for _, path in ipairs(all) do
      local by = {}
      for spec, text in pairs(specs) do
        if text:find(('pages.open "%s"'):format(path), 1, true) and text:find(":all_are_run()", 1, true) then
          by[#by + 1] = spec
        end
      end
      assert.is_true(#pages.open(path).list == 0 or #by > 0, path)
    end
  end)

  -- liblua5.1-dev conflicts with nginx's Lua module: on a machine that had it, the line removed that and six packages.
  it("installs nothing in the place of what is there", function()
    local count, files = 0, { "packaging/README.md", "scripts/install", "scripts/neovim" }
    for _, path in ipairs(all) do
      files[#files + 1] = path
    end
    for _, path in ipairs(files) do
      local text = folders.read(path)
      assert.is_nil(text:find("liblua5.1-dev", 1, true), path)
      for before, options in text:gmatch "([^\n]*)apt%-get install (%-%-yes[^\n]*)" do
        local on_a_machine_of_its_own = before:find "^RUN " or before:find "^ +sudo " or before:find "^ +%- "
        assert.is_truthy(on_a_machine_of_its_own or options:find("--no-remove", 1, true), path .. ": " .. options)
        count = count + 1
      end
    end
    assert.is_true(count > 8)
  end)

  it("is listed in an index, page by page", function()
    local index = folders.read "docs/README.md"
    each_file("docs", function(path)
      local name = path:match "^docs/(.*%.md)$"
      if name and name ~= "README.md" then
        assert.is_truthy(index:find("](" .. name, 1, true), name)
      end
    end)
  end)

  pages.open("docs/README.md"):links_are_good()
end)

-- How a page of this form is read; what follows in other specs rests on it.
describe("a page", function()
  local function page_of(text)
    local path = os.tmpname()
    folders.write(path, text)
    local page = pages.open(path)
    os.remove(path)
    return page
  end

  it("has blocks, with language, line, section and text", function()
    local page = page_of "# One\n```sh\na\n\nb\n```\n\n## Two\n1. x\n\n   ```\n   c\n     d\n   ```\n"
    assert.equal(2, #page.list)
    local first, second = page:block("sh"), page:block("", "Two")
    assert.same({ "One", 2, "a\n\nb" }, { first.heading, first.line, first.text })
    assert.same({ "Two", 11, "c\n  d" }, { second.heading, second.line, second.text })
  end)

  it("knows which blocks were taken", function()
    local page = page_of "```sh\na\n```\n```lua\nb\n```\n"
    page:block "sh"
    assert.is_true(page.taken[page.list[1]])
    assert.is_nil(page.taken[page.list[2]])
    page:leave("b", "nothing to be run here")
    assert.is_true(page.taken[page.list[2]])
    assert.has_error(function() page:leave("c", "nothing to be run here") end)
    assert.has_error(function() page:block "yaml" end)
  end)
end)
