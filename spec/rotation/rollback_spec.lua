-- SPDX-License-Identifier: Apache-2.0
-- The way back, as a rotation backwards: its consumers are not cut off, what cannot succeed is refused before anything
-- is written, and it can be withdrawn.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, HOUR, DAY = confidentai.check, 3600, 86400

describe("a rollback", function()
  local s = scene.register { projects = { "web" } }

  local function in_grace(more)
    local rotation = s:begin(more)
    s:pass(DAY + 2)
    assert.equal("grace", (rotation:advance()))
    return rotation
  end

  -- Whether keys 1 and 2 work.
  local function work()
    local _, by_id = s:on_service()
    return by_id["1"] ~= nil and by_id["1"].valid, by_id["2"] ~= nil and by_id["2"].valid
  end

  local function assert_work(old, new)
    assert.same({ old, new }, { work() })
  end

  for _, from in ipairs { "soaking", "grace" } do
    it("from " .. from .. " lets the new key soak, keeps it for the grace, and then deletes it", function()
      local rotation = from == "grace" and in_grace() or s:begin()
      assert.equal("soaking", (rotation:rollback()))
      local wait = rotation:status().due
      assert.is_true(wait > HOUR - 10 and wait <= HOUR, tostring(wait))
      assert_work(true, true)
      assert.equal("1", s:holder().id)
      assert.matches("going back to the old key: both keys work", rotation:status().text)
      s:pass(HOUR / 2)
      assert.equal("soaking", (s:open():advance()))
      assert_work(true, true)
      s:pass(HOUR / 2 + 2)
      assert.equal("grace", (s:open():advance()))
      assert_work(true, false)
      s:pass(DAY - 10)
      assert.equal("grace", (s:open():advance()))
      assert.equal(2, #s:on_service())
      s:pass(20)
      assert.equal("aborted", (rotation:advance()))
      assert.equal(1, #s:on_service())
      assert_work(true, false)
      assert.is_true(rotation:status().settled)
    end)
  end

  it("has no longer soak than the rotation", function()
    local rotation = s:begin { soak = 600 }
    check(rotation:rollback())
    assert.is_true(rotation:status().due <= 600)
    s:pass(602)
    assert.equal("grace", (rotation:advance()))
  end)

  it("does not wait for the soak when it is told so, then or later", function()
    local rotation = in_grace()
    assert.equal("grace", (rotation:rollback { now = true }))
    assert_work(true, false)
    assert.error_matches(function() rotation:rollback { soon = true } end, "soon")
    s.service:reset()
    os.remove(s:record_path())
    s:pass(0)
    rotation = s:begin()
    assert.equal("soaking", (rotation:rollback()))
    assert.equal("grace", (rotation:rollback { now = true }))
  end)

  it("of what was not published removes the new key, which nobody has", function()
    local rotation = s:stuck_at_proven()
    assert.equal("aborted", (rotation:rollback()))
    s:clean_up(rotation, DAY)
    assert.equal(1, #s:on_service())
  end)

  describe("that cannot succeed is refused, and nothing is written:", function()
    local function assert_refused(rotation, words)
      local before = s:read(s:record_path():sub(#s.folder + 2))
      local changes = #s:changes()
      local result, err = rotation:rollback()
      assert.is_nil(result)
      support.assert_error({ kind = "guard" }, err)
      assert.is_truthy(err.message:find(words, 1, true), err.message)
      assert.equal(before, s:read(s:record_path():sub(#s.folder + 2)))
      assert.equal(changes, #s:changes())
      assert.is_nil(s:record().rollback)
    end

    it("the old key is gone", function()
      local rotation = in_grace()
      check(s:keys():delete(1))
      assert_refused(rotation, "the old key is gone")
      assert.equal("done", (rotation:advance()))
    end)

    it("others disabled the old key during the soak", function()
      local rotation = s:begin()
      check(s:keys():disable(1)) -- as contain does
      assert_refused(rotation, "was disabled by another process or person")
      assert.equal("grace", (rotation:advance()))
      assert_refused(s:open(), "was disabled by another process or person")
      assert_work(false, true)
      check(s:keys():enable(1))
      assert.equal("soaking", (rotation:rollback()))
    end)

    it("a leak of the old key was contained meanwhile", function()
      local rotation = s:begin()
      check(s:client():contain(s.service.projects[1].api_key, { pause = s.pause, clock = s.clock }))
      assert.equal("grace", (rotation:advance()))
      assert_refused(rotation, "was disabled by another process or person")
      assert_work(false, true)
    end)

    it("others enabled and disabled the old key during the grace", function()
      local rotation = in_grace()
      check(s:keys():enable(1))
      assert.equal("conflict", (rotation:advance()))
      check(s:keys():disable(1))
      assert.equal("grace", (rotation:advance()))
      assert_refused(rotation, "was disabled by another process or person")
    end)

    it("what a store held is not known", function()
      local rotation = check(s:rotate { soak = DAY, grace = DAY, adoption = "time", store = (function()
        local held = s.service.projects[1].api_key
        return confidentai.store.callback { name = "vault", put = function(text)
          held = text
          return true
        end, get = function() return held end }
      end)() })
      assert_refused(s:open(), "the store callback:vault has to be given again")
      assert.equal("soaking", (rotation:rollback()))
    end)
  end)

  it("tells that others disabled the old key meanwhile, and does not enable it", function()
    local rotation = in_grace()
    assert.equal("soaking", (rotation:rollback()))
    check(s:keys():disable(1))
    s:pass(60)
    assert.equal("conflict", (rotation:advance()))
    assert.matches("was disabled by another process or person", rotation:status().reason)
    assert_work(false, true)
  end)

  it("is undone at once when the old key is refused after the new one is disabled", function()
    local rotation = in_grace()
    assert.equal("soaking", (rotation:rollback()))
    s:fault { type = "edit", change = "disable", target_name = "^Default Key$", when = "after", method = "PUT" }
    s:pass(HOUR + 2)
    assert.equal("conflict", (rotation:advance()))
    assert.matches("the new one was enabled again", rotation:status().reason)
    assert_work(false, true)
  end)

  it("ends when others delete the new key in its grace", function()
    local rotation = s:begin()
    assert.equal("soaking", (rotation:rollback()))
    s:pass(HOUR + 2)
    assert.equal("grace", (rotation:advance()))
    check(s:keys():delete(2))
    s:pass(HOUR)
    local before = s.service:stats().requests
    assert.equal("aborted", (rotation:advance()))
    assert.is_true(s.service:stats().requests - before < 50)
    assert_work(true, false)
  end)

  it("deletes no new key that was used after it was disabled", function()
    local rotation = s:begin()
    assert.equal("grace", (rotation:rollback { now = true }))
    s:pass(600)
    local _, by_id = s:on_service()
    check(s:keys():enable(2))
    require("spec.sandbox.support").request(s.service,
      { path = "/v1/annotation-queues?page=1&pageSize=1", key = by_id["2"].value })
    check(s:keys():disable(2))
    s:pass(DAY)
    assert.equal("conflict", (rotation:advance()))
    assert.equal(2, #s:on_service())
    check(rotation:confirm())
    assert.equal("aborted", (rotation:advance()))
  end)

  describe("that has come to its end lets the key be rotated again:", function()
    local function assert_again(rotation)
      assert.equal("aborted", check(rotation:run()))
      assert_work(true, false)
      local again = s:begin { store = s:store(nil, false) }
      assert.equal("soaking", again.state)
      assert.is_true(again.id ~= rotation.id)
      assert.equal("done", check(again:run()))
      assert.equal(again.new_id, s:holder().id)
      assert.is_true(s:holder().valid)
      assert.equal(1, #s:on_service())
      local ended = check(confidentai.rotation.history { state_dir = s:path "state" })
      assert.same({ "aborted", "done" }, { ended[1].state, ended[2].state })
    end

    it("from the soak", function()
      local rotation = s:begin()
      check(rotation:rollback())
      assert_again(rotation)
    end)

    it("from the grace", function()
      local rotation = in_grace()
      check(rotation:rollback { now = true })
      assert_again(rotation)
    end)

    it("from before it was published, while its key is watched yet", function()
      local rotation = s:stuck_at_proven { soak = DAY, adoption = "time" }
      assert.equal("aborted", (rotation:rollback()))
      assert.is_false(rotation:status().settled)
      local again = s:begin { store = s:store(nil, false) }
      assert.equal("soaking", again.state)
      assert.equal("done", check(again:run()))
      s:clean_up(again, DAY)
      assert.equal("3", s:holder().id)
      assert.equal(1, #s:on_service())
    end)
  end)

  describe("is withdrawn by keep", function()
    local function assert_forward(rotation)
      assert.equal("2", s:holder().id)
      assert_work(true, true)
      assert.is_nil(s:record().rollback)
      s:pass(DAY + 2)
      assert.equal("grace", (rotation:advance()))
      s:pass(DAY + 2)
      assert.equal("done", (rotation:advance()))
      assert.equal(1, #s:on_service())
    end

    it("in its soak: the new key is published again, and soaks again", function()
      local rotation = in_grace()
      assert.equal("soaking", (rotation:rollback()))
      assert.equal("soaking", (rotation:keep()))
      assert.equal("soaking", (rotation:advance()))
      assert_forward(rotation)
    end)

    it("in its grace: the new key is enabled again", function()
      local rotation = in_grace()
      assert.equal("grace", (rotation:rollback { now = true }))
      assert_work(true, false)
      assert.equal("soaking", (s:open():keep()))
      assert_forward(s:open())
    end)

    it("where it can do no more: the old key is gone", function()
      local rotation = in_grace()
      assert.equal("soaking", (rotation:rollback()))
      check(s:keys():delete(1))
      s:pass(60)
      assert.equal("conflict", (rotation:advance()))
      local state = rotation:keep()
      assert.equal("2", s:holder().id)
      assert.equal("done", state)
    end)

    it("not when there is none, or the new key is gone", function()
      local rotation = s:begin()
      local _, err = rotation:keep()
      support.assert_error({ kind = "guard" }, err)
      assert.matches("no rollback is under way", err.message)
      assert.equal("soaking", (rotation:rollback()))
      check(s:keys():delete(2))
      _, err = rotation:keep()
      support.assert_error({ kind = "guard" }, err)
      assert.equal("aborted", (rotation:advance()))
    end)
  end)
end)
