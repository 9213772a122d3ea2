-- SPDX-License-Identifier: Apache-2.0
-- `confidentai manual`: it has everything, and troff has nothing to say against it.

local cli = require "confidentai.cli"
local command = require "spec.cli.command"
local core = require "confidentai.core"
local folders = require "spec.folders"
local process = require "spec.process"
local status = require "confidentai.cli.status"

describe("confidentai manual", function()
  local folder = folders.each()
  local roff

  setup(function()
    local result = command.run(nil, { "manual" })
    assert.same({ 0, "" }, { result.status, result.errors })
    roff = result.output
  end)

  -- What a reader sees, without the escapes.
  local function text()
    local plain = roff:gsub("\\f[BIR]", ""):gsub("\\%-", "-"):gsub("\\%(aq", "'"):gsub("\\%(ti", "~"):gsub("\\&", "")
    return plain
  end

  local function section(title)
    local from = assert(text():find("\n.SH " .. title .. "\n", 1, true), title)
    return text():sub(from, (text():find("\n.SH ", from + 1, true) or #text() + 1) - 1)
  end

  it("is a page that troff takes", function()
    local path = folder.path .. "/confidentai.1"
    folders.write(path, roff)
    for _, line in ipairs { { "groff", "-man", "-ww", "-Tutf8", "-z" }, { "mandoc", "-T", "lint", "-W", "warning" },
      { "man", "--warnings=w", "--local-file" } } do
      local name = table.remove(line, 1)
      line[#line + 1] = path
      if process.start("sh", { "-c", "command -v " .. name }):wait(5000) == 0 then
        local code, _, output, errors = process.start(name, line, { LD_PRELOAD = false, LC_ALL = "C.UTF-8" }):finish()
        assert.same({ 0, "" }, { code, errors }, output)
      end
    end
    assert.is_truthy(roff:find('\n.TH CONFIDENTAI 1 "" "confidentai ' .. core._VERSION .. '" ', 1, true))
  end)

  it("shows no line as a request that is none", function()
    for line in roff:gmatch "\n([.'][^\n]*)" do
      assert.is_truthy(line:find '^%.\\"' or line:find "^%.[ST]H " or line:find "^%.SS " or line:find "^%.[TP]P$"
        or line:find "^%.[nf][fi]$" or line:find "^%.R[SE]", line)
    end
  end)

  it("takes no text for an escape or a request", function()
    local text_of = require("confidentai.cli.roff").text
    assert.equal("\\&.TH a\\e\\-b\n\\&.x \\(aqc\\(aq \\(tid e.g.", text_of ".TH a\\-b\n.x 'c' ~d e.g.")
  end)

  it("has every verb, argument, option and example", function()
    local commands, common = section "COMMANDS", section "COMMON OPTIONS"
    for _, noun in ipairs(cli.parser(require "argparse", true)._commands) do
      for _, leaf in ipairs(#noun._commands > 0 and noun._commands or { noun }) do
        local name = leaf:_get_fullname()
        assert.is_truthy(section("SYNOPSIS"):find("\n" .. name .. " ", 1, true), name)
        local from = assert(commands:find("\n.SS " .. name .. "%f[^%w]"), name)
        local part = commands:sub(from, (commands:find("\n.SS ", from + 1, true) or #commands + 1) - 1)
        for _, argument in ipairs(leaf._arguments) do
          assert.is_truthy(part:find("\n" .. argument._name .. "\n", 1, true), name .. " " .. argument._name)
        end
        for _, option in ipairs(leaf._options) do
          local alias = option._aliases[1]
          local entry = "\n" .. alias:gsub("%-", "%%-") .. "[, \n]"
          assert.equal(not option._hidden, (part .. common):find(entry) ~= nil, name .. " " .. alias)
        end
        for example in leaf._epilog:gmatch "\n  ([^\n]+)" do
          assert.is_truthy(part:find("\n" .. example .. "\n", 1, true), example)
        end
      end
    end
  end)

  it("has the exit statuses of docs/command.md", function()
    local rows = 0
    for code, what in folders.read("docs/command.md"):match("\n## Exit codes\n(.-)\n## "):gmatch
      "\n| ([%d, ]+) | ([^\n]+) |" do
      local said = section("EXIT STATUS"):match("\n" .. code .. "\n([^\n]+)")
      assert.is_string(said, code)
      local function plain(words) return (words:lower():gsub("[^%w]", "")) end
      assert.equal(plain(what), plain(said:gsub("\\%(ga", "")))
      rows = rows + 1
    end
    for _ in pairs(status) do
      rows = rows - 1
    end
    assert.equal(0, rows) -- a row for the signals, and the function `of`
  end)

  it("names every variable of the environment that is read", function()
    local environment, count = section "ENVIRONMENT", 0
    local _, _, sources = process.start("sh", { "-c",
      "cat $(find lua/confidentai -name '*.lua' ! -path '*/sandbox/*') src/core/*.c src/lua/*.c" },
      { LD_PRELOAD = false }):finish()
    for _, pattern in ipairs { 'getenv%(?%s?"([%w_]+)"', 'environment%.get "([%w_]+)"',
      '"(%a+_[pP][rR][oO][xX][yY])"' } do
      for name in sources:gmatch(pattern) do
        assert.is_truthy(environment:find("%f[%w_]" .. name .. "%f[^%w_]"), name)
        count = count + 1
      end
    end
    assert.is_true(count > 20, count)
  end)
end)
