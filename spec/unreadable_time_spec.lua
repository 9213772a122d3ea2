-- SPDX-License-Identifier: Apache-2.0
-- Times that cannot be read were taken for "never": an audit found nothing, `keys disable` did not ask, a rotation
-- disabled a key in use, ensure made and deleted a key at each run. Whatever depends on one stays on the safe side.

local command = require "spec.cli.command"
local confidentai = require "confidentai"
local http = require "spec.sandbox.support"
local json = require "cjson"
local scene = require "spec.rotation.scene"
local timestamp = require "confidentai.timestamp"

local check, DAY = confidentai.check, 86400

-- Forms that the service might change to, none of which tells a moment.
local UNREADABLE = { "2026-11-29T23:28:16", "2026-11-29T23:28:16.123456", "1795442700", "yesterday", "" }

describe("a time that cannot be read", function()
  local s = scene.register { projects = { "web" } }

  -- Has the service answer about a key as it is now, but with other fields; of a list, the one key alone.
  local function alter(id, changes, operation)
    local _, by_id = s:on_service()
    local key = by_id[tostring(id)]
    local record = { id = tonumber(id), name = key.name, valid = key.valid, value = "***************" ..
      key.value:sub(-6), created_at = key.created_at, lastUsed = key.last_used or json.null }
    for name, value in pairs(changes) do
      record[name] = value
    end
    local data = operation == "list" and { apiKeys = { record } } or { apiKey = record }
    s:fault { type = "body", times = -1, operation = operation or "get", key_id = operation ~= "list" and id or nil,
      project_id = s.service.projects[1].id, body = json.encode { success = true, data = data } }
  end

  it("is a finding of the audit", function()
    for _, text in ipairs(UNREADABLE) do
      for field, words in pairs { lastUsed = "the time of its last use", created_at = "the time of its creation" } do
        alter(1, { [field] = text }, "list")
        local report = check(s:client():audit { max_age_days = 90, unused_days = 30, clock = s.clock })
        assert.equal(1, #report.findings)
        assert.equal("unreadable_time", report.findings[1].kind)
        assert.equal(words .. " cannot be read: " .. text, report.findings[1].message)
        assert(s.service:clear_faults())
      end
    end
  end)

  -- Such a key was neither old nor unused, and the audit ended well.
  it("is a finding of the audit, too, where it is not told or lies ahead", function()
    for _, case in ipairs {
      { { created_at = "null" }, "the time of its creation is not told by the service" },
      { { created_at = "null", lastUsed = "null" }, "the time of its creation is not told by the service" },
      { { created_at = '"9999-12-31T23:59:59Z"' }, "the time of its creation lies ahead: 9999-12-31T23:59:59Z" },
      { { lastUsed = '"9999-12-31T23:59:59Z"' }, "the time of its last use lies ahead: 9999-12-31T23:59:59Z" },
    } do
      s:fault { type = "record", operation = "list", project_id = s.service.projects[1].id, target = 1,
        fields = case[1], times = -1 }
      local findings = check(s:client():audit { max_age_days = 90, unused_days = 30, clock = s.clock }).findings
      assert.same({ 1, "unreadable_time", case[2] }, { #findings, findings[1].kind, findings[1].message })
      assert.equal(3, command.run(s.service, { "audit", "--fail" }).status)
      assert(s.service:clear_faults())
    end
    s:fault { type = "record", operation = "list", times = -1,
      fields = { created_at = "null", lastUsed = '"2000-01-01T00:00:00Z"' } }
    assert.same({}, check(s:client():audit()).findings) -- nobody asked for ages
  end)

  it("has `keys disable` and `keys delete` ask", function()
    alter(1, { lastUsed = UNREADABLE[1] })
    for _, verb in ipairs { "disable", "delete" } do
      local result = command.run(s.service, { "keys", verb, "1", "--project", s.service.projects[1].id })
      assert.is_truthy(result.errors:find("last used at a time that cannot be read", 1, true), result.errors)
      assert.is_truthy(result.errors:find("It may be in use", 1, true), result.errors)
      assert.not_equal(0, result.status)
      assert.same({}, s:changes())
    end
  end)

  it("is shown as such in a table", function()
    alter(1, { lastUsed = UNREADABLE[1] }, "list")
    local result = command.run(s.service, { "keys", "list", "--project", s.service.projects[1].id })
    assert.is_truthy(result.output:find("unreadable", 1, true), result.output)
  end)

  describe("as the service leaves it out", function()
    local project

    before_each(function()
      project = s.service.projects[1].id
      s:fault { type = "record", scope = "project", times = -1, fields = { lastUsed = "" } }
    end)

    local function shown(...)
      return command.run(s.service, { "keys", "list", "-p", project, ... }).output
    end

    it("is unknown, and not never", function()
      assert.equal(timestamp.UNKNOWN, check(s:keys():get(1)).last_used)
      assert.equal("unreadable", (timestamp.read(timestamp.UNKNOWN)))
      assert.equal("unknown", command.json(shown("-o", "json"))[1].last_used)
      assert.matches(" unknown\n", (shown()))
      local findings = check(s:client():audit { clock = s.clock }).findings
      assert.same({ "unreadable_time", "the time of its last use is not told by the service" },
        { findings[1].kind, findings[1].message })
    end)

    it("has `keys disable` and `keys delete` ask", function()
      for _, verb in ipairs { "disable", "delete" } do
        local result = command.run(s.service, { "keys", verb, "1", "--project", project })
        assert.matches("last used at a time that the service does not tell", result.errors, 1, true)
        assert.matches("It may be in use", result.errors)
      end
      assert.same({}, s:changes())
    end)

    it("proves no secret to be a key's", function()
      local report = check(s:client():identify(s.service.projects[1].api_key, { probe = true }))
      assert.same({ "last6", "accepted", "unknown", "unknown" },
        { report.verdict, report.probe, report[1].last_used, report[1].last_used_after })
      assert.is_nil(report[1].evidence)
    end)

    it("lets no soak end, and no key be deleted", function()
      local rotation = check(s:rotate { soak = DAY, grace = DAY })
      s:pass(31 * DAY)
      assert.equal("stalled", (rotation:advance()))
      assert.matches("Old key 1 .* last used at a time that the service does not tell", rotation:status().text)
      check(rotation:confirm())
      assert.equal("grace", (rotation:advance()))
      s:pass(DAY + 2)
      assert.equal("conflict", (rotation:advance()))
      assert.same({}, s:changes_of "DELETE 1")
    end)

    it("keeps older keys of ensure, and an empty store from being filled", function()
      local function run(name)
        return s:keys("project"):ensure("svc", { store = s:store(name, false), max_age = 30 * DAY, soak = DAY,
          grace = DAY, clock = s.clock, pause = s.pause, random = s.random })
      end
      check(run "key")
      s:pass(31 * DAY)
      check(run "key")
      s:pass(DAY + 2)
      assert.matches("the time when key 2 was last used cannot be read", check(run "key").reason)
      assert.matches("last used at a time that the service does not tell", select(2, run "empty").message)
      assert.is_true(s:on_service()[2].valid)
    end)
  end)

  it("is what a key has that could not be looked at after its secret was tried", function()
    s:fault { type = "status", status = 500, operation = "get", scope = "project", times = -1 }
    local report = check(s:client():identify(s.service.projects[1].api_key, { probe = true }))
    assert.same({ "last6", "unknown" }, { report[1].certainty, report[1].last_used_after })
  end)

  describe("stops a rotation", function()
    local function begin(more)
      local rotation = check(s:rotate(more))
      return rotation, s:holder().id
    end

    it("before it disables the old key, whichever key's last use it is", function()
      http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = s.service.projects[1].api_key })
      local rotation, new = begin { soak = DAY, soak_max = 12 * DAY }
      for _, text in ipairs(UNREADABLE) do
        for _, id in ipairs { 1, new } do
          alter(id, { lastUsed = text })
          s:pass(DAY + 2)
          local state = rotation:advance()
          assert.equal("soaking", state, rotation:status().reason)
          assert.matches("key's last use cannot be read", rotation:status().evidence)
          assert(s.service:clear_faults())
        end
      end
      alter(1, { lastUsed = UNREADABLE[1] })
      s:pass(3 * DAY)
      assert.equal("stalled", (rotation:advance()))
      assert(s.service:clear_faults())
      assert.is_true(s:on_service()[1].valid)
    end)

    it("before it deletes the old key", function()
      local rotation = begin { grace = DAY }
      assert.equal("grace", rotation.state)
      alter(1, { lastUsed = UNREADABLE[1] })
      s:pass(DAY + 2)
      assert.equal("conflict", (rotation:advance()))
      assert.matches("the time of the old key's last use cannot be read", rotation:status().reason)
      assert.same({}, s:changes_of "DELETE 1")
      check(rotation:confirm())
      assert.equal("done", (rotation:advance()))
      assert.same({ "DELETE 1" }, s:changes_of "DELETE 1")
    end)
  end)

  it("has ensure change nothing", function()
    local keys, store = s:keys("project"), s:store("key", false)
    local function run()
      return keys:ensure("svc", { store = store, max_age = 30 * DAY, soak = DAY, grace = DAY, clock = s.clock,
        pause = s.pause, random = s.random })
    end
    check(run())
    alter(s:holder().id, { created_at = UNREADABLE[1] }, "list")
    local before = s:changes()
    for _ = 1, 3 do
      local result, err = run()
      assert.is_nil(result)
      assert.equal("guard", err.kind)
      assert.matches("the time when key svc~g1~%w+ was created cannot be read", err.message)
      s:pass(31 * DAY)
    end
    assert.same(before, s:changes())
  end)
end)
