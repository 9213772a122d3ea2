-- SPDX-License-Identifier: Apache-2.0
-- What happens between a look and the act that rests on it: the process is stopped for days, other people change keys,
-- and a write whose end was not known takes effect.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("between a look and an act", function()
  local s = scene.register { projects = { "web" } }

  -- A store of functions. `on_get` is called once, after its content was read, but not at the first `skip` reads;
  -- `on_put` in place of a write.
  local function vault(held)
    local self = { held = held }
    self.store = confidentai.store.callback { name = "vault",
      put = function(secret)
        local act = self.on_put
        self.on_put = nil
        if act then
          return act(secret)
        end
        self.held = secret or nil
        return true
      end,
      get = function()
        local content, act = self.held or false, self.on_get
        if act and (self.skip or 0) > 0 then
          self.skip = self.skip - 1
        elseif act then
          self.on_get = nil
          act()
        end
        return content
      end }
    return self
  end

  -- A put without an answer, which takes effect after two seconds of the process' waiting.
  local function put_late(one)
    local pause = s.pause
    return function(secret)
      local ahead = s.ahead
      s.pause = function(seconds)
        pause(seconds)
        if s.ahead >= ahead + 2 then
          one.held, s.pause = secret, pause
        end
      end
      return nil, "no answer in time", "unknown"
    end
  end

  it("a proof that was broken off is our own use, though this machine's clock is behind the service's", function()
    s:fault { type = "lost_answer", path = "annotation%-queues", times = 1 }
    local rotation, err = s:rotate({}, s:client { max_retries = 0 })
    assert.is_nil(rotation)
    support.assert_error({ kind = "network" }, err)
    local clock = s.clock
    s.clock = function() return clock() - 300 end
    local state, problem = s:open():advance()
    s.clock = clock
    assert.equal("done", state, problem)
  end)

  it("a process that was stopped for days reads the stores again before it disables the old key", function()
    local old = s.service.projects[1].api_key
    local one = vault(old)
    local rotation = check(s:rotate { store = one.store, soak = DAY, grace = DAY, adoption = "time" })
    s:pass(DAY + 2)
    one.skip, one.on_get = 1, function() -- the first is a look of the soak
      s:pass(3 * DAY)
      one.held = old -- a person has put it back meanwhile
    end
    check(rotation:run())
    assert.equal("conflict", rotation.state)
    assert.same({ "POST 2" }, s:changes())
  end)

  it("the same in a rollback, before it disables the new key", function()
    local one = vault(s.service.projects[1].api_key)
    local rotation = check(s:rotate { store = one.store, soak = 10, grace = DAY, adoption = "time" })
    local new = one.held
    assert.equal("soaking", check(rotation:rollback()))
    s:pass(12)
    one.skip, one.on_get = 1, function()
      s:pass(3 * DAY)
      one.held = new
    end
    check(rotation:run())
    assert.equal("conflict", rotation.state)
    assert.same({ "POST 2" }, s:changes())
  end)

  it("an old key that somebody enables before its delete still has a way back", function()
    local one = vault(s.service.projects[1].api_key)
    local rotation = check(s:rotate { store = one.store, soak = DAY, grace = DAY, adoption = "time" })
    s:pass(DAY + 2)
    assert.equal("grace", (rotation:advance()))
    s:pass(DAY + 2)
    one.skip, one.on_get = 2, function() check(s:keys():enable(1)) end
    assert.equal("conflict", check(rotation:advance()))
    assert.matches("is not deleted: it was enabled again", rotation:status().reason)
    check(s:keys():disable(1))
    assert.equal("soaking", check(rotation:rollback()))
    local _, by_id = s:on_service()
    assert.is_true(by_id["1"].valid)
    assert.equal(by_id["1"].value, one.held)
  end)

  it("a put that takes effect late does not leave a deleted key in the store after a rollback", function()
    local one = vault(s.service.projects[1].api_key)
    one.on_put = put_late(one)
    local rotation, err = s:rotate { store = one.store }
    assert.is_nil(rotation)
    support.assert_error({ kind = "store", outcome = "unknown" }, err)
    rotation = s:open(nil, { stores = { one.store }, pause = function(seconds) s.pause(seconds) end })
    assert.equal("conflict", check(rotation:rollback()))
    assert.matches("holds the new secret again", rotation:status().reason)
    assert.same({ "POST 2" }, s:changes())
    assert.equal("done", check(rotation:keep()))
    local _, by_id = s:on_service()
    assert.equal(by_id["2"].value, one.held)
  end)

  it("a put of a rollback that takes effect late does not leave a deleted key in the store when that is withdrawn",
    function()
      local one = vault(s.service.projects[1].api_key)
      local rotation = check(s:rotate { store = one.store, soak = 10, grace = 0, adoption = "time" })
      one.on_put = function() return nil, "no answer in time", "unknown" end
      local state, err = rotation:rollback()
      assert.is_nil(state)
      support.assert_error({ kind = "store" }, err)
      s:edit(function(record) record.options.soak = 0 end)
      local old = s.service.projects[1].api_key
      local pause = s.pause
      rotation = s:open(nil, { stores = { one.store }, pause = function(seconds)
        pause(seconds)
        one.held = old
      end })
      assert.equal("conflict", check(rotation:keep()))
      assert.same({ "POST 2" }, s:changes())
    end)

  describe("of ensure", function()
    it("a store that took the new key keeps it, though it shows what it held before again", function()
      local one, two = vault(nil), confidentai.store.callback { name = "two", get = function() return false end,
        put = function() return nil, "it is sealed", "failed" end }
      one.skip, one.on_get = 3, function() one.held = nil end -- after it was read back
      local result, err = s:keys():ensure("job", { store = { one.store, two }, clock = s.clock, pause = s.pause,
        random = s.random })
      assert.is_nil(result)
      support.assert_error({ kind = "store" }, err)
      assert.matches("key 2 is kept, as a store may hold it", err.message)
      assert.same({ "POST 2" }, s:changes())
    end)

    it("the current key is seen to work before the older one is disabled, and after it", function()
      for _, when in ipairs { "before", "after" } do
        s.service:reset()
        s:pass(0)
        local one = vault(nil)
        local options = { store = one.store, max_age = 10 * DAY, soak = DAY, grace = DAY, clock = s.clock,
          pause = s.pause, random = s.random }
        check(s:keys():ensure("job", options))
        s:pass(11 * DAY)
        check(s:keys():ensure("job", options))
        s:pass(DAY + 100)
        if when == "before" then
          one.skip, one.on_get = 1, function() check(s:keys():disable(3)) end
          assert.matches("key 2 stays: the key that stays was not seen to work",
            check(s:keys():ensure("job", options)).reason)
        else
          s:fault { type = "edit", change = "disable", target_name = "~g2~", when = "after", method = "PUT" }
          local result, err = s:keys():ensure("job", options)
          assert.is_nil(result)
          support.assert_error({ kind = "guard" }, err)
          assert.matches("key 2 was enabled again", err.message)
        end
        local _, by_id = s:on_service()
        assert.is_true(by_id["2"].valid)
      end
    end)
  end)
end)
