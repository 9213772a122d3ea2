-- SPDX-License-Identifier: Apache-2.0
-- ensure: one safe step a run, with what the store and the service's list say and nothing else.

local cjson = require "cjson"
local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("ensure", function()
  local s = scene.register { projects = { "web" } }
  local client, keys

  before_each(function()
    client = s:client()
    keys = s:keys("project", client)
  end)

  -- The service's Date has whole seconds.
  local function pass(seconds)
    s:pass(seconds + 2)
  end

  local function options(more)
    local given = { store = s:store("key", false), max_age = 30 * DAY, soak = DAY, grace = 2 * DAY, clock = s.clock,
      pause = s.pause, random = s.random }
    for name, value in pairs(more or {}) do
      given[name] = value
    end
    return given
  end

  local function run(more)
    local result, err = keys:ensure("svc", options(more))
    return result, err
  end

  -- Names of the keys of the base, with "-" before those that are disabled.
  local function made()
    local found = {}
    for _, key in ipairs((s:on_service())) do
      local generation = key.name:match "^svc~(g%d+)~"
      if generation or key.name == "svc" then
        found[#found + 1] = (key.valid and "" or "-") .. (generation or "svc")
      end
    end
    return table.concat(found, " ")
  end

  local function assert_step(action, result, err)
    assert.is_table(result, tostring(err))
    assert.equal(action, result.action)
    return result
  end

  local function assert_refused(words, more, base)
    local before = #s:changes()
    local result, err = keys:ensure(base or "svc", options(more))
    assert.is_nil(result)
    support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
    assert.is_truthy(err.message:find(words, 1, true), err.message)
    assert.equal(before, #s:changes())
    s:assert_no_secret(tostring(err))
  end

  it("makes the first key, and nothing more as long as it is young", function()
    local result = assert_step("created", run())
    assert.equal("there was none", result.reason)
    assert.is_false(result.key.has_secret)
    assert.equal("g1", made())
    assert.equal(tostring(result.key.id), s:holder().id)
    result = assert_step("none", run())
    assert.is_true(result.wait > 29 * DAY and result.wait < 30 * DAY + 2)
    assert.equal(1, #s:changes())
    assert.same({}, s:state_files())
  end)

  it("goes through a month", function()
    run()
    pass(30 * DAY)
    assert_step("created", run())
    assert.equal("g1 g2", made())
    local result = assert_step("none", run())
    assert.is_true(result.wait > DAY - 60 and result.wait < DAY + 2)
    pass(DAY)
    assert_step("disabled", run())
    assert.equal("-g1 g2", made())
    result = assert_step("none", run())
    assert.is_true(result.wait > 2 * DAY - 60 and result.wait < 2 * DAY + 2)
    pass(2 * DAY)
    assert_step("deleted", run())
    assert.equal("g2", made())
    assert.is_true(s:holder().valid)
    assert_step("none", run())
  end)

  it("adopts a key", function()
    local first = check(keys:create("old name"))
    s:store("key", first.value)
    assert_refused("belongs to no key of 'svc': its key was deleted, or has another name; adopt = id")
    pass(40 * DAY)
    assert_step("created", run { adopt = first.id })
    assert.equal("g1", made())
    pass(DAY)
    assert_step("disabled", run { adopt = first })
    pass(2 * DAY)
    assert_step("deleted", run { adopt = first.id })
    assert.equal(2, #s:on_service()) -- and the project's first key, which nobody named
    for _, wrong in ipairs { 0, "", check(client:organization().api_keys:get(1)) } do
      local ok, message = pcall(run, { adopt = wrong })
      assert.is_false(ok)
      assert.matches("rotation/ensure_spec%.lua:%d+: bad argument #2 to 'ensure' %(option 'adopt'", message)
    end
  end)

  it("leaves keys alone that only look like its own", function()
    for _, name in ipairs { "svc", "svc-2~g1~abcdefgh", "svc~g0~abcdefgh", "svc~g1~ABCDEFGH", "svc~g1~" } do
      check(keys:create(name))
    end
    local before = #s:on_service()
    run()
    for _ = 1, 8 do
      s:pass(16 * DAY)
      check(run())
    end
    assert.is_true(#s:on_service() >= before + 1)
    for _, key in ipairs((s:on_service())) do
      assert.is_true(key.valid or key.name:find "^svc~g[1-9]%d*~[a-z2-7]+$" ~= nil, key.name)
    end
  end)

  it("replaces a key that does not work", function()
    run()
    check(keys:disable(2))
    local result = assert_step("created", run())
    assert.equal("the current key does not work", result.reason)
    assert.equal("-g1 g2", made())
    pass(3 * DAY)
    assert_step("deleted", run())
    assert.equal("g2", made())
  end)

  it("refuses what is not clear", function()
    assert_refused("cannot be read", { store = confidentai.store.exec { command = { "cat" } } })
    assert_refused("holds nothing, and key 1 was to be adopted", { adopt = 1 })
    run()
    s:store("other", "confident_us_proj_somebody_elses_key")
    assert_refused("hold different secrets", { store = { s:store("key", false), s:store("other", false) } })
    local _, by_id = s:on_service()
    local last6 = ("*"):rep(15) .. by_id["2"].value:sub(-6)
    local list = {}
    for id = 2, 3 do
      list[#list + 1] = { id = id, name = "svc~g" .. id .. "~abcdefgh", valid = true, value = last6,
        created_at = by_id["2"].created_at }
    end
    s:fault { type = "body", operation = "list", body = cjson.encode { success = true, data = { apiKeys = list } } }
    assert_refused "several keys of 'svc' end in the store's last 6"
  end)

  it("retires what a run has lost, in two steps", function()
    run()
    pass(30 * DAY)
    s:fault { type = "lost_answer", operation = "create" }
    local _, err = run()
    support.assert_error({ kind = "network", outcome = "unknown" }, err)
    assert.equal("g1 g2", made())
    local result = assert_step("none", run())
    assert.matches("a newer key is being made, or was lost", result.reason)
    s:pass(60)
    assert_step("none", run())
    pass(20)
    assert_step("created", run())
    assert.equal("g1 g2 g3", made())
    assert_step("none", run())
    pass(DAY)
    assert_step("disabled", run())
    assert_step("disabled", run())
    assert.equal("-g1 -g2 g3", made())
    assert_step("none", run())
    pass(2 * DAY)
    assert_step("deleted", run())
    assert_step("deleted", run())
    assert.equal("g3", made())
    assert.is_true(s:holder().valid)
  end)

  it("retires what the first run has lost", function()
    s:fault { type = "lost_answer", operation = "create" }
    run()
    assert_step("none", run())
    s:pass(120)
    assert_step("created", run())
    assert.equal("g1 g2", made())
    pass(DAY)
    assert_step("disabled", run())
    pass(2 * DAY)
    assert_step("deleted", run())
    assert.equal("g2", made())
  end)

  it("removes a new key that it cannot use", function()
    local function fails(fields, more)
      local result, err = run(more)
      assert.is_nil(result)
      support.assert_error(fields, err)
      assert.equal("", made())
      assert.is_nil(s:read "key")
      s.service:clear_faults()
    end
    assert(s.service:set { propagation = 1000 })
    fails { kind = "guard" }
    assert(s.service:set { propagation = 0 })
    s:fault { type = "status", status = 500, operation = "annotation_queues", times = -1 }
    fails { kind = "api", status = 500 }
    fails({ kind = "store" }, { store = confidentai.store.callback { name = "vault",
      put = function() return nil, "sealed", "failed" end, get = function() return false end } })
    s:fault { type = "drop", operation = "annotation_queues", times = -1 }
    s:fault { type = "drop", method = "DELETE", times = -1 }
    local _, err = run()
    assert.matches("could not be removed yet", err.message)
    s.service:clear_faults()
    s:pass(1000)
    assert_step("created", run())
    pass(DAY)
    assert_step("deleted", run { soak = 0, grace = DAY })
    assert.equal("g2", made())
  end)

  it("waits for a key that spreads slowly", function()
    assert(s.service:set { propagation = 20 })
    assert_step("created", run())
    assert.is_true(s:holder().valid)
  end)

  it("keeps a new key that a store may hold", function()
    local held
    local store = confidentai.store.callback { name = "vault",
      put = function(secret) held = secret return nil, "the answer was lost" end,
      get = function()
        if held then return nil, "down" end
        return false
      end }
    local _, err = run { store = store }
    support.assert_error({ kind = "store" }, err)
    assert.equal("g1", made())
    assert.equal(s:on_service()[2].value, held)
    store = confidentai.store.callback { name = "vault", put = function() return true end,
      get = function() return held end }
    assert_step("none", run { store = store })
  end)

  it("writes the stores that an interrupted run has left", function()
    local broken
    local second = {}
    local function stores()
      return { s:store("key", false), confidentai.store.callback { name = "second",
        put = function(secret)
          if broken then return nil, "broken", "failed" end
          second.held = secret
          return true
        end, get = function() return second.held or false end } }
    end
    assert_step("created", run { store = stores() })
    assert.equal(s:holder().value, second.held)
    pass(30 * DAY)
    broken = true
    local _, err = run { store = stores() }
    support.assert_error({ kind = "store" }, err)
    assert.equal("g1 g2", made())
    broken = false
    assert_step("none", run { store = stores() })
    assert.equal(s:holder().value, second.held)
    assert.matches("~g2~", s:holder().name)
  end)

  it("does not keep a key whose name the service has changed", function()
    s:fault { type = "body", operation = "create", status = 201, body = [[{"success":true,"data":{"apiKey":{"id":2,
      "name":"other","valid":true,"value":"confident_us_proj_0123456789abcdef0123456789abcdef",
      "created_at":"2026-01-01T00:00:00.000Z","lastUsed":null}}}]] }
    local _, err = run()
    support.assert_error({ kind = "guard" }, err)
    assert.matches("changed the name", err.message)
  end)

  describe("for the client's own key", function()
    it("wants to know where the next run finds it", function()
      s:store("key", s.service.api_key)
      keys = client:organization().api_keys
      assert_refused("manager_store says where the client finds its next one", { adopt = 1 })
    end)

    it("goes through a month", function()
      s:store("manager", s.service.api_key)
      local store
      local function step(action)
        local secret = s:read "manager":gsub("\n$", "")
        keys = s:keys("organization", s:client { api_key = secret })
        store = confidentai.store.file { path = s:path "manager" }
        assert_step(action, run { store = s:store("copy", false), manager_store = store, adopt = 1 })
      end
      pass(40 * DAY)
      step "created"
      assert.equal(s:holder("manager", "organization").id, s:holder("copy", "organization").id)
      step "none"
      pass(DAY)
      step "disabled"
      pass(2 * DAY)
      step "deleted"
      step "none"
      assert.equal("3", s:holder("manager", "organization").id)
      for _, entry in ipairs(assert(s.service:log())) do
        assert.is_false(entry.change ~= nil and entry.method == "DELETE" and entry.credential.id == 1)
      end
    end)
  end)
end)
