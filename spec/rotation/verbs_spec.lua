-- SPDX-License-Identifier: Apache-2.0
-- What a person may tell a rotation, and where it means nothing: confirm, republish, abandon.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("a rotation", function()
  local s = scene.register { projects = { "web" } }

  local function assert_refused(words, result, err)
    assert.is_nil(result)
    support.assert_error({ kind = "guard" }, err)
    assert.is_truthy(err.message:find(words, 1, true), err.message)
  end

  describe("takes a confirmation", function()
    it("only where it is asked for", function()
      local rotation = s:stuck_at_proven { soak = DAY }
      assert_refused("there is nothing to confirm now", rotation:confirm())
      assert.equal("soaking", (rotation:advance())) -- and the soak is not skipped
      check(rotation:confirm())
      rotation:advance()
      assert_refused("there is nothing to confirm", rotation:confirm())
    end)

    it("in grace for nothing: a later use is asked about again", function()
      local rotation = s:begin()
      s:pass(DAY + 2)
      assert.equal("grace", (rotation:advance()))
      assert_refused("there is nothing to confirm now", rotation:confirm())
    end)

    it("and what it resolves has stopped it no more", function()
      local rotation = s:begin { adoption = "confirm", soak_max = DAY }
      s:pass(DAY + 2)
      assert.equal("stalled", (rotation:advance()))
      check(rotation:confirm())
      assert.equal("soaking", rotation.state)
      assert.is_nil(rotation:status().reason)
      assert.equal("grace", (rotation:advance()))
    end)

    it("once: what is confirmed is not asked for again", function()
      local rotation = s:begin()
      check(rotation:confirm())
      local shown, events = rotation:status(), #s:record().history
      assert.is_nil(shown.text:find("rotate confirm", 1, true), shown.text)
      assert.matches("Next: the old key is disabled", shown.text)
      check(rotation:confirm())
      assert.equal(events, #s:record().history)
    end)

    it("for no conflict, which it would not resolve", function()
      local rotation = s:begin()
      check(s:keys():disable(2))
      assert.equal("conflict", (rotation:advance()))
      assert_refused("confirm does not resolve this: another process or person has disabled the new "
        .. "key", rotation:confirm())
    end)

    it("in a rollback not in place of a look at a store that can be read", function()
      local rotation = s:begin()
      assert_refused("there is nothing to confirm now", (function()
        check(rotation:rollback())
        local result, err = rotation:confirm()
        return result, err
      end)())
    end)
  end)

  describe("publishes again", function()
    it("into a store that somebody has changed, and soaks again", function()
      local rotation = s:begin()
      local secret = s:read "key"
      s:pass(DAY - 60)
      s:write("key", s.service.projects[1].api_key .. "\n")
      assert.equal("conflict", (rotation:advance()))
      assert.equal("soaking", (rotation:republish()))
      assert.equal(secret, s:read "key")
      s:pass(120)
      assert.equal("soaking", (rotation:advance()))
      s:pass(DAY)
      assert.equal("grace", (rotation:advance()))
      s:write("key", "")
      assert.equal("conflict", (rotation:advance()))
      assert.equal("grace", (s:open():republish()))
      assert.equal("2", s:holder().id)
    end)

    it("only a key that works", function()
      local rotation = s:begin()
      s:write("key", s.service.projects[1].api_key .. "\n")
      check(s:keys():disable(2))
      assert_refused("the new key is disabled", rotation:republish())
      check(s:keys():enable(2))
      s:fault { type = "status", operation = "annotation_queues", status = 401 }
      assert_refused("the service refuses the new key", rotation:republish())
      check(s:keys():delete(2))
      assert_refused("the new key is gone", rotation:republish())
      assert.equal("1", s:holder().id)
    end)

    local function changed_before()
      local foreign = "confident_us_proj_" .. ("written0by0hand0"):rep(3)
      local _, err = s:rotate { grace = DAY, on_step = function(event)
        if event.what == "the new key is accepted" then
          s:write("key", foreign .. "\n")
        end
      end }
      assert.matches("it holds a secret that ends in 0hand0", err.message)
      s.events = {}
      return s:open(), foreign .. "\n"
    end

    it("over what others wrote before the first time, and keeps that for the way back", function()
      local rotation, foreign = changed_before()
      assert.equal("conflict", (rotation:advance()))
      assert.equal("grace", (rotation:republish()))
      assert.equal("2", s:holder().id)
      check(rotation:rollback { now = true })
      assert.equal(foreign, s:read "key")
    end)

    it("the old secret, in a rollback", function()
      local rotation = s:begin()
      local new = s:read "key"
      check(rotation:rollback())
      s:write("key", new)
      assert.equal("conflict", (rotation:advance()))
      assert.equal("new_held", rotation:status().cause)
      assert.equal("soaking", (rotation:republish()))
      assert.equal("1", s:holder().id)
    end)

    it("not over a .env file of several lines", function()
      local rotation = s:begin()
      local text = "A=1\nKEY=" .. s.service.projects[1].api_key .. "\n"
      s:write("key", text)
      assert.equal("conflict", (rotation:advance()))
      assert.equal("env_file_written", rotation:status().cause)
      assert_refused("looks like a .env file, which would be lost", rotation:republish())
      assert.equal(text, s:read "key")
    end)

    it("not in a rollback", function()
      local rotation = s:begin()
      check(rotation:rollback())
      assert_refused("keep withdraws that", rotation:republish())
    end)
  end)

  describe("that is abandoned", function()
    it("leaves keys and stores as they are, and names them", function()
      local rotation = s:begin()
      local requests = #assert(s.service:log())
      assert.equal("abandoned", (rotation:abandon()))
      assert.equal(requests, #assert(s.service:log()))
      local status = rotation:status()
      assert.is_true(status.finished and status.settled)
      assert.same({ "1", "2" }, { status.left[1].id, status.left[2].id })
      assert.matches("Left as it is: the old key, 1, ends in", status.text)
      assert.matches("Left as it is: the new key, 2, ends in", status.text)
      s:assert_no_secret(status)
      for _, path in ipairs(s:state_files()) do
        assert.is_nil(path:find("escrow", 1, true), path)
      end
      assert.same({ true, true }, { s:on_service()[1].valid, s:on_service()[2].valid })
      assert_refused("the rotation has ended", rotation:abandon())
    end)

    it("lets another one begin", function()
      check(s:begin():abandon())
      local rotation = check(s:rotate { id = 2, store = s:store(nil, false) })
      assert.equal("done", rotation.state)
    end)
  end)
end)
