-- SPDX-License-Identifier: Apache-2.0
-- What an operator reads when a rotation, or `ensure`, is refused, for every cause that there is: nothing was changed,
-- and every command that is printed works and leads on.

local folders = require "spec.folders"
local rotating = require "spec.cli.rotating"

-- Commands that show something, and change nothing.
local LOOKS = { "confidentai keys list", "confidentai keys get", "confidentai identify", "confidentai rotate status",
  "ps " }

describe("a refusal:", function()
  local r = rotating.register()
  local s = r.scene
  local scenarios = require "spec.cli.refusing"(s)

  local function line_of(words)
    local list = { "confidentai" }
    for i, word in ipairs(words) do
      list[i + 1] = "'" .. word .. "'"
    end
    if words[1] == "rotate" then
      list[#list + 1] = ("--state-dir '%s'"):format(s:path "state")
    end
    return table.concat(list, " ")
  end

  local function is_look(line)
    for _, look in ipairs(LOOKS) do
      if line:sub(1, #look) == look then
        return true
      end
    end
    return false
  end

  -- The commands below the message, and all of it.
  local function told(line, status)
    local result = r:paste("STATE_DIRECTORY='" .. s:path "state" .. "' " .. line)
    assert.equal(status, result.status, line .. "\n" .. result.output .. result.errors)
    local list = {}
    for command in result.errors:gmatch "\n    ([^\n]+)" do
      list[#list + 1] = command
    end
    return list, result.errors
  end

  -- A command that has to answer a question, or to be given a secret, is helped.
  local function run(line)
    line = line:gsub("(confidentai keys d%l+)", "%1 --yes")
    if line:find("--ask-old-secret", 1, true) then
      s:write("asked", s.service.projects[1].api_key .. "\n")
      line = line:gsub("%-%-ask%-old%-secret", "--old-secret-file " .. s:path "asked")
    end
    local result = r:paste("export STATE_DIRECTORY='" .. s:path "state" .. "'; " .. line)
    return result
  end

  -- `identify` tells of a secret that belongs to no key by its status, too.
  local function assert_works(line, result, text)
    local is_told = line:find("confidentai identify", 1, true) and result.status == 1 and result.output ~= ""
    assert.is_true(result.status == 0 or is_told or false, line .. "\n" .. result.output .. result.errors .. text)
  end

  local seen = {}

  for name, scenario in pairs(scenarios) do
    local of = type(scenario) == "table" and scenario or { run = scenario }
    seen[name:match "^[%l_]+"] = true

    it(name, function()
      r:set_clock()
      local line = line_of(of.run())
      r:set_clock()
      local before = #s:changes()
      local list, text = told(line, of.status or 6)
      assert.equal(before, #s:changes(), text)
      assert.is_true(of.silent or #list > 0, text)
      local kept, leads = r:keep(), of.looks or of.silent
      for _, each in ipairs(list) do
        r:go_back(kept)
        assert_works(each, run(each), text)
        leads = leads or not is_look(each)
      end
      assert.is_true(leads, text)
      r:forget(kept)
    end)
  end

  it("there is no other cause in the code", function()
    local known = {}
    for _, path in ipairs(folders.find("lua/confidentai/rotation", "-name", "*.lua")) do
      local text = folders.read(path):gsub("%s+", " ")
      for _, pattern in ipairs { 'refusals%.make%( ?"([%l_]+)"', 'refuse%( ?"([%l_]+)"', 'of_rotation%( ?"([%l_]+)"',
        'err%.cause, err%.ways = "([%l_]+)"' } do
        for cause in text:gmatch(pattern) do
          known[cause] = path
        end
      end
    end
    for cause, path in pairs(known) do
      assert.is_true(seen[cause] or false, ("no scenario is refused by the cause %s of %s"):format(cause, path))
    end
    for cause in pairs(seen) do
      assert.is_truthy(known[cause] or cause == "verb", "nothing is refused by the cause " .. cause)
    end
  end)
end)
