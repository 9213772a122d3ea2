-- SPDX-License-Identifier: Apache-2.0
-- The command at a terminal: tables that fit, colours, questions, and the secret after everything else.

local command = require "spec.cli.command"
local support = require "spec.support"

local function longest_line(text)
  local longest = 0
  for line in text:gsub("\27%[%d*m", ""):gmatch "[^\n]+" do
    longest = math.max(longest, select(2, line:gsub("[^\128-\191]", "")))
  end
  return longest
end

describe("at a terminal", function()
  local service = support.service()

  local function run(words, options)
    options = options or {}
    options.columns = options.columns or 80
    return command.run(service, words, options)
  end

  it("a table fits, with long names cut", function()
    support.client(service):organization().api_keys:create(("nämé"):rep(40))
    for _, columns in ipairs { 100, 80 } do
      local text = run({ "keys", "list" }, { columns = columns }).output
      assert.is_true(longest_line(text) <= columns, text)
      assert.is_truthy(text:find("…", 1, true))
    end
    assert.is_nil(run({ "keys", "list" }, { columns = 300 }).output:find("…", 1, true))
    assert.is_true(longest_line(run({ "keys", "list" }, { columns = 80, variables = { COLUMNS = "90" } }).output) > 80)
  end)

  it("where it is narrow masks go before names, and the widest is cut first", function()
    local api_keys = support.client(service):project(service.projects[1].id).api_keys
    api_keys:create "a-name-of-some-length"
    local mask = support.keys_named(service, "a-name-of-some-length")[1].value:sub(-6)
    local words = { "keys", "find", "a-name-of-some-length", "--project", service.projects[1].id, "--no-color" }
    local text = run(words, { columns = 74 }).output
    assert.is_truthy(text:find("a-name-of-some-length  enabled  …" .. mask .. " ", 1, true), text)
    assert.is_truthy(run(words, { columns = 100 }).output:find("  ***************" .. mask, 1, true))
    words[4], words[5], words[6] = "--all-projects", "--no-color", nil
    text = run(words, { columns = 80 }).output
    local project, name = text:match "\n(%S+)… +%d+ +(%S+)… +enabled"
    assert.is_truthy(project and math.abs(#project - #name) <= 1, text)
  end)

  it("the one key that a secret is of is shown whole", function()
    for _, words in ipairs { { "identify" }, { "identify", "--scan", "--file", "/dev/stdin" } } do
      local input = service.projects[1].api_key .. "\n" .. (words[2] and "\4" or "")
      local result = run(words, { input = input, columns = 60 })
      assert.is_truthy(result.output:find("PROJECT[^\n]*" .. service.projects[1].id .. "\r?\n"), result.output)
      assert.is_nil(result.output:find("…", 1, true))
    end
  end)

  it("there is colour, unless it is not wanted", function()
    assert.is_truthy(run({ "keys", "list" }).output:find "\27%[1mID")
    assert.is_nil(run({ "keys", "list", "--no-color" }).output:find "\27")
    assert.is_nil(run({ "keys", "list" }, { variables = { NO_COLOR = "1" } }).output:find "\27")
    for _, term in ipairs { "dumb", "", false } do
      assert.is_nil(run({ "keys", "list" }, { variables = { TERM = term } }).output:find "\27")
    end
    assert.is_nil(run({ "keys", "list", "-o", "json" }).output:find "\27")
    assert.is_truthy(run({ "keys", "list" }, { variables = { NO_COLOR = "" } }).output:find "\27")
  end)

  it("the secret comes last, after a word about it", function()
    local result = run { "keys", "create", "ci" }
    assert.equal(0, result.status, result.output)
    local secret = support.keys_named(service, "ci")[1].value
    assert.equal(secret, result.output:match "\n(%S+)\n$")
    assert.is_truthy(result.output:find("shown only once", 1, true))
    assert.equal(1, select(2, result.output:gsub(secret:gsub("%p", "%%%0"), "")))
  end)

  it("the secret is a field of the other formats", function()
    local result = run { "keys", "create", "ci", "--output", "json" }
    assert.equal(support.keys_named(service, "ci")[1].value, command.json(result.output).secret)
  end)

  it("a delete is asked about", function()
    local project = service.projects[1].id
    local words = { "keys", "delete", "1", "--project", project }
    local result = run(words, { input = "n\n" })
    assert.equal(6, result.status)
    assert.is_truthy(result.output:find("Delete it for good?", 1, true))
    assert.is_truthy(result.output:find("nothing was changed", 1, true))
    assert.equal(6, run(words, { input = "" }).status)
    assert.is_table(support.key_on_service(service, "project", 1, project))
    result = run(words, { input = "y\n" })
    assert.equal(0, result.status, result.output)
    assert.is_nil(support.key_on_service(service, "project", 1, project))
  end)

  it("a disable is asked about when the key was used within a day, and only then", function()
    local client = support.client(service)
    local busy = client:organization().api_keys:create "busy"
    support.client(service, { api_key = busy.value }):whoami()
    local result = run({ "keys", "disable", "2" }, { input = "" })
    assert.equal(0, result.status, result.output)
    local id = ("%d"):format(busy.id)
    result = run({ "keys", "disable", id }, { input = "no\n" })
    assert.equal(6, result.status)
    assert.is_truthy(result.output:find "last used just now" or result.output:find "last used %d+ second")
    assert.is_true(support.key_on_service(service, "organization", id).valid)
    assert.equal(0, run({ "keys", "disable", id }, { input = "yes\n" }).status)
    assert.is_false(support.key_on_service(service, "organization", id).valid)
    busy = client:organization().api_keys:create "busy too"
    support.client(service, { api_key = busy.value }):whoami()
    service:set_clock(2 * 86400) -- so that the next use is of the day after tomorrow
    assert.equal(0, run({ "keys", "disable", ("%d"):format(busy.id), "--yes" }).status)
  end)
end)
