-- SPDX-License-Identifier: Apache-2.0
-- What an operator reads when a rotation has stopped, for every cause that there is: it is true, it says when both keys
-- were last used, and every command that is printed is pasted into a shell and leads out of that stop.

local causes = require "confidentai.rotation.causes"
local folders = require "spec.folders"
local rotating = require "spec.cli.rotating"

local DAY = 86400

describe("a rotation that has stopped:", function()
  local r = rotating.register()
  local s = r.scene
  local scenarios = require "spec.cli.stopping"(s)

  -- The lines for a shell that status prints, and all of it.
  local function printed(id)
    local result, list = r:paste(("confidentai rotate status %s --state-dir '%s'"):format(id, s:path "state")), {}
    local text = result.output
    assert.equal(0, result.status, result.errors)
    for line in text:gmatch "\n    ([^\n]+)" do
      list[#list + 1] = line
    end
    return list, text
  end

  local WORDS = { ["is disabled"] = false, ["works"] = true, ["is ENABLED"] = true, ["is DISABLED"] = false,
    ["is published"] = true }

  -- What the text says of a key agrees with the service.
  local function assert_true(text, which, id, scope)
    local said = text:match(("\n%s key %s ends in ([^\n]+)%%.\n"):format(which, id:gsub("%-", "%%-")))
    local _, by_id = s:on_service(scope)
    local key, last6 = by_id[id], said and said:match "^(......)"
    assert.is_string(said, text)
    assert.is_truthy(said:find "last used .+ %(as of [%d-]+ [%d:]+ UTC%)" or said:find "never used %(as of"
      or said:find "is gone %(as of" or said:find "is being removed", text)
    if not key then
      assert.is_truthy(said:find("is gone", 1, true) or said:find("is being removed", 1, true), text)
      return
    end
    assert.equal(key.value:sub(-6), last6)
    for words, works in pairs(WORDS) do
      if said:find(" and " .. words, 1, true) then
        assert.equal(works, key.valid, text)
      end
    end
    assert.is_nil(said:find("is gone", 1, true), text)
  end

  local function assert_text(text, record)
    assert.matches(record.finished and "\nIt has ended: [^\n]+[.?]\n" or "\nIt has stopped: [^\n]+[.?]\n", text)
    if record.old then
      assert_true(text, "Old", record.old.id, record.scope)
    end
    if record.new then
      assert_true(text, "New", record.new.id, record.scope)
    end
  end

  local function run(line)
    local result = r:paste((line:gsub("(confidentai keys d%l+)", "%1 --yes"))) -- its question is answered
    return result
  end

  -- The stop is left; an end is left by another rotation, or by what it had to remove.
  local function has_left(before)
    local left = false
    for _, after in ipairs(s:records()) do
      if after.id ~= before.id then
        left = left or not after.stop
      elseif before.finished then
        left = left or after.settled
      else
        left = left or after.finished or after.stop ~= before.stop or after.cause ~= before.cause
      end
    end
    return left
  end

  -- Until when what may come late, and what is watched, is looked at.
  local function wait_for_end(line)
    if line:find("rotate advance", 1, true) then
      s:pass(2 * DAY)
      r:set_clock()
    end
  end

  local seen = {}

  for name, scenario in pairs(scenarios) do
    local cause = name:match "^[%l_]+"
    seen[cause] = true
    local bring_about = type(scenario) == "table" and scenario.run or scenario
    local mend = type(scenario) == "table" and scenario.mend or function() end
    local silent = type(scenario) == "table" and scenario.silent

    it(name, function()
      bring_about()
      r:set_clock()
      local before = s:record()
      assert.equal(cause, before.cause, before.reason)
      local list, text = printed(before.id)
      assert_text(text, before)
      assert.equal(silent and 0 or #list, #list, text)
      assert.is_true(silent or #list > 0, text)
      local kept = r:keep()
      for _, line in ipairs(list) do
        r:go_back(kept)
        mend()
        if before.finished then
          wait_for_end(line)
        end
        local result = run(line)
        local unshown = result.errors:find("it was not shown that the compromised secret is refused", 1, true)
        assert.equal(unshown and 5 or 0, result.status, line .. "\n" .. result.output .. result.errors .. text)
        assert.is_true(has_left(before), line .. " does not lead out of it\n" .. result.output .. text)
      end
      r:forget(kept)
    end)
  end

  it("there is no other cause in the code, and every cause is one", function()
    local named = {}
    for _, path in ipairs(folders.find("lua/confidentai/rotation", "-name", "*.lua")) do
      local text = path:find "/causes.lua$" and "" or folders.read(path)
      for quoted in text:gmatch '"([%l_]+)"' do
        named[quoted] = true
      end
      for halt in text:gmatch 'halt%("([%l_]+)"' do
        assert.is_table(causes.list[halt], path .. ": " .. halt)
      end
    end
    local page = folders.read "docs/rotation.md"
    for cause in pairs(causes.list) do
      assert.is_truthy(page:find("`" .. cause .. "`", 1, true), cause .. " is not on the page")
      assert.is_true(seen[cause] or false, "no scenario stops by the cause " .. cause)
      assert.is_true(named[cause] or false, "nothing halts by the cause " .. cause)
    end
    assert.has_error(function() require("confidentai.rotation.job").new(s:client(), s:keys(), {}):halt "no_cause" end)
  end)

  it("the commands that a rotation under way prints work, too", function()
    for _, soak in ipairs { DAY, 0 } do
      s.service:reset()
      os.execute(("rm -rf '%s'"):format(s:path "state"))
      local rotation = assert(s:rotate { soak = soak, grace = DAY })
      r:set_clock()
      local list, kept = printed(rotation.id), r:keep()
      assert.is_true(#list >= 2)
      for _, line in ipairs(list) do
        r:go_back(kept)
        local result = run(line)
        assert.equal(0, result.status, line .. "\n" .. result.errors)
      end
      r:forget(kept)
    end
  end)
end)
