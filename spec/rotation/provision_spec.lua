-- SPDX-License-Identifier: Apache-2.0
-- provision: a new key, created exactly once, proven and in its stores; or nothing.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("provision", function()
  local s = scene.register { projects = { "web" } }

  local function provision(more, client)
    local options = s:options(more)
    options.soak, options.grace = nil, nil
    options.store = options.store or s:store("key", false)
    local key, err = s:keys("project", client):provision("svc", options)
    return key, err
  end

  -- Keys of the service beside the project's first.
  local function made()
    local found = s:on_service()
    table.remove(found, 1)
    return found
  end

  local function assert_nothing()
    assert.same({}, made())
    assert.is_nil(s:read "key")
    for _, path in ipairs(s:state_files()) do
      assert.is_nil(path:find("escrow", 1, true), path)
    end
  end

  it("makes a key, and not a second one", function()
    local key = check(provision())
    assert.equal("confidentai.ApiKey", getmetatable(key))
    assert.is_false(key.has_secret)
    assert.matches("^svc~g1~%w+$", key.name)
    assert.equal("2", s:holder().id)
    assert.equal(key, check(provision()))
    assert.equal(1, #made())
    assert.equal(1, #check(s:keys():find "svc"))
    assert.same({}, check(confidentai.rotation.open(s:client(), s:opening())))
    s:assert_no_secret(s.events)
    s:assert_no_secret(s:record())
  end)

  it("makes one of the organization, too", function()
    local key = check(s:keys "organization":provision("svc", {
      store = s:store("key", false), state_dir = s:path "state", clock = s.clock, pause = s.pause, random = s.random,
    }))
    assert.equal("organization", key.scope)
    assert.equal("3", s:holder("key", "organization").id)
    assert.equal("2", ("%.0f"):format(s:on_service "organization"[2].id))
  end)

  it("does not make another where the store cannot be read", function()
    local held = {}
    local store = confidentai.store.callback { name = "vault", put = function(secret)
      held[#held + 1] = secret
      return true
    end }
    local key = check(provision { store = store })
    assert.equal(key, check(provision { store = store }))
    assert.equal(1, #made())
    assert.equal(made()[1].value, held[1])
    assert.equal(1, #held)
  end)

  it("does not write over anything, unless told to", function()
    s:store("key", "something")
    local key, err = provision()
    assert.is_nil(key)
    support.assert_error({ kind = "guard", state = "planned" }, err)
    assert.matches("holds something already", err.message)
    assert.same({}, made())
    key = check(provision { replace_store = true })
    assert.equal(made()[1].id, tostring(key.id))
    assert.equal("2", s:holder().id)
  end)

  it("makes a new one when the key is gone", function()
    local key = check(provision())
    check(s:keys():delete(key))
    local _, err = provision()
    support.assert_error({ kind = "guard" }, err)
    assert.matches("holds something already", err.message)
    assert.matches("^svc~g2~", check(provision { replace_store = true }).name) -- g1 is on record
    assert.is_true(s:holder().valid)
  end)

  it("starts a key that is rotated then", function()
    local key = check(provision())
    local rotation = check(s:keys():rotate(key, s:options { store = s:store("key", false) }))
    assert.equal("done", rotation.state)
    assert.equal("svc", rotation.base)
    assert.matches("^svc~g2~", s:holder().name)
    assert.equal(1, #made())
  end)

  it("leaves nothing when its store breaks", function()
    local broken = true
    local held
    local store = confidentai.store.callback { name = "vault", get = function() return held or false end,
      put = function(secret)
        if broken and secret then return nil, "sealed", "failed" end
        held = secret
        return true
      end }
    local key, err = provision { store = store }
    assert.is_nil(key)
    support.assert_error({ kind = "store" }, err)
    assert.same({}, made())
    assert.is_nil(held)
    broken = false
    key = check(provision { store = store })
    assert.equal(made()[1].value, held)
    assert.equal(1, #made())
    assert.equal(tostring(key.id), made()[1].id)
  end)

  it("leaves nothing when the second of its stores breaks", function()
    local store = confidentai.store.callback { name = "vault", get = function() return false end,
      put = function(secret)
        if secret then return nil, "sealed", "failed" end
        return true
      end }
    local _, err = provision { store = { s:store("key", false), store } }
    support.assert_error({ kind = "store", state = "aborted" }, err)
    assert.is_false(made()[1].valid) -- the first store held its secret: it is watched
    s:clean_up(s:open(nil, { stores = { store } }))
    assert_nothing()
  end)

  it("leaves nothing when the secret is refused", function()
    assert(s.service:set { propagation = 1000 })
    local _, err = provision()
    support.assert_error({ kind = "guard", state = "aborted" }, err)
    assert.matches("refuses the new key's secret", err.message)
    assert_nothing()
  end)

  it("removes the key that its own proof used and that could not go, when it is run again", function()
    s:fault { type = "lost_answer", skip = 5, times = 3 } -- the proof, and both requests of the way back
    local key, err = provision({}, s:client { max_retries = 0 })
    assert.is_nil(key)
    assert.matches("could not be undone yet", err.message)
    assert(s.service:clear_faults())
    assert.is_truthy(s:on_service()[2].lastUsed)
    key = check(provision())
    assert.equal(s:holder().id, tostring(key.id))
    s:pass(DAY)
    check(s:open():advance())
    assert.equal(1, #made())
  end)

  it("gives the new key where the one before was disabled", function()
    local key = check(provision())
    check(s:keys():disable(key))
    assert.equal("3", tostring(check(provision { store = s:store("key", false), replace_store = true }).id))
    assert.equal("3", s:holder().id)
  end)

  describe("of a key that is rotated", function()
    local key

    local function rotate(more)
      local options = { store = s:store("key", false), soak = DAY, grace = DAY, adoption = "time" }
      for name, value in pairs(more or {}) do
        options[name] = value
      end
      return check(s:keys():rotate(key, s:options(options)))
    end

    -- What is there is found, and nothing is changed.
    local function assert_found(id)
      local before = #made()
      assert.equal(id, tostring(check(provision()).id))
      assert.equal(before, #made())
      assert.equal(id, s:holder().id)
    end

    before_each(function() key = check(provision()) end)

    it("finds the one that is in use, in soak, in grace and ever after", function()
      local rotation = rotate()
      assert.equal("soaking", rotation.state)
      assert_found "3"
      s:pass(DAY)
      assert.equal("grace", (rotation:advance()))
      assert_found "3"
      s:pass(DAY)
      assert.equal("done", (rotation:advance()))
      assert_found "3"
      key = check(provision())
      rotate { soak = 0, grace = 0 }
      assert_found "4"
    end)

    it("finds the old one before there is a new one", function()
      local _, err = s:keys():rotate(key, s:options { store = s:store("key", false), on_step = function(event)
        if event.state == "creating" then
          s:fault { type = "drop", times = -1 }
        end
      end })
      assert.equal("creating", err.state)
      assert(s.service:clear_faults())
      assert_found "2"
    end)

    it("finds the old one after a rollback", function()
      local rotation = rotate()
      check(rotation:rollback())
      assert_found "2"
    end)

    it("refuses where a store holds neither, while that is under way", function()
      rotate()
      s:write("key", "another")
      local _, err = provision()
      support.assert_error({ kind = "guard" }, err)
      assert.matches("another rotation of 'svc' is under way: %w+, of key 2 %(soaking%): advance that one", err.message)
      assert.equal(2, #made())
    end)
  end)
end)
