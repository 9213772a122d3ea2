-- SPDX-License-Identifier: Apache-2.0
-- The doctor: what it finds, and that it changes nothing but what it is told to, each by its id.

local confidentai = require "confidentai"
local http = require "spec.sandbox.support"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("the doctor", function()
  local s = scene.register { projects = { "web" } }

  local function examine(fix)
    local before = #assert(s.service:log())
    local report = check(confidentai.rotation.doctor(s:client(), s:opening { fix = fix }))
    if not fix then
      for _, entry in ipairs(assert(s.service:log(before))) do
        assert.equal("GET", entry.method)
      end
    end
    s:assert_no_secret(report.problems)
    for _, finding in ipairs(report.findings) do
      s:assert_no_secret(finding.message)
      assert.is_nil(finding.fix)
      assert.is_boolean(finding.fixable)
    end
    return report
  end

  -- The only finding.
  local function find(kind)
    local report = examine()
    assert.equal(1, #report.findings, report.findings[2] and report.findings[2].message)
    assert.equal(kind, report.findings[1].kind)
    return report.findings[1]
  end

  local function assert_fixed(finding)
    local fixed = examine { finding.id }.findings
    assert.equal(finding.id, fixed[1].id)
    assert.is_true(fixed[1].fixed, tostring(fixed[1].err))
    assert.same({}, examine().findings)
  end

  it("finds nothing where nothing is", function()
    local report = examine()
    assert.same({ findings = {}, problems = {} }, report)
    check(s:rotate())
    assert.same({ findings = {}, problems = {} }, examine())
    check(s:rotate { id = 2, store = s:store(nil, false), soak = DAY, adoption = "time" })
    assert.same({ findings = {}, problems = {} }, examine())
  end)

  it("finds suspects, and looks for them when told to", function()
    s:fault { type = "late_commit", operation = "create", clock_seconds = 3600 }
    check(s:rotate())
    local finding = find "suspect"
    assert.matches("may still take effect", finding.message)
    s:pass(3600)
    find "suspect" -- and no stray: a record knows its name
    assert.equal(2, #s:on_service())
    examine { finding.id }
    assert.is_false(s:on_service()[2].valid)
    s:pass(DAY + 2)
    examine { finding.id }
    assert.same({}, examine().findings)
    assert.equal(1, #s:on_service())
  end)

  it("finds strays, and removes those that it is told to", function()
    local keys = s:keys()
    for _, name in ipairs { "x~g1~abcdefgh", "x~g2~abcdefgh", "x~g3~ABCDEFGH", "x" } do
      check(keys:create(name))
    end
    check(s:keys "organization":create "x~g1~abcdefgh")
    http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = s.service.projects[1].api_key })
    s:pass(31 * DAY)
    local findings = examine().findings
    assert.equal(3, #findings)
    for _, finding in ipairs(findings) do
      assert.equal("stray", finding.kind)
      assert.matches("was made by a rotation that no record here knows", finding.message)
    end
    local id = ("stray:%s/2"):format(s.service.projects[1].id)
    local function fix(...)
      local fixed = {}
      for _, finding in ipairs(examine { ... }.findings) do
        fixed[#fixed + 1] = finding.fixed ~= nil and finding or nil
      end
      assert.equal(1, #fixed)
      assert.equal(id, fixed[1].id)
      return fixed[1]
    end
    assert.is_true(fix(id, "stray:nothing").fixed)
    assert.is_false(s:on_service()[2].valid)
    for _, seconds in ipairs { 0, 5, DAY - 60 } do
      s:pass(seconds)
      local finding = fix(id)
      assert.is_false(finding.fixed)
      assert.matches("it was disabled less than a day ago", finding.err.message)
      assert.equal(5, #s:on_service())
    end
    s:pass(60)
    assert.is_true(fix(id).fixed)
    assert.equal(2, #examine().findings)
    assert.equal(4, #s:on_service())
    assert.equal(3, #s:on_service "organization")
  end)

  it("does not remove the client's own key", function()
    local key = check(s:keys "organization":create "x~g1~abcdefgh")
    local client = s:client { api_key = key.value }
    s:pass(31 * DAY)
    for _, mode in ipairs { "normal", "never", "still", "future" } do
      assert(s.service:set { last_used = mode })
      local finding = check(confidentai.rotation.doctor(client, s:opening())).findings[1]
      assert.is_false(finding.fixable)
      assert.matches("use", finding.message)
      check(confidentai.rotation.doctor(client, s:opening { fix = { finding.id } }))
      assert.same({ "POST 3" }, s:changes())
      s:pass(31 * DAY)
    end
  end)

  it("finds what is overdue, and goes on with it when told to", function()
    check(s:rotate { soak = DAY, grace = DAY, adoption = "time" })
    s:pass(DAY + 3600)
    assert.same({}, examine().findings) -- as late as timers may be
    s:pass(3700)
    assert_fixed(find "overdue")
    assert.equal("grace", s:open().state)
    s:pass(DAY + 7300)
    local finding = find "overdue"
    assert.matches("%(grace%) is due, and no run has advanced it for 2 hours$", finding.message)
    assert_fixed(finding)
    assert.equal(1, #s:on_service())
  end)

  it("leaves one alone that waits for evidence, or for somebody", function()
    check(s:rotate { soak = DAY, adoption = "confirm" })
    s:pass(5 * DAY)
    assert.same({}, examine().findings)
    check(s:open():confirm())
    s:pass(DAY + 2)
    assert_fixed(find "overdue")
  end)

  it("finds what has stopped", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    check(s:keys():disable(2))
    s:open():advance()
    local finding = find "stopped"
    assert.matches("has stopped %(conflict%): another process or person has disabled the new key", finding.message)
    assert.is_false(finding.fixable)
    local again = examine { finding.id }.findings[1]
    assert.is_nil(again.fixed)
    assert.equal("conflict", s:open().state)
  end)

  it("finds what has not cleaned up", function()
    s:fault { type = "drop", method = "DELETE", times = -1 }
    assert(s.service:set { propagation = 1000 })
    s:rotate()
    s.service:clear_faults()
    examine { find("unsettled").id }
    s:pass(60)
    assert_fixed(find "unsettled")
    assert.equal(1, #s:on_service())
  end)

  it("tells what it could not read", function()
    s:rotate { soak = DAY }
    local path = s:record_path()
    s:write(path:sub(#s.folder + 2), "damaged")
    local report = examine()
    assert.equal(1, #report.problems)
    assert.matches("damaged", tostring(report.problems[1]))
    assert.equal("stray", report.findings[1].kind)
    os.remove(path)
    s:fault { type = "status", status = 500, path = "^/v1/projects/.*/api%-keys", times = -1 }
    local finding = find "unreadable"
    assert.is_false(finding.fixable)
  end)

  it("gives up when it can see nothing", function()
    s:fault { type = "status", status = 500, times = -1 }
    local report, err = confidentai.rotation.doctor(s:client(), s:opening())
    assert.is_nil(report)
    support.assert_error({ status = 500 }, err)
  end)
end)
