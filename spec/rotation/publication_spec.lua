-- SPDX-License-Identifier: Apache-2.0
-- From a safe secret to stores that hold it: proofs that are late, refused or impossible, and stores that break, are
-- changed by somebody, or are missing.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("a new secret", function()
  local s = scene.register { projects = { "web" } }

  -- A store of functions, whose fields say how it behaves.
  local function vault(name, held)
    local self = { held = held, puts = 0 }
    self.store = confidentai.store.callback { name = name,
      put = function(secret)
        self.puts = self.puts + 1
        if self.broken then
          return nil, "the vault is sealed", self.broken
        end
        self.held = secret or nil
        return true
      end,
      get = function()
        if self.unreadable then
          return nil, "permission denied"
        end
        return self.held or false
      end }
    return self
  end

  local function by_id(scope)
    local _, found = s:on_service(scope)
    return found
  end

  describe("is proven", function()
    it("although it spreads slowly", function()
      for _, rotate in ipairs { s.rotate, s.rotate_self } do
        s.service:reset()
        assert(s.service:set { propagation = 50 })
        assert.equal("done", check(rotate(s)).state)
        os.remove(s:record_path())
      end
    end)

    it("or removed, when it is refused for more than a minute", function()
      assert(s.service:set { propagation = 100 })
      local before = s.ahead
      local rotation, err = s:rotate()
      assert.is_nil(rotation)
      support.assert_error({ kind = "guard", state = "aborted" }, err)
      assert.matches("refuses the new key's secret", err.message)
      assert.is_true(s.ahead - before >= 40 and s.ahead - before < 70, s.ahead - before) -- real time counts, too
      assert.same({ "POST 2", "PUT 2 false", "DELETE 2" }, s:changes())
      assert.equal("1", s:holder().id)
      assert.is_true(s:holder().valid)
    end)

    it("or removed, when somebody has disabled it", function()
      s:fault { type = "edit", change = "disable", target_name = "~g1~", operation = "annotation_queues",
        target_scope = "project", target_project_id = s.service.projects[1].id }
      local _, err = s:rotate()
      support.assert_error({ kind = "guard", state = "aborted" }, err)
      assert.equal(1, #s:on_service())
      assert.is_true(s:holder().valid)
    end)

    it("and a proof that failed on its way says nothing", function()
      for _, fault in ipairs {
        { type = "drop", times = 3 }, { type = "status", status = 500 }, { type = "status", status = 503 },
        { type = "garbage", raw = true }, { type = "reset", times = 3 },
        { type = "status", status = 401, body = "<html>of a proxy</html>", content_type = "text/html" },
        { type = "status", status = 403, body = "<html>of a proxy</html>", content_type = "text/html" },
      } do
        s.service:reset()
        fault.operation = "annotation_queues"
        s:fault(fault)
        local rotation, err = s:rotate()
        assert.is_nil(rotation)
        support.assert_error({ state = "proven" }, err)
        assert.same({ "POST 2" }, s:changes())
        assert.equal("1", s:holder().id)
        s.service:clear_faults()
        assert.equal("done", check(s:rotate { store = s:store(nil, false) }).state)
        os.remove(s:record_path())
      end
    end)

    it("by a change of itself that is none, where it must be able to make changes", function()
      for _, status in ipairs { 401, 403 } do
        s.service:reset()
        s.ahead = 0
        local legacy = s:store("legacy", by_id "organization"["2"].value)
        s:fault { type = "status", status = status, operation = "update", times = -1, key_id = 3 }
        s:fault { type = "status", status = status, operation = "update", times = -1, key_id = 3 }
        local _, err = s:keys "organization":rotate(2, s:options { store = legacy })
        assert.is_table(err)
        s.service:clear_faults()
        local state = check(s:open():run())
        assert.equal("aborted", state)
        assert.is_true(by_id "organization"["2"].valid)
        s:clean_up(s:open())
        assert.is_nil(by_id "organization"["3"])
        os.remove(s:record_path())
      end
    end)
  end)

  describe("is published", function()
    it("to no store that has broken since, and both keys work until it is mended", function()
      local one = vault("one", s.service.projects[1].api_key)
      one.broken = "failed"
      local rotation, err = s:rotate { store = one.store }
      assert.is_nil(rotation)
      support.assert_error({ kind = "store", state = "published", outcome = "not_applied" }, err)
      assert.matches("the vault is sealed", err.message)
      assert.is_true(by_id()["1"].valid and by_id()["2"].valid)
      one.broken = nil
      rotation = check(s:rotate { store = one.store })
      assert.equal("done", rotation.state)
      assert.equal(by_id()["2"].value, one.held)
    end)

    it("to no store when it does not work any more", function()
      local one = vault("one", s.service.projects[1].api_key)
      one.broken = "failed"
      s:rotate { store = one.store }
      one.broken = nil
      check(s:keys():disable(2))
      local rotation = s:open(nil, { stores = { one.store } })
      assert.equal("conflict", (rotation:advance()))
      assert.matches("the service refuses the new key now", rotation:status().reason)
      assert.equal(s.service.projects[1].api_key, one.held)
      assert.equal(1, one.puts)
      check(s:keys():enable(2))
      assert.equal("done", (rotation:advance()))
    end)

    it("to some stores, and to the others later", function()
      local secret = s.service.projects[1].api_key
      local one, two, three = vault("one", secret), vault("two", secret), vault("three", secret)
      two.broken = "unknown"
      local list = { one.store, two.store, three.store }
      local _, err = s:rotate { store = list }
      support.assert_error({ kind = "store", state = "published", outcome = "unknown" }, err)
      assert.same({ "POST 2" }, s:changes())
      assert.same({ by_id()["2"].value, secret, secret }, { one.held, two.held, three.held })
      two.broken = nil
      assert.equal("done", check(s:rotate { store = list }).state)
      assert.same({ one.held, one.held, one.held }, { one.held, two.held, three.held })
      assert.same({ 1, 2, 1 }, { one.puts, two.puts, three.puts })
    end)

    it("to some stores, and taken back from them", function()
      local secret = s.service.projects[1].api_key
      local one, two = vault("one", secret), vault("two", secret)
      two.broken = "failed"
      s:rotate { store = { one.store, two.store } }
      local rotation = s:open(nil, { stores = { one.store, two.store } })
      assert.equal("aborted", check(rotation:rollback()))
      assert.same({ secret, secret }, { one.held, two.held })
      s:clean_up(rotation)
      assert.equal(1, #s:on_service())
    end)

    it("never to a store that somebody has written since", function()
      local one = vault("one", s.service.projects[1].api_key)
      local function write(event)
        if event.what == "proven" then
          one.held = "confident_us_proj_by_hand"
        end
      end
      local _, err = s:rotate { store = one.store, on_step = write }
      support.assert_error({ kind = "guard", state = "conflict" }, err)
      assert.matches("another process or person has written the store callback:one", err.message)
      assert.equal("confident_us_proj_by_hand", one.held)
      assert.same({ "POST 2" }, s:changes())
      local rotation = s:open(nil, { stores = { one.store } })
      assert.equal("conflict", rotation.state)
      assert.equal("aborted", check(rotation:rollback()))
      assert.equal("confident_us_proj_by_hand", one.held)
      s:clean_up(rotation)
      assert.equal(1, #s:on_service())
    end)

    it("and read back", function()
      local one = vault("one", s.service.projects[1].api_key)
      local store = confidentai.store.callback { name = "liar", get = function() return one.held end,
        put = function() return true end }
      local _, err = s:rotate { store = store }
      support.assert_error({ kind = "store", state = "published", outcome = "unknown" }, err)
      assert.matches("it was written, and holds something else", err.message)
      assert.is_true(by_id()["1"].valid)
    end)

    it("only once it is known what was there", function()
      local one = vault("one", s.service.projects[1].api_key)
      local _, err = s:rotate { store = one.store, on_step = function(event)
        one.unreadable = one.unreadable or event.what == "proven"
      end }
      support.assert_error({ kind = "store", state = "published" }, err)
      assert.matches("permission denied", err.message)
      assert.equal(0, one.puts)
      one.unreadable = nil
      assert.equal("done", check(s:rotate { store = one.store }).state)
    end)

    it("and the old key stays while a store cannot be read", function()
      local one = vault("one", s.service.projects[1].api_key)
      local rotation = check(s:rotate { store = one.store, soak = DAY, adoption = "time", grace = DAY })
      s:pass(DAY + 1)
      one.unreadable = true
      local state, err = rotation:advance()
      assert.is_nil(state)
      support.assert_error({ kind = "store", state = "soaking" }, err) -- which looks at the stores each time
      assert.is_true(by_id()["1"].valid)
      one.unreadable = nil
      assert.equal("grace", (rotation:advance()))
      s:pass(DAY + 1)
      one.unreadable = true
      state, err = rotation:advance()
      assert.is_nil(state)
      support.assert_error({ kind = "store", state = "grace" }, err)
      assert.is_table(by_id()["1"])
      one.unreadable = nil
      assert.equal("done", (rotation:advance()))
    end)

    it("into functions that have to be given again", function()
      local one = vault("one", s.service.projects[1].api_key)
      one.broken = "failed"
      s:rotate { store = one.store, soak = DAY, adoption = "time" }
      one.broken = nil
      local rotation = s:open()
      assert.equal("needs_store", (rotation:advance()))
      assert.matches("callback:one has to be given again", rotation:status().reason)
      assert.equal("needs_store", s:open().state)
      rotation = s:open(nil, { stores = { vault("another").store } })
      assert.equal("needs_store", (rotation:advance()))
      rotation = s:open(nil, { stores = { one.store } })
      assert.equal("soaking", (rotation:advance()))
      s:pass(DAY + 1)
      rotation = s:open()
      assert.equal("needs_store", (rotation:advance()))
      assert.is_true(by_id()["1"].valid)
      rotation = s:open(nil, { stores = { one.store } })
      assert.equal("done", (rotation:advance()))
    end)

    it("into no store that is given only when it is begun again", function()
      check(s:rotate { soak = DAY, adoption = "time" })
      local other = vault("other", "something")
      s:pass(DAY + 1)
      local rotation, err = s:rotate { store = other.store }
      assert.is_nil(rotation)
      support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
      assert.matches("was begun with another store", err.message, 1, true)
      assert.equal("something", other.held)
      assert.equal("done", (s:open():advance()))
      assert.equal("2", s:holder().id)
    end)

    it("by a command", function()
      local path = s:write("vault", s.service.projects[1].api_key)
      local store = confidentai.store.exec { command = { "sh", "-c", "cat >" .. path }, check = { "cat", path } }
      assert.equal("done", check(s:rotate { store = store }).state)
      assert.equal("2", s:holder "vault".id)
    end)

    it("by a command that cannot tell what it stored", function()
      local path = s:write("vault", "")
      local store = confidentai.store.exec { command = { "sh", "-c", "cat >" .. path } }
      local rotation = check(s:rotate { store = store, soak = DAY, adoption = "time",
        old_secret = s.service.projects[1].api_key })
      assert.equal("2", s:holder "vault".id)
      assert.equal("soaking", check(rotation:rollback()))
      assert.equal("1", s:holder "vault".id)
      assert.equal("1", s:on_service()[1].id)
    end)
  end)

  it("is not taken out of a store whose content before is not known", function()
    local path = s:write("vault", "")
    local store = confidentai.store.exec { command = { "sh", "-c", "cat >" .. path } }
    local rotation = check(s:rotate { store = store, soak = DAY, adoption = "time" })
    local state, err = rotation:rollback()
    assert.is_nil(state)
    support.assert_error({ kind = "store" }, err)
    assert.matches("the previous content of exec:sh is not known", err.message)
    assert.is_true(s:holder "vault".valid)
    rotation = s:open(nil, { old_secret = s.service.projects[1].api_key })
    assert.equal("soaking", check(rotation:rollback()))
    assert.equal("1", s:holder "vault".id)
  end)
end)
