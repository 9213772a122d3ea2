-- SPDX-License-Identifier: Apache-2.0
-- A person makes a key that has the very name of a rotation's new key: it is the person's, and is never changed. And
-- how long a late create of our own is waited for.

local confidentai = require "confidentai"
local job = require "confidentai.rotation.job"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("a key that a person made with the name of the new key", function()
  local s = scene.register { projects = { "web" } }

  -- Makes it right after an event of the rotation: an observer's time to act.
  local function namesake_after(what)
    local made
    return function(event)
      if event.what == what and not made then
        s:pass(5)
        made = check(s:keys():create(s:record().new.name))
      end
    end
  end

  local function assert_untouched(id)
    local _, by_id = s:on_service()
    assert.is_table(by_id[id])
    assert.is_true(by_id[id].valid)
    for _, change in ipairs(s:changes()) do
      assert.is_nil(change:find("^%u+ " .. id .. " ") or change:find("^DELETE " .. id .. "$"), change)
    end
    assert.is_true(by_id["1"].valid) -- the rotation waits for somebody to decide
  end

  for _, what in ipairs { "created", "counted", "proven", "published" } do
    it("after '" .. what .. "' is never disabled or deleted", function()
      s:rotate { soak = DAY, adoption = "time", on_step = namesake_after(what) }
      local rotation = s:open()
      for _ = 1, 4 do
        s:pass(DAY)
        rotation:advance()
        assert_untouched "3"
      end
      assert.equal("conflict", rotation.state)
      check(s:keys():disable(3))
      assert.equal("done", (rotation:advance()))
      local _, by_id = s:on_service()
      assert.is_table(by_id["3"])
    end)

    it("after '" .. what .. "' stays when the rotation goes back", function()
      s:rotate { soak = DAY, adoption = "time", on_step = namesake_after(what) }
      local rotation = s:open()
      rotation:rollback()
      for _ = 1, 10 do
        s:pass(DAY)
        rotation:advance()
        assert_untouched "3"
      end
    end)
  end
end)

describe("a time that has passed", function()
  it("is a second longer than what it is compared with, as clocks show whole seconds only", function()
    local now = 1000
    local subject = job.reader({}, "records/x", {}, { clock = function() return now end })
    local mark = subject:mark()
    for _, seconds in ipairs { 1, 10, 60 } do
      now = 1000 + seconds
      assert.is_false(subject:has_passed(mark, seconds), seconds)
      now = now + 1
      assert.is_true(subject:has_passed(mark, seconds), seconds)
    end
    assert.is_true(subject:has_passed(mark, 0))
  end)
end)
