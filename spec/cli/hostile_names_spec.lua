-- SPDX-License-Identifier: Apache-2.0
-- Names and messages of others: whatever is in them, a terminal is not told to do anything by them, no row is wider
-- than it, and programs get them as they are.

local command = require "spec.cli.command"
local folders = require "spec.folders"
local process = require "spec.process"
local support = require "spec.support"

local char = string.char

-- What must not reach a terminal: C0 but for line ends, DEL, C1, directions, line ends of Unicode, no width.
local FORBIDDEN = { "[%z\1-\9\11\12\14-\31\127]", "\194[\128-\159\173]", "\216\156", "\226\128[\139-\143\168-\174]",
  "\226\129[\160-\175]", "\239\187\191", "\225\160\142", "\243\160[\128-\191][\128-\191]" }

local function hostile_characters()
  local list = { "\127", "\194\155", "\194\133", "\194\157", "\194\173", "\216\156", "\239\187\191", "\225\160\142",
    "\243\160\128\129" }
  for byte = 1, 31 do
    list[#list + 1] = char(byte)
  end
  for _, last in ipairs { 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE } do
    list[#list + 1] = "\226\128" .. char(last)
  end
  for last = 0xA0, 0xAF do
    list[#list + 1] = "\226\129" .. char(last)
  end
  return list
end

local function check_shown(text)
  text = text:gsub("\27%[%d*m", ""):gsub("\r\n", "\n"):gsub("^\4\8\8", "")
  text = text:gsub("\r%a+ %a+ %[[#.]*%] %d+/%d+", ""):gsub("\r\27%[K", "") -- the bar that a slow machine shows
  for _, pattern in ipairs(FORBIDDEN) do
    local at = text:find(pattern)
    assert.is_nil(at, at and ("%q"):format(text:sub(math.max(at - 60, 1), at + 20)))
  end
end

-- The columns that a row takes: what the names of this spec have of wide characters takes two.
local function width(row)
  local count = 0
  for character in row:gmatch "[^\128-\191][\128-\191]*" do
    count = count + ((character:find "^[\227-\237]" or character:find "^\240\159[\142-\164]") and 2 or 1)
  end
  return count
end

describe("a name of somebody else", function()
  local service = support.service()
  local folder = folders.each()

  local function create(name)
    local key = support.client(service):project(service.projects[1].id).api_keys:create(name)
    return ("%d"):format(key.id)
  end

  local function at_terminal(words, options)
    options = options or {}
    options.columns = options.columns or 80
    local result = command.run(service, words, options)
    check_shown(result.output)
    return result.output
  end

  local project

  local function about(...)
    local words = { ... }
    words[#words + 1], words[#words + 2] = "--project", project
    return words
  end

  before_each(function() project = service.projects[1].id end)

  it("with every control character tells a terminal nothing, in any verb and any format", function()
    local name = "x" .. table.concat(hostile_characters(), "y") .. "z"
    local id = create(name)
    for _, format in ipairs { "table", "csv", "json", "jsonl" } do
      at_terminal(about("keys", "list", "--no-color", "-o", format))
      at_terminal(about("keys", "get", id, "--no-color", "-o", format))
    end
    at_terminal(about("keys", "find", name))
    at_terminal(about("keys", "disable", id))
    local asked = at_terminal(about("keys", "delete", id), { input = "n\n" })
    assert.is_truthy(asked:find("Delete it for good? [y/N]", 1, true), asked)
    at_terminal { "audit", "--max-age", "0d", "--unused", "0d", "--no-color" }
    at_terminal(about("rotate", "start", id, "--store", "file:" .. folder.path .. "/key", "--dry-run",
      "--state-dir", folder.path))
    at_terminal { "keys", "get", name }
    at_terminal { name }
    at_terminal { "keys", "list", "--" .. name }
    at_terminal { "keys", "list", "--profile", name }
    at_terminal { "identify", "--file", folder.path .. "/" .. name }
  end)

  it("stands in one line of standard error, and cannot make up another", function()
    local id = create "a\nconfidentai: key 3 was deleted"
    local result = command.run(service, about("keys", "delete", id), {})
    assert.equal(6, result.status)
    assert.is_nil(result.errors:find("\nconfidentai: key 3", 1, true), result.errors)
  end)

  it("reaches programs as it is: in JSON, escaped, and in CSV", function()
    local name = "a\27[2J\194\155\226\128\174\226\128\139\239\184\143 日本 \243\160\128\129z"
    create(name)
    for _, format in ipairs { "json", "jsonl" } do
      local text = command.run(service, about("keys", "list", "-o", format)).output
      check_shown(text)
      local list = format == "json" and command.json(text) or command.lines(text)
      assert.equal(name, list[#list].name)
    end
    local list = command.csv(command.run(service, about("keys", "list", "-o", "csv")).output)
    assert.equal(name, list[#list].name)
  end)

  it("is no formula of a spreadsheet; numbers stay numbers", function()
    for _, name in ipairs { "=HYPERLINK(1)", "+1+1", "-rf", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "－1+1", "-1",
      "-2.5", "plain" } do
      local id = create(name)
      local list = command.csv(command.run(service, about("keys", "get", id, "-o", "csv")).output)
      local harmless = name:find "^%-[%d.]+$" or name == "plain"
      assert.equal(harmless and name or "'" .. name, list[1].name)
    end
  end)

  it("of wide characters makes no row wider than the terminal, and columns stay in line", function()
    create(("日本語キー"):rep(12))
    create(("🔑🔒 ключ"):rep(8))
    create(("한글"):rep(30))
    for _, columns in ipairs { 80, 81, 100 } do
      local text = at_terminal(about("keys", "list", "--no-color"), { columns = columns })
      local at
      for row in text:gmatch "[^\n]+" do
        assert.is_true(width(row) <= columns, width(row) .. " columns: " .. row)
        local before = row:match "^(.-)enabled" or row:match "^(.-)STATE"
        at = at or before and width(before)
        assert.equal(at, before and width(before), row)
      end
    end
  end)

  it("in bytes that are no UTF-8 leaves JSON that is", function()
    folders.write(folder.path .. "/put", "#!/bin/sh\nprintf 'caf\\351\\233[2J' >&2\nexit 1\n", 493)
    for _, format in ipairs { "json", "table" } do
      local result = command.run(service, { "keys", "create", "ci", "--store", "exec:true", "--store-check",
        folder.path .. "/put", "-o", format },
        { variables = { STATE_DIRECTORY = folder.path .. "/state" } })
      assert.is_true(require("confidentai.core").is_utf8(result.output .. result.errors), result.errors)
      assert.is_truthy(result.errors:find("caf", 1, true), result.errors)
      result = command.run(service, { "identify", "--file", folder.path .. "/caf\233", "-o", format })
      assert.is_true(require("confidentai.core").is_utf8(result.errors), result.errors)
      assert.is_truthy(result.errors:find("caf", 1, true), result.errors)
    end
  end)

  it("has one way to a terminal: nothing of the command writes by itself", function()
    local find = process.start("grep", { "-rnE", "io\\.(stderr|stdout|write)|[^%w_.]print\\(", "lua/confidentai/cli" })
    local _, _, found = find:finish()
    for line in found:gmatch "[^\n]+" do
      assert.is_truthy(line:find "^lua/confidentai/cli/terminal.lua:", line)
    end
  end)
end)
