-- SPDX-License-Identifier: Apache-2.0
-- Help: of every command and verb, with examples that are right.

local cli = require "confidentai.cli"
local command = require "spec.cli.command"
local shell_words = require "confidentai.cli.shell_words"

describe("--help", function()
  local parser = cli.parser(require "argparse", true)

  local function each(of, path, visit)
    visit(of, path)
    for _, child in ipairs(of._commands) do
      each(child, path .. " " .. child._name, visit)
    end
  end

  it("of every command has a summary and an example that begins with its words", function()
    each(parser, "confidentai", function(of, path)
      local help = of:get_help()
      assert.is_truthy(help:find("Example", 1, true), path)
      assert.is_truthy(of._epilog:find("\n  " .. path, 1, true), path)
      assert.is_true(#of._description > 0 or of == parser, path)
      for line in help:gmatch "[^\n]+" do
        assert.is_true(#line <= 80, line)
      end
    end)
  end)

  it("has examples that parse", function()
    each(parser, "confidentai", function(of)
      for example in of._epilog:gmatch "\n  (confidentai[^\n]*)" do
        local line = example:gsub("%s+#.*", ""):gsub("|.*", ""):gsub("%d?>%S+", ""):gsub("&&.*", "")
        local list = assert(shell_words.split(line), example)
        table.remove(list, 1)
        assert.is_true(parser:pparse(list), example)
      end
    end)
  end)

  it("goes to standard output, with status 0, at each level, without a key", function()
    for _, list in ipairs { { "--help" }, { "keys", "--help" }, { "keys", "create", "-h" }, { "whoami", "--help" } } do
      local result = command.run(nil, list)
      assert.same({ 0, "" }, { result.status, result.errors })
      assert.is_truthy(result.output:find "^Usage: confidentai")
    end
  end)

  it("names the exit codes", function()
    assert.is_truthy(parser:get_help():find("Exit codes", 1, true))
  end)

  it("loads neither the core nor libcurl", function()
    for _, noun in ipairs(parser._commands) do
      local result = command.run(nil, { noun._name, "--help" }, { variables = { LUA_CPATH = "/nonexistent/?.so" } })
      assert.equal(0, result.status, result.errors)
    end
  end)
end)
