-- SPDX-License-Identifier: Apache-2.0
-- A cjson that writes broken text, as Debian's does in a Neovim that has functions of the same names.

local process = require "spec.process"
local support = require "spec.support"

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

  it("comes from the editor there, which need not load cjson", function()
    local program = PROGRAM:gsub("package.loaded.cjson = ",
      "package.loaded.cjson, package.preload.cjson = nil, function() io.write 'loaded ' return whole end _G.x = ")
    local status, _, output, errors = process.run(program:format "{ json = whole }")
    assert.equal(0, status, errors)
    assert.matches("^true", output)
  end)

  describe("in a newer Neovim", function()
    local service = support.service()

    -- It has no settings, and a null of its own: https://github.com/neovim/neovim/blob/master/src/cjson/lua_cjson.c
    local NEWER = [[
      local whole = require "cjson"
      package.loaded.cjson, package.preload.cjson = nil, function() error "cjson is loaded" end
      local null = io.stdout
      local function convert(value)
        for name, each in pairs(type(value) == "table" and value or {}) do
          value[name] = each == whole.null and null or convert(each)
        end
        return value
      end
      local function new()
        local own = whole.new()
        return { new = new, encode = own.encode, decode = function(text) return convert(own.decode(text)) end }
      end
      vim = { json = new() }
      local confidentai = require "confidentai"
      vim = nil -- all else of an editor is not there
      local check = confidentai.check
      local client = check(confidentai.new { base_url = %q, api_key = %q, ca_file = %s })
      local keys = client:project(check(client.projects:list())[1].id).api_keys
      local list = check(keys:list())
      print(#list, list.unreadable, list[1].last_used, check(keys:create "made").has_secret)
    ]]

    it("reads what is null, and has no settings to make", function()
      local ca_file = service.ca_file and ("%q"):format(service.ca_file) or "nil"
      local status, _, output, errors = process.run(NEWER:format(service.base_url, service.api_key, ca_file))
      assert.equal(0, status, errors)
      assert.equal("1\tnil\tnil\ttrue\n", output)
    end)
  end)

  it("names what is missing where there is none", function()
    local _, _, output = process.run [[
      package.preload.cjson = function() error "no file here" end
      print(pcall(require, "confidentai.core"))
    ]]
    assert.matches("no file here", output, 1, true)
  end)
end)
