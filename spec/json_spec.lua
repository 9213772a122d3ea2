-- SPDX-License-Identifier: Apache-2.0
-- A cjson that writes broken text, as Debian's does in a Neovim that has functions of the same names.

local process = require "spec.process"

-- Loads the library beside a cjson that writes broken text when a buffer grows, and perhaps an editor's own module.
local PROGRAM = [[
  local whole = require "cjson"
  package.loaded.cjson = { new = function()
    local own = whole.new()
    local broken = {}
    for name, value in pairs(own) do broken[name] = value end
    broken.encode = function(value)
      local text = own.encode(value)
      return #text > 1000 and text:sub(1, 900) .. ("\0"):rep(#text - 900) or text
    end
    return broken
  end }
  vim = %s
  local ok, found = pcall(require, "confidentai.core")
  print(ok and found.json_encode { x = ("y"):rep(2000) } == '{"x":"' .. ("y"):rep(2000) .. '"}', not ok and found)
]]

describe("the library's JSON", function()
  it("comes from no cjson that writes broken text", function()
    local status, _, output, errors = process.run(PROGRAM:format "nil")
    assert.equal(0, status, errors)
    assert.matches("^false%s+the Lua module 'cjson' writes broken text in this program", output)
  end)

  it("comes from the editor then", function()
    local status, _, output, errors = process.run(PROGRAM:format "{ json = whole }")
    assert.equal(0, status, errors)
    assert.matches("^true", output)
  end)

  it("names what is missing where there is none", function()
    local _, _, output = process.run [[
      package.preload.cjson = function() error "no file here" end
      print(pcall(require, "confidentai.core"))
    ]]
    assert.matches("no file here", output, 1, true)
  end)
end)
