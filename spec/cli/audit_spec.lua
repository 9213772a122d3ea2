-- SPDX-License-Identifier: Apache-2.0
local cli = require "spec.cli.command"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"

local check = confidentai.check
local json = require("cjson").new()

describe("confidentai audit", function()
  local service = support.service()
  local client, command

  before_each(function()
    client = support.client(service)
    command = cli.against(service)
  end)
  after_each(function() client:close() end)

  local EVERYTHING = { "audit", "--max-age", "0d", "--unused", "0d" }

  local function with(...)
    local list = {}
    for _, words in ipairs { EVERYTHING, { ... } } do
      for _, word in ipairs(words) do
        list[#list + 1] = word
      end
    end
    return list
  end

  it("says that all is well", function()
    local status, output, errors = command { "audit" }
    assert.same({ 0, "" }, { status, output })
    assert.equal("Sandbox: 4 keys in the organization and 2 projects (4 enabled, 0 disabled); no findings\n"
      .. "default limits: keys older than 90 days, and keys not used for 90 days (--max-age, --unused)\n", errors)
    status, output, errors = command { "audit", "--quiet", "--fail" }
    assert.same({ 0, "", "" }, { status, output, errors })
  end)

  it("shows a table of findings", function()
    check(client:organization().api_keys:disable(2))
    local status, output = command(with())
    assert.equal(0, status)
    assert.matches("^FINDING +PLACE +ID +NAME +LAST USED +WHY\n", output)
    assert.matches("\ndisabled +%(organization%) +2 +legacy%-ci +never +disabled; the service", output)
    assert.matches("\nnever used +web +1 +Default Key +never +never used in 0 days\n", output)
    assert.is_nil(output:find("\27", 1, true))
  end)

  it("writes JSON as its contract says", function()
    local status, output, errors = command(with("--output", "json"))
    assert.same({ 0, "" }, { status, errors })
    local report = json.decode(output)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", report.at)
    assert.equal(service.base_url, report.base_url)
    assert.equal(service.organization_id, report.organization_id)
    assert.equal("Sandbox", report.organization_name)
    assert.same({ 0, 0 }, { report.max_age_days, report.unused_days })
    assert.same({ scopes = 3, keys = 4, enabled = 4, disabled = 0, unrotated = 4, findings = 8, unreadable = 0 },
      report.totals)
    assert.equal("[]", output:match '"unreadable":(%[%])')
    assert.equal(8, #report.findings)
    local last = report.findings[8]
    last.created_at = nil
    assert.same({ kind = "never_used", days = 0, rotated = false, scope = "project", id = "1", name = "Default Key",
      project_id = service.projects[2].id, project_name = "research", valid = true, last_used = json.null,
      value = "***************" .. service.projects[2].api_key:sub(-6), message = "never used in 0 days" }, last)
  end)

  it("writes lines of JSON, and CSV", function()
    local _, output = command(with("--output", "jsonl"))
    local count = 0
    for line in output:gmatch "[^\n]+" do
      assert.is_string(json.decode(line).kind)
      count = count + 1
    end
    assert.equal(8, count)
    _, output = command(with("-o", "csv"))
    assert.equal("kind,days,rotated,scope,project_id,project_name,id,name,valid,value,created_at,last_used,message",
      output:match "^(.-)\r\n")
    assert.equal(9, select(2, output:gsub("\r\n", "")))
  end)

  it("fails for findings where it is asked to", function()
    assert.equal(3, (command(with("--fail"))))
    assert.equal(0, (command { "audit", "--fail", "--max-age", "90d", "--unused", "4w" }))
  end)

  it("reports what it cannot read, and goes on", function()
    service:fault { type = "status", status = 403, operation = "list", times = -1, project_id = service.projects[1].id }
    local status, output, errors = command { "audit", "--quiet" }
    assert.same({ 0, "" }, { status, output })
    assert.matches("^confidentai: the keys of the project web could not be read", errors)
    assert.equal(3, (command { "audit", "--fail", "--quiet" }))
    status, output, errors = command { "audit", "--output", "json" }
    assert.same({ 0, "" }, { status, errors })
    local report = json.decode(output)
    assert.equal(1, #report.unreadable)
    assert.same({ service.projects[1].id, "web", "api", 403 }, { report.unreadable[1].project_id,
      report.unreadable[1].project_name, report.unreadable[1].kind, report.unreadable[1].status })
  end)

  it("takes times with units only", function()
    for _, text in ipairs { "90", "ninety", "d", "-1d" } do
      local status, output, errors = command { "audit", "--max-age=" .. text }
      assert.same({ 2, "" }, { status, output })
      assert.matches(text == "90" and "'90' has no unit: write 90d" or "is not a duration", errors)
    end
  end)

  it("says what is wrong with the credential and the service", function()
    for _, credential in ipairs { "confident_us_org_" .. ("0"):rep(32), service.projects[1].api_key } do
      assert.equal(4, (command({ "audit" }, { variables = { CONFIDENT_ORG_API_KEY = credential } })))
    end
    local status, _, errors = command({ "audit", "-o", "json" },
      { variables = { CONFIDENT_BASE_URL = "http://127.0.0.1:1" } })
    assert.equal(1, status)
    assert.equal("network", json.decode(errors).error.kind)
  end)

  describe("at a terminal", function()
    before_each(function()
      for i, project in ipairs(service.projects) do
        service:fault { type = "delay", seconds = 0.4 * i, operation = "list", project_id = project.id, times = -1 }
      end
    end)

    it("shows how far it is, and leaves no trace of that", function()
      local status, output = command({ "audit" }, { terminal = true })
      assert.equal(0, status)
      output = output:gsub("^\rReading keys %[#+%.+%] 1/3", "") -- on a slow machine the first answer is late, too
      assert.matches("^\rReading keys %[#+%.+%] 2/3\r\27%[KSandbox: ", output)
    end)

    it("draws no bar where nobody wants one", function()
      for _, options in ipairs { { words = { "audit", "--quiet" } }, { words = { "audit", "--verbose" } },
        { words = { "audit" }, variables = { TERM = "dumb" } } } do
        local _, output = command(options.words, { terminal = true, variables = options.variables })
        assert.is_nil(output:find("[#", 1, true))
      end
      local _, output, errors = command { "audit" }
      assert.is_nil((output .. errors):find("[#", 1, true))
    end)
  end)

  it("is ended by a signal", function()
    service:fault { type = "hang", operation = "list", times = -1 }
    for name, number in pairs { sigint = 2, sigterm = 15, sighup = 1 } do
      local child = cli.start(service, { "audit" })
      local deadline = core.now() + 5
      local before = #support.requests(service)
      while #support.requests(service) <= before + 2 and core.now() < deadline do
        require("luv").sleep(20)
      end
      child:kill(name)
      assert.equal(128 + number, (child:wait(5000)))
      assert.matches("ended by SIG", child.errors)
    end
  end)

  it("helps, with examples", function()
    local status, output = command { "audit", "--help" }
    assert.equal(0, status)
    assert.matches("Examples:\n  confidentai audit %-%-max%-age 90d", output)
  end)
end)
