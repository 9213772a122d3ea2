-- SPDX-License-Identifier: Apache-2.0
-- No secret reaches any output that was not asked for it: every verb, every format, with --verbose, with answers that
-- quote secrets where none belong, and at a terminal.

local cli = require "confidentai.cli"
local command = require "spec.cli.command"
local core = require "confidentai.core"
local tools = require "spec.sandbox.support"
local support = require "spec.support"
local verbs = require "spec.cli.verbs"

describe("no secret is shown", function()
  local service = support.service()
  local place

  before_each(function()
    place = { service = service, folder = tools.temporary_folder(), project = service.projects[1].id }
    assert(core.file.make_folder(place.folder .. "/state"))
  end)
  after_each(function() tools.remove_folder(place.folder) end)

  local function run(entry, more, options)
    options = options or {}
    options.shell = options.columns == nil and entry.shell or nil
    options.variables = { STATE_DIRECTORY = place.folder .. "/state" }
    local words = entry.words(place)
    if options.before then
      options.before()
    end
    for _, word in ipairs(entry.plain and {} or more) do
      words[#words + 1] = word
    end
    local result = command.run(service, words, options)
    assert.is_nil(result.errors:find "traceback", result.errors)
    assert.is_true(not entry.plain or result.status == 0, result.errors)
    return result
  end

  -- Every secret that there is or was: of the sandbox's keys now, and of those that it made meanwhile.
  local function secrets(before)
    local found = { service.api_key }
    for _, list in ipairs { before, assert(service:state()).keys } do
      for _, key in ipairs(list) do
        found[#found + 1] = key.value
      end
    end
    return found
  end

  -- How many secrets a text holds: whole, or most of one.
  local function count(text, list)
    local hits = {}
    for _, secret in ipairs(list) do
      local random = secret:match "_([^_]+)$"
      for at = 1, #random - 15, 8 do
        if text:find(random:sub(at, at + 15), 1, true) then
          hits[secret] = true
        end
      end
    end
    local total = 0
    for _ in pairs(hits) do
      total = total + 1
    end
    return total
  end

  local function check(entry, more, options)
    local before = assert(service:state()).keys
    local result = run(entry, more, options)
    local list = secrets(before)
    local label = entry.verb .. " " .. table.concat(more, " ")
    assert.is_true(count(result.output, list) <= (entry.asked and 1 or 0), label .. ": " .. result.output)
    assert.equal(0, count(result.errors, list), label)
    return result
  end

  for i, entry in ipairs(verbs) do
    it(("by %s (%d)"):format(entry.verb, i), function()
      for _, format in ipairs { "table", "json", "jsonl", "csv" } do
        assert(service:reset())
        os.remove(place.folder .. "/key")
        check(entry, { "--verbose", "--output", format })
      end
    end)

    it(("by %s (%d) when the service quotes secrets"):format(entry.verb, i), function()
      for _, status in ipairs { 400, 501 } do -- neither is tried again
        assert(service:reset())
        local quoting = ("no key %s, nor %s\27[2J"):format(service.api_key, service.projects[1].api_key)
        local result = check(entry, { "--verbose", "--timeout", "2" }, { before = function()
          service:fault { type = "status", status = status, body = { success = false, error = quoting,
            link = "https://example.com/?key=" .. service.api_key } }
        end })
        assert.is_nil(result.errors:find "\27")
      end
    end)
  end

  it("at a terminal, but by `keys create`, which is for that", function()
    for _, entry in ipairs(verbs) do
      if not entry.shell and entry.verb ~= "keys create" then
        assert(service:reset())
        check(entry, { "--verbose" }, { columns = 100 })
      end
    end
  end)

  it("and every verb is tried", function()
    local parser = cli.parser(require "argparse", true)
    local tried = {}
    for _, entry in ipairs(verbs) do
      tried[entry.verb] = true
    end
    for _, noun in ipairs(parser._commands) do
      if noun._name ~= "sandbox" then -- which exists to show secrets that are none
        for _, verb in ipairs(#noun._commands > 0 and noun._commands or { { _name = "" } }) do
          local name = (noun._name .. " " .. verb._name):gsub(" $", "")
          assert.is_true(tried[name], name .. " is missing in spec/cli/verbs.lua")
        end
      end
    end
  end)
end)
