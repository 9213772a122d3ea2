-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local support = require "spec.support"
local timestamp = require "confidentai.timestamp"

local check = confidentai.check
local DAY = 86400

describe("client:audit", function()
  local service = support.service()
  local client, organization, project

  before_each(function()
    client = support.client(service)
    organization, project = client:organization(), client:project(service.projects[1].id)
  end)
  after_each(function() client:close() end)

  local function ahead(days)
    return function() return os.time() + days * DAY + 60 end
  end

  -- The findings of one key, as texts "kind days".
  local function of(report, key)
    local list = {}
    for _, finding in ipairs(report.findings) do
      if finding.key == key then
        list[#list + 1] = finding.kind .. (finding.days and " " .. finding.days or "")
      end
    end
    return list
  end

  it("counts, and finds nothing in a new organization", function()
    local report = check(client:audit())
    assert.same({}, report.findings)
    assert.same({}, report.unreadable)
    assert.same({ scopes = 3, keys = 4, enabled = 4, disabled = 0, unrotated = 4, findings = 0, unreadable = 0 },
      report.totals)
    assert.equal(service.organization_id, report.organization.id)
    assert.equal(service.base_url, report.base_url)
    assert.is_true(math.abs(select(2, timestamp.read(report.at)) - os.time()) <= 2)
  end)

  it("finds what is old, unused and never used", function()
    local new = check(project.api_keys:create "svc")
    local own = check(organization.api_keys:get(1)) -- used by this very call
    local report = check(client:audit { max_age_days = 90, unused_days = 30, clock = ahead(100) })
    assert.same({ "old 100", "never_used 100" }, of(report, new))
    assert.same({ "old 100", "unused 100" }, of(report, own))
    assert.equal("100 days old, never rotated", report.findings[1].message)
    report = check(client:audit { max_age_days = 90, unused_days = 30, clock = ahead(89) })
    assert.same({ "never_used 89" }, of(report, new))
    assert.same({ "unused 89" }, of(report, own))
    report = check(client:audit { max_age_days = 90, unused_days = 30, clock = ahead(29) })
    assert.same({}, report.findings)
    report = check(client:audit { clock = ahead(1) })
    assert.same({ "never_used 1" }, of(report, new))
    assert.same({}, of(report, own))
    assert.equal(1, report.totals.findings - 3) -- this one, and the three first keys that nobody uses
  end)

  it("finds what is disabled, and names that are taken twice, in one place", function()
    local one, two = check(project.api_keys:create "twin"), check(project.api_keys:create "twin")
    local three = check(organization.api_keys:create "twin")
    check(project.api_keys:disable(two))
    local report = check(client:audit { max_age_days = 1, unused_days = 1, clock = ahead(0) })
    assert.same({ "same_name" }, of(report, one))
    assert.same({ "disabled", "same_name" }, of(report, two))
    assert.same({}, of(report, three))
    assert.equal(1, report.totals.disabled)
    for _, finding in ipairs(report.findings) do
      assert.equal("web", finding.project.name)
      assert.is_string(finding.message)
    end
  end)

  it("knows what rotations make, and what they leave behind", function()
    local first = check(project.api_keys:create "svc~g1~aaaaaaaa")
    local second = check(project.api_keys:create "svc~g2~bbbbbbbb")
    local report = check(client:audit { max_age_days = 40, clock = ahead(40) })
    assert.same({ "old 40", "never_used 40", "superseded 40" }, of(report, first))
    assert.same({ "old 40", "never_used 40" }, of(report, second))
    assert.equal(4, report.totals.unrotated)
    for _, finding in ipairs(report.findings) do
      if finding.kind == "old" then
        assert.equal(finding.key.name:find("~", 1, true) ~= nil, finding.rotated)
        assert.equal(finding.rotated and "40 days old, not rotated since a rotation created it"
          or "40 days old, never rotated", finding.message)
      end
    end
    report = check(client:audit { clock = ahead(36) })
    assert.same({ "never_used 36" }, of(report, first))
    check(project.api_keys:disable(second)) -- a rotation that was rolled back
    assert.same({ "never_used 40" }, of(check(client:audit { clock = ahead(40) }), first))
  end)

  it("goes on without what it cannot read", function()
    local careful = support.client(service, { max_retries = 0 })
    service:fault { type = "status", status = 403, operation = "list", project_id = service.projects[1].id }
    local progress = {}
    local report = check(careful:audit { clock = ahead(2),
      on_progress = function(done, total) progress[#progress + 1] = done .. "/" .. total end })
    careful:close()
    assert.same({ "1/3", "2/3", "3/3" }, progress)
    assert.equal(1, #report.unreadable)
    assert.equal(service.projects[1].id, report.unreadable[1].project.id)
    assert.equal(403, report.unreadable[1].err.status)
    assert.equal(1, report.totals.unreadable)
    assert.equal(3, report.totals.keys)
  end)

  it("orders its findings by place, however the answers come", function()
    service:fault { type = "delay", seconds = 0.2, operation = "list", scope = "organization" }
    service:fault { type = "delay", seconds = 0.1, operation = "list", project_id = service.projects[1].id }
    local report = check(client:audit { clock = ahead(2) })
    local places = {}
    for i, finding in ipairs(report.findings) do
      places[i] = finding.project and finding.project.name or "-"
    end
    assert.same({ "-", "web", "research" }, places)
  end)

  it("asks for everything at once", function()
    service:fault { type = "delay", seconds = 0.6, operation = "list", times = -1 }
    local clock = require("confidentai.core").now
    local begun = clock()
    check(client:audit())
    assert.is_true(clock() - begun < 1.5) -- one after the other: 1.8
    assert.equal(5, #support.requests(service))
  end)

  it("fails where the projects or the organization cannot be asked for", function()
    local careful = support.client(service, { max_retries = 0 })
    for _, operation in ipairs { "projects", "organization" } do
      service:fault { type = "status", status = 500, operation = operation }
      local report, err = careful:audit()
      assert.is_nil(report)
      support.assert_error({ kind = "api", status = 500 }, err)
    end
    careful:close()
  end)

  it("lets go of keys without findings", function()
    local kept = setmetatable({}, { __mode = "k" })
    local all_keys = require "confidentai.all_keys"
    check(all_keys.visit(client, function(scope)
      for _, key in ipairs(scope.keys) do kept[key] = true end
    end))
    collectgarbage()
    collectgarbage()
    assert.is_nil((next(kept)))
  end)

  it("raises about arguments that are none", function()
    for _, options in ipairs { 7, { max_age = 7 }, { max_age_days = "7" }, { max_age_days = -1 },
      { unused_days = 0 / 0 }, { on_progress = 7 } } do
      local ok, message = pcall(client.audit, client, options)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'audit'", message, 1, true)
    end
    assert.is_false(pcall(client.audit))
  end)
end)
