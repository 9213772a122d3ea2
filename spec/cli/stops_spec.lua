-- SPDX-License-Identifier: Apache-2.0
-- What an operator reads when a rotation has stopped: every command that is printed is pasted into a shell, and has to
-- lead out of that stop.

local command = require "spec.cli.command"
local files = require "spec.files"
local rotating = require "spec.cli.rotating"
local shell = require "spec.docs.shell"
local state_folder = require "confidentai.state"
local support = require "spec.support"

local DAY = 86400

describe("a rotation that has stopped:", function()
  local r = rotating.register()
  local s = r.scene

  local function keys()
    local client = support.client(s.service)
    return client:project(s.service.projects[1].id).api_keys
  end

  local function advance()
    r:run { "rotate", "advance" }
  end

  -- How each stop comes about; the machine's own time is used, so that records are made older.
  local stops = {
    ["nobody has taken the new key over"] = function()
      r:start("--adoption", "confirm", "--soak-max", "1d")
      r:age(2 * DAY)
    end,
    ["the new key was disabled"] = function()
      r:start()
      assert(keys():disable(2))
    end,
    ["the new key was disabled in the grace period"] = function()
      r:start("--soak", "0")
      assert(keys():disable(2))
    end,
    ["a store was written by hand"] = function()
      r:start()
      s:store()
    end,
    ["a store was written by hand in the grace period"] = function()
      r:start("--soak", "0")
      s:store()
    end,
    ["the old key was enabled again"] = function()
      r:start("--soak", "0")
      assert(keys():enable(1))
    end,
    ["the store is on another machine"] = function()
      r:start()
      s:edit(function(record) record.stores[1].host = "web-7" end)
    end,
    ["the pending secret is damaged"] = function()
      r:start()
      for _, path in ipairs(s:state_files()) do
        if path:find("/escrows", 1, true) then
          files.write(path, "nonsense")
        end
      end
    end,
  }

  local function reset()
    s.service:reset()
    for _, path in ipairs(s:state_files()) do
      os.remove(path)
    end
  end

  -- The lines for a shell that status prints.
  local function printed()
    local text, list = r:done { "rotate", "status", s:record().id }, {}
    for line in text:gmatch "\n    ([^\n]+)" do
      list[#list + 1] = line
    end
    assert.is_true(#list > 0, text)
    assert.matches("\nIt has stopped: [^\n]+", text)
    assert.matches("\nOld key 1 ends in ...... and [^\n]+; [^\n]+ %(as of [%d-]+ [%d:]+ UTC%)", text)
    return list, text
  end

  local function run(line)
    line = line:gsub("(confidentai keys disable)", "%1 --yes") -- its question is answered
    return command.run(s.service, {}, { shell = line, variables = { PATH = s.folder .. ":" .. os.getenv "PATH",
      LD_PRELOAD = false } })
  end

  for name, stop in pairs(stops) do
    it(name, function()
      shell.prepare(s.folder)
      stop()
      advance()
      local before = s:record()
      assert.is_string(before.stop, "it has not stopped")
      for i = 1, #(printed()) do
        if i > 1 then
          reset()
          stop()
          advance()
        end
        local list, text = printed()
        local result = run(list[i])
        local after = s:record()
        assert.equal(0, result.status, list[i] .. "\n" .. result.errors .. text)
        assert.is_true(after.finished or after.stop ~= before.stop or after.cause ~= before.cause,
          ("%s: still %s\n%s"):format(list[i], tostring(after.stop), text))
        s:assert_no_secret(text)
      end
    end)
  end

  it("the commands that a rotation under way prints work, too", function()
    shell.prepare(s.folder)
    for _, words in ipairs { {}, { "--soak", "0" } } do
      local _ = assert(state_folder.find(s:path "state"))
      reset()
      local id = r:start((table.unpack or unpack)(words)).id -- luacheck: std max
      local count = 0
      for line in r:done({ "rotate", "status", id }):gmatch "\n    ([^\n]+)" do
        count = count + 1
        reset()
        local again = r:start((table.unpack or unpack)(words)).id -- luacheck: std max
        local result = run((line:gsub(id, again)))
        assert.equal(0, result.status, line .. "\n" .. result.errors)
      end
      assert.is_true(count >= 2)
    end
  end)
end)
