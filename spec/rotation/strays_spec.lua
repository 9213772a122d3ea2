-- SPDX-License-Identifier: Apache-2.0
-- The doctor on a second machine, with a damaged record, with a record that ended otherwise: a key that no record here
-- knows may still be somebody's.

local confidentai = require "confidentai"
local http = require "spec.sandbox.support"
local job = require "confidentai.rotation.job"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("the doctor", function()
  local s = scene.register { projects = { "web" } }

  local function examine(more)
    return check(confidentai.rotation.doctor(s:client(), s:opening(more))).findings
  end

  -- The only finding, which is a stray key.
  local function stray(more)
    local findings = examine(more)
    assert.equal(1, #findings, findings[2] and findings[2].message)
    assert.equal("stray", findings[1].kind)
    return findings[1]
  end

  -- One that is left alone, whoever asks for it.
  local function assert_left_alone(words, more)
    local before = s:changes()
    local finding = stray(more)
    assert.is_false(finding.fixable)
    assert.is_truthy(finding.message:find(words, 1, true), finding.message)
    local asked = { fix = { finding.id } }
    for name, value in pairs(more or {}) do
      asked[name] = value
    end
    assert.is_nil(stray(asked).fixed)
    assert.same(before, s:changes())
  end

  local function fix(more)
    local id = stray(more).id
    local asked = { fix = { id } }
    for name, value in pairs(more or {}) do
      asked[name] = value
    end
    local finding = examine(asked)[1]
    return finding.fixed, finding.err
  end

  local function use(secret)
    http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = secret })
  end

  local function elsewhere()
    return { state_dir = s:path "second" }
  end

  it("leaves the keys of another machine alone on a second one", function()
    check(s:rotate { base = "svc" })
    assert_left_alone("it was used within 30 days", elsewhere())
    s:pass(29 * DAY)
    assert_left_alone("it was used within 30 days", elsewhere())
    use(s:holder().value)
    s:pass(20 * DAY)
    assert_left_alone("it was used within 30 days", elsewhere())
    s:pass(11 * DAY)
    local finding = stray(elsewhere())
    assert.is_true(finding.fixable)
    use(s:holder().value) -- between the look and the fix
    assert.is_true(s:holder().valid)
    assert.is_nil((fix(elsewhere())))
    assert.is_true(s:holder().valid)
  end)

  it("leaves a key alone whose last use cannot be read, or is not dated", function()
    local keys = s:keys()
    check(keys:create "svc~g1~abcdefgh")
    local record = [[{"id":2,"name":"svc~g1~abcdefgh","valid":true,"value":"***************abcdef",
      "created_at":"2026-01-01T00:00:00.000Z","lastUsed":"yesterday"}]]
    s:fault { type = "body", operation = "list", scope = "project", times = -1,
      body = ([[{"success":true,"data":{"apiKeys":[%s]}}]]):format(record) }
    assert_left_alone "the time of its last use cannot be read"
    assert(s.service:clear_faults())
    local methods = getmetatable(job.new(s:client(), keys, {}))
    local hear = methods.hear
    methods.hear = function() end
    local ok, message = pcall(assert_left_alone, "the service's answers have no Date header",
      { clock = function() return s.clock() + 400 * DAY end })
    methods.hear = hear
    assert.is_true(ok, message)
  end)

  it("leaves a key alone of a name that is on record here", function()
    check(s:rotate { base = "svc" })
    check(s:keys():create "svc~g9~abcdefgh")
    assert_left_alone "rotations of that name are on record here"
    s:edit(function(record) record.base_url = "https://elsewhere.example" end)
    for _, finding in ipairs(examine()) do
      assert.is_false(finding.fixable)
      assert.matches("rotations of that name are on record here", finding.message)
    end
  end)

  it("leaves every key alone while a record cannot be read", function()
    check(s:rotate { base = "svc" })
    s:pass(40 * DAY)
    local path = s:record_path()
    s:write(path:sub(#s.folder + 2), "damaged")
    assert_left_alone "a record here cannot be read, and may know it"
  end)

  -- Lets a new key become so old that only a use could speak for it, in a project of which uses are shown.
  local function make_old(name)
    local key = check(s:keys():create(name or "svc~g1~abcdefgh"))
    s:pass(31 * DAY)
    use(s.service.projects[1].api_key)
    return key
  end

  it("leaves a key alone that was created within 30 days", function()
    local key = check(s:keys():create "svc~g1~abcdefgh")
    use(s.service.projects[1].api_key)
    for _, seconds in ipairs { 0, 7, DAY, 28 * DAY } do
      s:pass(seconds)
      assert_left_alone "it was created within 30 days, and may be on its way into a store of another machine"
    end
    s:pass(DAY)
    assert.is_true((fix()))
    assert.is_false(s:on_service()[2].valid)
    check(s:keys():enable(key))
  end)

  it("takes no key that is in use from another machine while the service does not show uses", function()
    check(s:rotate { base = "svc" })
    make_old "other~g1~abcdefgh" -- and used since, which is not shown
    for _, case in ipairs {
      { { last_used = "never" }, "the service does not show the use of the key that this client uses" },
      { { last_used = "still" }, "the service shows the use of the key that this client uses more than two days late" },
      { { last_used = "late", last_used_delay = 3 * DAY }, "more than two days late" },
    } do
      assert(s.service:set(case[1]))
      s:pass(31 * DAY)
      for _, finding in ipairs(examine(elsewhere())) do
        assert.equal("stray", finding.kind)
        assert.is_false(finding.fixable)
        assert.is_truthy(finding.message:find(case[2], 1, true), finding.message)
      end
    end
  end)

  it("waits until a late lastUsed would show a use", function()
    make_old()
    assert(s.service:set { last_used = "late", last_used_delay = DAY })
    check(s:keys():create "svc~g2~abcdefgh")
    s:pass(30 * DAY - 3600)
    examine()
    s:pass(DAY + 60)
    local findings = examine()
    assert.is_true(findings[1].fixable)
    assert.is_false(findings[2].fixable)
    assert.matches("the service shows uses late, and may not show its last one yet", findings[2].message)
    s:pass(DAY + 60)
    assert.is_true(examine()[2].fixable)
  end)

  it("takes no project key for unused while the service shows no use of any", function()
    check(s:keys():create "svc~g1~abcdefgh")
    s:pass(31 * DAY)
    assert_left_alone "the service shows no use of any project key, so that this one may be in use"
    use(s.service.projects[1].api_key)
    assert.is_true(stray().fixable)
  end)

  it("leaves a key alone that a store of a record holds, or one that cannot be read may hold", function()
    local content
    local vault = confidentai.store.callback { name = "vault", put = function(text) content = text return true end,
      get = function()
        if content == nil then return nil, "down" end
        return content
      end }
    content = s.service.projects[1].api_key
    check(s:rotate { base = "other", store = { s:store(), vault } })
    local key = make_old()
    s:store("key", key.value)
    local stores = { stores = { vault } }
    assert_left_alone(s:path "key" .. " holds its secret", stores)
    s:write("key", "\1" .. ("x"):rep(2 ^ 21))
    assert_left_alone(" cannot be read, and may hold its secret", stores)
    s:store("key", s.service.projects[1].api_key)
    assert_left_alone "vault cannot be read, and may hold its secret" -- as it was not given
    assert.is_true(stray(stores).fixable)
  end)

  it("watches a key for a day that somebody else has disabled", function()
    local key = make_old()
    check(s:keys():disable(key))
    local fixed, err = fix()
    assert.is_false(fixed)
    assert.matches("who disabled it, and when, was not on record", err.message)
    assert.is_false((fix()))
    s:pass(DAY + 2)
    assert.is_true((fix()))
    assert.same({}, examine())
  end)

  it("deletes no key that somebody uses again", function()
    local key = make_old()
    assert.is_true((fix()))
    s:pass(DAY + 2)
    check(s:keys():enable(key))
    use(key.value)
    check(s:keys():disable(key))
    assert_left_alone "it was used within 30 days"
    s:pass(31 * DAY)
    local fixed, err = fix()
    assert.is_false(fixed)
    assert.matches("it was used at", err.message)
    assert.equal(2, #s:on_service())
  end)

  describe("with a rotation that has not ended well", function()
    it("shows the new key that is still there", function()
      check(s:rotate { base = "svc", soak = DAY, adoption = "time" })
      s:edit(function(record)
        record.finished, record.settled, record.stop, record.reason = true, true, "aborted", "for a spec"
      end)
      local finding = stray()
      assert.equal(2, finding.key.id)
      assert.matches("%(enabled, last used .*%) is left over of the rotation of 'svc', which has ended %(aborted%)",
        finding.message)
      assert.is_false(finding.fixable)
    end)

    it("shows the old key that was to be deleted", function()
      check(s:keys():create "svc~g1~abcdefgh")
      s:store("key", s:on_service()[2].value)
      check(s:rotate { id = 2, store = s:store("key", false), soak = DAY, adoption = "time" })
      s:edit(function(record)
        record.finished, record.settled, record.state, record.disabled = true, true, "done", record.published
      end)
      assert.equal(2, stray().key.id)
    end)
  end)

  it("tells of keys that it could not read", function()
    s:fault { type = "body", operation = "list", scope = "project", times = -1,
      body = [[{"success":true,"data":{"apiKeys":[{"id":7,"name":"svc~g1~abcdefgh","valid":null,"value":"x",
        "created_at":"2026-01-01T00:00:00.000Z","lastUsed":null}]}}]] }
    local finding = examine()[1]
    assert.equal("unreadable", finding.kind)
    assert.is_false(finding.fixable)
  end)
end)
