-- SPDX-License-Identifier: Apache-2.0
-- Pages of documentation: their fenced blocks, and whether a test has taken each of them. spec/docs_spec.lua sees that
-- every page with blocks is opened by a spec.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local busted = require "busted"
local folders = require "spec.folders"

local pages = {}

---@class spec.Block
---@field language string what follows the fence; "" if nothing does
---@field text string without the fences, and without their indentation
---@field line integer of the opening fence
---@field heading string the section that it is in

local Page = {}
Page.__index = Page

-- All blocks of a text, in order.
local function parse(text)
  local blocks, heading, open, number = {}, "", nil, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local indent, language = line:match "^(%s*)```(.*)$"
    if open and indent then
      assert.equal("", language, "a fence in a block, line " .. number)
      open.text = table.concat(open.lines, "\n")
      blocks[#blocks + 1], open = open, nil
    elseif open then
      open.lines[#open.lines + 1] = line:sub(1, #open.indent):find "%S" and line or line:sub(#open.indent + 1)
    elseif indent then
      open = { language = language, indent = indent, line = number, heading = heading, lines = {} }
    else
      heading = line:match "^#+ (.*)" or heading
    end
  end
  assert.is_nil(open, "a block without an end")
  return blocks
end

---Opens a page.
---@param path string
function pages.open(path)
  local text = assert(folders.read(path), path)
  return setmetatable({ path = path, text = text, list = parse(text), taken = {} }, Page)
end

---The blocks of a language, in order, for a test that runs them all: they count as taken. `heading`: those of one
---section.
---@return spec.Block[]
function Page:blocks(language, heading)
  local found = {}
  for _, block in ipairs(self.list) do
    if block.language == language and (not heading or block.heading == heading) then
      self.taken[block] = true
      found[#found + 1] = block
    end
  end
  assert.is_true(#found > 0, ("%s has no block of %q in %q"):format(self.path, language, heading or "any section"))
  return found
end

---The one block of a language, and of a section if it is given.
---@return spec.Block
function Page:block(language, heading)
  local found = self:blocks(language, heading)
  assert.equal(1, #found, ("%s has several blocks of %q in %q"):format(self.path, language, heading or "any section"))
  return found[1]
end

---Says why no test runs a block, which has these words in it.
---@param words string
---@param reason string
function Page:leave(words, reason)
  local found
  assert.is_true(#reason > 10)
  for _, block in ipairs(self.list) do
    if block.text:find(words, 1, true) then
      assert.is_nil(found, "several blocks have these words: " .. words)
      found = block
    end
  end
  self.taken[assert(found, "no block has these words: " .. words)] = true
end

---The last test of a page's spec: each block has been taken by one before it, or is left for a reason.
function Page:all_are_run()
  busted.it("shows nothing that no test runs", function()
    local missing = {}
    for _, block in ipairs(self.list) do
      missing[#missing + 1] = not self.taken[block] and ("%s:%d: ```%s"):format(self.path, block.line, block.language)
        or nil
    end
    assert.same({}, missing)
  end)
end

---Registers a test that all links of a page lead to files that there are, and to headings of the page.
function Page:links_are_good()
  busted.it("links to what is there", function()
    local anchors = {}
    for title in self.text:gmatch "\n#+ ([^\n]+)" do
      anchors[title:lower():gsub("[^%w%s%-_]", ""):gsub("%s", "-")] = true
    end
    for target in self.text:gmatch "%]%(([^)]+)%)" do
      local path, anchor = target:match "^([^#]*)#?(.*)$"
      if path == "" then
        assert.is_true(anchors[anchor], target)
      elseif not path:find "^https?:" then
        assert.is_string(folders.read((self.path:match "^.*/" or "") .. path), target)
      end
    end
  end)
end

return pages
