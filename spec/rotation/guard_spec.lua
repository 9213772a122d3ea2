-- SPDX-License-Identifier: Apache-2.0
-- Keys that must not be removed though a rotation may take them for its own, and keys that are not gone though an
-- answer says so: what the one guard of all removals knows (rotation/guard.lua).

local confidentai = require "confidentai"
local names = require "confidentai.rotation.names"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("a key is never removed", function()
  local s = scene.register { projects = { "web" } }

  local function copy_state(name, from)
    assert(os.execute(("cp -a '%s' '%s'"):format(s:path(from or "state"), s:path(name))))
  end

  local function use(id)
    local _, by_id = s:on_service()
    check(s:client():identify(by_id[id].value, { probe = true }))
  end

  -- A store that cannot be read back.
  local function vault()
    return confidentai.store.callback { name = "vault", put = function() return true end }
  end

  -- A rotation whose state folder is copied while its create is on record; and one of the copy, advanced later.
  local function copied(store)
    local copy
    local rotation = check(s:rotate { store = store, soak = DAY, adoption = "time", on_step = function(event)
      if event.what == "creating" and not copy then
        copy = true
        copy_state "copy"
      end
    end })
    assert.equal("soaking", rotation.state)
    local list = check(confidentai.rotation.open(s:client(), s:opening { state_dir = s:path "copy",
      stores = { store } }))
    local before = #s:changes()
    list[1]:advance()
    s:pass(60)
    local state, err = list[1]:advance()
    return list[1], state, err, before
  end

  it("by an old copy of the state folder, when a store holds it", function()
    local rotation, state, err, before = copied(nil)
    assert.equal("conflict", state, tostring(err))
    assert.matches("holds its secret; is the state folder an old copy%?", rotation:status().reason)
    assert.equal(before, #s:changes())
    assert.is_true(s:holder().valid)
  end)

  -- "***************" is the end of no text: a key that a store held was deleted.
  for _, shown in ipairs { 0, 4 } do
    it(("by an old copy of the state folder, where a mask shows %d characters of the key that a store holds")
      :format(shown), function()
      local copy
      check(s:rotate { soak = DAY, adoption = "time", on_step = function(event)
        if event.what == "creating" and not copy then
          copy = true
          copy_state "copy"
        end
      end })
      local key = s:holder()
      s:fault { type = "record", times = -1, target = key.id, fields = { lastUsed = "null",
        value = ('"***************%s"'):format(key.value:sub(#key.value - shown + 1)) } }
      local list = check(confidentai.rotation.open(s:client(), s:opening { state_dir = s:path "copy" }))
      list[1]:advance()
      s:pass(3600)
      assert.equal("conflict", (list[1]:advance()))
      assert.matches("may hold its secret, of which the service does not show", list[1]:status().reason)
      assert.is_true(s:holder().valid)
    end)
  end

  it("by an old copy of the state folder, when somebody else has used it", function()
    local rotation, state, err, before = copied(vault())
    assert.equal("conflict", state, tostring(err))
    assert.matches("it was used at .* is the state folder an old copy%?", rotation:status().reason)
    assert.equal(before, #s:changes())
    local _, by_id = s:on_service()
    assert.is_true(by_id["1"].valid and by_id["2"].valid)
  end)

  -- A proof by the copy hid what others had done, and its key seemed to be unused.
  it("by an old copy of the state folder that proves it again, and cannot publish it", function()
    for _, at in ipairs { "created", "proving the new key", "proven" } do
      s.service:reset()
      s:pass(0)
      local broken
      local store = confidentai.store.callback { name = "vault", put = function()
        return not broken or nil, "the vault is sealed", "failed"
      end }
      local options = s:options { store = store, on_step = function(event)
        if event.what == at then
          copy_state("copy of " .. at, "state of " .. at)
        end
      end, state_dir = s:path("state of " .. at) }
      options.soak, options.grace = nil, nil
      check(s:keys():provision("svc", options))
      s:pass(DAY)
      use "2"
      s:pass(60)
      broken, options.state_dir, options.on_step = true, s:path("copy of " .. at), nil
      for _ = 1, 2 do
        local key, err = s:keys():provision("svc", options)
        assert.is_nil(key)
        assert.matches("used .*at .* is the state folder an old copy%?", err.message)
        s:pass(60)
      end
      assert.same({ "POST 2" }, s:changes())
    end
  end)

  it("by an old copy of the state folder, when no store can be read and the service shows no use", function()
    assert(s.service:set { last_used = "never" })
    local rotation, state, err, before = copied(vault())
    assert.equal("soaking", state, tostring(err)) -- of a key of its own
    local made = { [before + 1] = "POST 3" }
    for i, change in ipairs(s:changes()) do
      assert.equal(i > before and made[i] or change, change)
    end
    s:pass(DAY + 2)
    rotation:advance()
    local _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
    local said = false
    for _, event in ipairs(rotation:status().history) do
      said = said or event.what:find("is not removed yet: the service does not show the use of the key that this "
        .. "client uses", 1, true) ~= nil
    end
    assert.is_true(said)
    assert(s.service:set { last_used = "normal" })
    use "2"
    rotation:advance()
    _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
  end)

  it("by an old copy of the state folder, when no store can be read and uses of project keys are not shown", function()
    for _, operation in ipairs { "get", "list" } do
      s:fault { type = "record", operation = operation, scope = "project", times = -1, fields = { lastUsed = "null" } }
    end
    copied(vault())
    use "2"
    local _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
  end)

  it("before a late lastUsed would show that somebody uses it", function()
    assert(s.service:set { last_used = "late", last_used_delay = 900 })
    check(s:client():whoami()) -- a use that shows 900 s later
    s:pass(920)
    s:fault { type = "lost_answer", operation = "create" }
    local rotation = check(s:rotate { soak = DAY, adoption = "time" })
    assert.same({ "POST 2", "POST 3" }, s:changes())
    s:pass(600)
    check(rotation:advance())
    assert.same({}, s:changes_of "PUT 2 false")
    s:pass(1200)
    check(rotation:advance())
    assert.same({ "PUT 2 false" }, s:changes_of "PUT 2 false")
    s:pass(DAY + 2)
    rotation:advance()
    assert.same({ "DELETE 2" }, s:changes_of "DELETE 2")
  end)

  it("when the answer to a create names it and it is older", function()
    local _, by_id = s:on_service()
    local other = check(s:keys():create "production")
    s:pass(3600)
    for _, hidden in ipairs { false, true } do -- whether the list that was taken before shows it
      if hidden then
        s:fault { type = "short_list", operation = "list", hide = { 2 }, times = 1 }
      end
      s:fault { type = "body", operation = "create", status = 201, body = ([[{"success":true,"data":{"apiKey":{"id":2,
        "name":"production","valid":true,"value":"%s","created_at":"%s","lastUsed":null}}}]]):format(other.value,
        other.created_at) }
      local rotation = check(s:rotate { id = tonumber(s:holder() and s:holder().id or 1),
        store = s:store(nil, s:holder() and s:holder().value or by_id["1"].value) })
      assert.equal("done", rotation.state)
      s:clean_up(rotation, 2 * DAY)
      for _, change in ipairs(s:changes()) do
        assert.is_nil(change:find("^%u+ 2 false$"), change)
        assert.is_true(change ~= "DELETE 2")
      end
    end
    _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
    assert.equal(2, #s:on_service())
  end)

  it("when it was used before it could be disabled", function()
    s:fault { type = "lost_answer", operation = "create" }
    local rotation, err = s:rotate { on_step = function(event)
      if event.what:find("^it is unclear") then
        use "2"
      end
    end }
    assert.is_nil(rotation)
    support.assert_error({ kind = "guard", state = "conflict" }, err)
    assert.same({ "POST 2" }, s:changes())
    rotation = s:open()
    assert.equal("conflict", (rotation:advance()))
    check(s:keys():delete(2)) -- by a person, who has found out
    assert.equal("done", (rotation:run()))
  end)

  it("when the service tells of its use late, and it works again", function()
    s:fault { type = "lost_answer", operation = "create" }
    local rotation = check(s:rotate { soak = DAY, adoption = "time" })
    local _, by_id = s:on_service()
    assert.is_false(by_id["2"].valid)
    s:pass(DAY + 2)
    local key = by_id["2"]
    for _, last_used in ipairs { key.created_at, "yesterday" } do
      s:fault { type = "body", operation = "get", key_id = 2, body = ([[{"success":true,"data":{"apiKey":{"id":2,
        "name":"%s","valid":false,"value":"%s","created_at":"%s","lastUsed":"%s"}}}]]):format(key.name,
        ("*"):rep(15) .. key.value:sub(-6), key.created_at, last_used) }
    end
    assert.equal("conflict", (rotation:advance()))
    _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
    assert.same({}, s:changes_of "DELETE 2")
  end)

  it("before it was disabled for as long as users take to notice", function()
    s:fault { type = "lost_answer", operation = "create" }
    local rotation = check(s:rotate { soak = DAY, adoption = "time" })
    assert.same({ "POST 2", "PUT 2 false", "POST 3" }, s:changes())
    s:pass(DAY - 60)
    check(rotation:advance())
    assert.same({}, s:changes_of "DELETE 2")
    s:pass(120)
    check(rotation:advance())
    assert.same({ "DELETE 2" }, s:changes_of "DELETE 2")
  end)

  it("when a person has enabled it again", function()
    s:fault { type = "lost_answer", operation = "create" }
    local rotation = check(s:rotate())
    check(s:keys():enable(2))
    for _ = 1, 3 do
      s:pass(DAY)
      check(rotation:advance())
    end
    local _, by_id = s:on_service()
    assert.is_true(by_id["2"].valid)
  end)

  it("as it cannot be told when it was made", function()
    s:fault { type = "lost_answer", operation = "create" }
    s:fault { type = "record", operation = "get", times = -1, target = 2, fields = { created_at = '"now"' } }
    s:fault { type = "record", operation = "list", times = -1, target = 2, fields = { created_at = '"now"' } }
    local rotation, err = s:rotate()
    assert.is_nil(rotation)
    support.assert_error({ kind = "guard", state = "conflict" }, err)
    assert.same({ "POST 2" }, s:changes())
  end)
end)

describe("a key is gone only", function()
  local s = scene.register { projects = { "web" } }

  -- A rotation in its grace, whose last step is next.
  local function last_step()
    local rotation = check(s:rotate { grace = DAY })
    assert.equal("grace", rotation.state)
    s:pass(DAY + 2)
    return rotation
  end

  local ABSENT = { { body = "default backend", content_type = "text/plain" }, { body = {} },
    { body = [[{"success":false,"error":"Project not found"}]] } }

  it("when its address says so in an envelope and the list does not show it", function()
    for _, answer in ipairs(ABSENT) do
      for _, operation in ipairs { "get", "delete" } do
        s.service:reset()
        local rotation = last_step()
        s:fault { type = "status", status = 404, operation = operation, key_id = 1, body = answer.body,
          content_type = answer.content_type, times = 2 }
        local state = rotation:advance()
        local _, by_id = s:on_service()
        assert.is_true(by_id["1"] == nil or state ~= "done" or not rotation:status().finished)
        s.service:clear_faults()
        s:pass(3600)
        assert.equal("done", (rotation:advance()))
        assert.is_true(rotation:status().finished)
        assert.equal(1, #s:on_service())
        os.remove(s:record_path())
      end
    end
  end)

  it("when that list is complete", function()
    local rotation = last_step()
    s:fault { type = "status", status = 404, operation = "get", key_id = 1, times = -1 }
    s:fault { type = "short_list", operation = "list", hide = { 1, 2 }, times = -1 }
    rotation:advance()
    s.service:clear_faults()
    assert.equal("done", (rotation:advance()))
    assert.is_true(rotation:status().finished)
    local _, by_id = s:on_service()
    assert.is_nil(by_id["1"])
  end)
end)

describe("a name that the service changes", function()
  local s = scene.register { projects = { "web" } }

  it("is found again by its operation, and its key is removed", function()
    for _, form in ipairs { "trimmed", "lower", "upper", "cut", "nfc", "nfd", "folded", "prefixed", "suffixed" } do
      for _, lost in ipairs { false, true } do
        s.service:reset()
        s.ahead = 0
        local base = (" O\204\136l  \195\132 "):rep(form == "cut" and 9 or 1)
        assert(s.service:set { names = form })
        if lost then
          s:fault { type = "lost_answer", operation = "create" }
        end
        local rotation, err = s:rotate { base = base }
        if rotation then -- that form leaves this name as it is
          assert.equal("done", rotation.state)
        else
          support.assert_error({ kind = "guard", state = "name_altered" }, err)
          assert.equal(1, #support.requests(s.service, "POST"))
          assert.equal("1", s:holder().id)
          s:clean_up(s:open(), 60)
        end
        assert.equal(1, #s:on_service(), form)
        assert.is_true(s:holder().valid)
        os.remove(s:record_path())
      end
    end
  end)

  it("is not another's", function()
    local attempt = { name = "svc~g2~abcd2345", op = "abcd2345" }
    for _, name in ipairs { "SVC~G2~ABCD2345", "svc~g2~", "svc~g2~abc", "key: svc~g2~abcd2345 (1)" } do
      assert.same({ true, true }, { names.is_of(name, attempt) }, name)
    end
    for _, name in ipairs { "svc", "svc~", "svc~g2", "svc~g1~abcd2346", "svc~g2~bbcd2345", "" } do
      assert.is_false((names.is_of(name, attempt)), name)
    end
    assert.is_false((names.is_of(nil, attempt)))
  end)

  -- A long name is the beginning of the name that was sent, as one that the service has cut is.
  it("is not that of the old key, which is as long", function()
    local long = ("n"):rep(64)
    for _, lost in ipairs { false, true } do
      local old = check(s:keys():create(long))
      if lost then
        s:fault { type = "lost_answer", operation = "create" }
      end
      local rotation = check(s:rotate { id = old.id, store = s:store("key", old.value) })
      assert.equal("done", rotation.state)
      s:clean_up(rotation)
      assert.equal(2, #s:on_service()) -- with the first of the project
      assert.is_true(s:holder().valid)
      check(s:keys():delete(tonumber(s:holder().id)))
      os.remove(s:record_path())
    end
  end)

  it("is not made where it could not be read back", function()
    check(s:keys():create "ci~g999999999~aaaaaaaa")
    local rotation, err = s:rotate { base = "ci" }
    assert.is_nil(rotation)
    support.assert_error({ kind = "guard", state = "planned", outcome = "not_applied" }, err)
    assert.matches("give another base", err.message)
    assert.equal(2, #s:on_service())
  end)
end)

describe("a rotation that is begun again", function()
  local s = scene.register { projects = { "web" } }

  local function waiting()
    return check(s:rotate { soak = DAY, grace = DAY, adoption = "time" })
  end

  it("goes on at once with a key that is found to be compromised", function()
    waiting()
    local rotation = check(s:rotate { store = s:store(nil, false), compromised = true, soak = DAY, grace = DAY })
    assert.equal("done", rotation.state)
    assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
    assert.is_true(s:holder().valid)
  end)

  it("is refused with another store or option", function()
    local first = waiting()
    local again = { soak = DAY, grace = DAY }
    for name, value in pairs { soak = 5, grace = 0, adoption = "confirm", replace = true,
      store = s:store("elsewhere", s.service.projects[1].api_key) } do
      local options = { store = s:store(nil, false), soak = again.soak, grace = again.grace, [name] = value }
      local rotation, err = s:rotate(options)
      assert.is_nil(rotation, name)
      support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
      assert.is_truthy(err.message:find("another " .. name, 1, true), err.message)
    end
    assert.equal(first.id, check(s:rotate { store = s:store(nil, false), soak = DAY, grace = DAY }).id)
    assert.same({ "POST 2" }, s:changes())
  end)

  it("for another key of its name leaves the grace of the first alone", function()
    local first = check(s:rotate { grace = DAY, base = "svc" })
    assert.equal("grace", first.state)
    local other = check(s:keys():create "svc")
    local _, by_id = s:on_service()
    local rotation = check(s:rotate { id = other.id, base = "svc", store = s:store("other", by_id["3"].value) })
    assert.equal("done", rotation.state)
    assert.equal("grace", first.state)
    local key, err = s:keys():provision("svc", { store = s:store("third", false), state_dir = s:path "state",
      clock = s.clock, pause = s.pause, random = s.random })
    assert.is_nil(key)
    support.assert_error({ kind = "guard" }, err)
    assert.same({}, s:changes_of "DELETE 1")
    assert.equal("done", check(s:rotate { id = 2, store = s:store(nil, false) }).state) -- of the key that it made
  end)

  it("lets its hold go when it raises, and others go on", function()
    local rotation = waiting()
    collectgarbage "stop" -- which would let it go, too
    local is_broken = false
    local broken = s:open(nil, { clock = function() return is_broken and error "broken" or s.clock() end })
    is_broken = true
    assert.is_false((pcall(broken.advance, broken)))
    local state, err = rotation:advance()
    collectgarbage "restart"
    assert.equal("soaking", state, tostring(err))
  end)
end)
