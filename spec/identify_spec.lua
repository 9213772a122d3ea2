-- SPDX-License-Identifier: Apache-2.0
local base_url = require "confidentai.base_url"
local confidentai = require "confidentai"
local support = require "spec.support"

local check = confidentai.check

describe("client:identify", function()
  local service = support.service()
  local client, project

  before_each(function()
    client = support.client(service)
    project = client:project(service.projects[1].id)
  end)
  after_each(function() client:close() end)

  -- Another key of the same end: nature has few, so the service is given one.
  local function give_same_end(place, id, secret)
    local image = check(service:snapshot())
    local record = place == 0 and image.organization or image.projects[place]
    for _, key in ipairs(record.keys.list) do
      if key.id == id then
        key.secret = key.secret:sub(1, -7) .. secret:sub(-6)
      end
    end
    assert(service:restore(image))
  end

  local function last_used(scope, id, project_id)
    return support.key_on_service(service, scope, id, project_id).lastUsed
  end

  -- Makes a request with a key, as its users do.
  local function use(secret, scope)
    local path = scope == "project" and { "v1", "annotation-queues" } or { "v1", "organization" }
    local call = client:start("GET", path, nil, { credential = secret, fresh = true })
    require("confidentai.scheduler").wait(require "confidentai.driver.blocking", call)
    assert(call:result "anything")
  end

  local function seen(path)
    local count = 0
    for _, entry in ipairs(support.requests(service)) do
      count = count + (entry.path:find(path, 1, true) and 1 or 0)
    end
    return count
  end

  it("finds a key by its last characters, in every scope, and touches nothing", function()
    local new = check(project.api_keys:create "leaked")
    local other = check(client:organization().api_keys:create "other")
    local report = check(client:identify(new.value))
    assert.equal(1, #report)
    local match = report[1]
    assert.equal("project", match.scope)
    assert.equal(service.projects[1].id, match.project_id)
    assert.equal("web", match.project_name)
    assert.equal(new, match.key)
    assert.is_nil(match.last_used)
    assert.equal("last6", match.certainty)
    assert.equal("last6", report.verdict)
    assert.equal(3, report.scopes)
    assert.same({}, report.unreadable)
    assert.is_nil(report.probe)
    assert.is_nil(last_used("project", new.id, service.projects[1].id))
    assert.equal("organization", check(client:identify(other.value))[1].scope)
    assert.is_nil(report.secret:find(new.value:sub(1, -7), 1, true))
  end)

  it("takes a mask where nothing is tried", function()
    local report = check(client:identify("***************" .. service.projects[2].api_key:sub(-6)))
    assert.equal(service.projects[2].id, report[1].project_id)
    assert.is_false(pcall(client.identify, client, "***************a1b2c3", { probe = true }))
  end)

  it("proves the key of a project, and notes its last use before that", function()
    local secret = service.projects[1].api_key
    use(secret, "project")
    local before = last_used("project", 1, service.projects[1].id)
    assert(service:set_clock(3600))
    local report = check(client:identify(secret, { probe = true }))
    assert.equal("proven", report.verdict)
    assert.equal("accepted", report.probe)
    assert.equal("proven", report[1].certainty)
    assert.equal("last_used", report[1].evidence)
    assert.equal(before, report[1].last_used)
    assert.equal(last_used("project", 1, service.projects[1].id), report[1].last_used_after)
    assert.is_true(report[1].last_used_after > before)
  end)

  -- A short list may leave the secret's own key out: the only one that ends alike was disabled then.
  it("takes no key for proven because no other ends so, where lastUsed does not move", function()
    assert(service:set { last_used = "never" })
    local new = check(client:organization().api_keys:create "leaked")
    local report = check(client:identify(new.value, { probe = true }))
    assert.same({ "last6", "accepted", "last6" }, { report.verdict, report.probe, report[1].certainty })
    assert.is_nil(report[1].evidence)
    assert.matches("which works, but it is not proven to be its secret", report.message, 1, true)
    assert.equal(service.organization_id, report.organization.id)
    report = check(client:identify(service.projects[1].api_key, { probe = true }))
    assert.same({ "last6", "last6" }, { report.verdict, report[1].certainty })
    service:fault { type = "status", status = 500, operation = "list", project_id = service.projects[2].id, times = -1 }
    local careful = support.client(service, { max_retries = 0 })
    report = check(careful:identify(service.projects[1].api_key, { probe = true }))
    careful:close()
    assert.equal("last6", report[1].certainty) -- a scope that could not be read may hold another
    assert.equal("last6", report.verdict)
    assert.equal(service.projects[2].id, report.unreadable[1].project_id)
    assert.equal(500, report.unreadable[1].err.status)
  end)

  it("says when it is the client's own", function()
    local report = check(client:identify(service.api_key, { probe = true }))
    assert.is_true(report[1].own)
    assert.matches("itself", report.message)
    assert.is_nil(check(client:identify(service.projects[1].api_key))[1].own)
  end)

  describe("of two keys that end alike", function()
    local secret, other

    before_each(function()
      secret = service.projects[1].api_key
      give_same_end(2, 1, secret)
      other = support.key_on_service(service, "project", 1, service.projects[2].id).value
      assert.equal(secret:sub(-6), other:sub(-6))
    end)

    it("does not choose without trying", function()
      local report = check(client:identify(secret))
      assert.equal("ambiguous", report.verdict)
      assert.same({ "ambiguous", "ambiguous" }, { report[1].certainty, report[2].certainty })
    end)

    it("tells the one whose last use moves", function()
      for index, tried in ipairs { secret, other } do
        local report = check(client:identify(tried, { probe = true }))
        assert.equal("proven", report.verdict)
        assert.same({ "proven", "last_used" }, { report[index].certainty, report[index].evidence })
        assert.equal("excluded", report[3 - index].certainty)
        assert(service:set_clock(index * 3600))
      end
    end)

    it("does not choose where none moves", function()
      assert(service:set { last_used = "never" })
      local report = check(client:identify(secret, { probe = true }))
      assert.equal("ambiguous", report.verdict)
      assert.same({ "ambiguous", "ambiguous" }, { report[1].certainty, report[2].certainty })
    end)

    it("takes the moves of a busy key for nothing", function()
      use(secret, "project") -- a moment ago
      local report = check(client:identify(secret, { probe = true }))
      assert.equal("ambiguous", report.verdict)
    end)

    it("excludes a disabled one", function()
      check(client:project(service.projects[2].id).api_keys:disable(1))
      local report = check(client:identify(secret, { probe = true }))
      assert.equal("proven", report.verdict)
      assert.equal("excluded", report[2].certainty)
    end)

    it("knows an enabled one for another key when the secret is refused", function()
      check(project.api_keys:disable(1))
      local report = check(client:identify(secret, { probe = true }))
      assert.same({ "dead", "refused", "excluded" }, { report.verdict, report[1].certainty, report[2].certainty })
    end)
  end)

  it("tells an organization's key from a project's of the same end", function()
    local secret = check(client:organization().api_keys:create "leaked").value
    give_same_end(1, 1, secret)
    local report = check(client:identify(secret, { probe = true }))
    assert.same({ "proven", "excluded" }, { report[1].certainty, report[2].certainty })
    local unmarked = support.key_on_service(service, "project", 1, service.projects[1].id).value
    report = check(client:identify(unmarked, { probe = true }))
    assert.same({ "excluded", "proven" }, { report[1].certainty, report[2].certainty })
  end)

  it("knows the dead: disabled and deleted", function()
    local new = check(project.api_keys:create "dead")
    check(project.api_keys:disable(new))
    local report = check(client:identify(new.value, { probe = true }))
    assert.same({ "dead", "refused", "refused" }, { report.verdict, report.probe, report[1].certainty })
    check(project.api_keys:delete(new))
    report = check(client:identify(new.value, { probe = true }))
    assert.same({ "dead", "refused", 0 }, { report.verdict, report.probe, #report })
    assert.matches("deleted", report.message)
    report = check(client:identify(new.value))
    assert.same({ "absent", 0 }, { report.verdict, #report })
  end)

  it("knows a key of another organization of the same service", function()
    local organization = { id = "org_other", name = "Other", plan = "free", created_at = "2026-01-01T00:00:00.000Z" }
    local json = require("cjson").new()
    service:fault { type = "body", operation = "organization",
      body = json.encode { success = true, data = { organization = organization } } }
    local report = check(client:identify(service.api_key, { probe = true }))
    assert.same({ "foreign", "excluded", "org_other" },
      { report.verdict, report[1].certainty, report.organization.id })
    assert.matches("Other", report.message)
  end)

  it("believes no proxy", function()
    local careful = support.client(service, { max_retries = 0 })
    for _, status in ipairs { 401, 403, 502 } do
      service:fault { type = "status", status = status, operation = "annotation_queues", body = "<html>",
        content_type = "text/html" }
      local report = check(careful:identify(service.projects[1].api_key, { probe = true }))
      assert.same({ "last6", "failed", status }, { report.verdict, report.probe, report.probe_error.status })
    end
    careful:close()
  end)

  it("sends a secret to the client's base URL only, and once where that settles it", function()
    check(client:identify(service.projects[1].api_key, { probe = true }))
    assert.equal(1, seen "annotation-queues")
    service:fault { type = "redirect", operation = "annotation_queues", location = service.control_url .. "/state" }
    local report = check(client:identify(service.projects[1].api_key, { probe = true }))
    assert.equal("failed", report.probe)
    assert.equal("EU", base_url.region "https://EU.api.confident-ai.com/")
    assert.is_nil(base_url.region "https://eu.api.confident-ai.com.example.org")
    assert.is_nil(base_url.region(service.base_url))
  end)

  it("takes several at once, and lists each scope once", function()
    local secrets = { service.projects[1].api_key, service.api_key, "confident_us_org_0123456789abcdef0000" }
    local reports = check(client:identify(secrets))
    assert.same({ "last6", "last6", "absent" }, { reports[1].verdict, reports[2].verdict, reports[3].verdict })
    assert.equal(4, #support.requests(service))
  end)

  it("says what it did, with times, and how far it is", function()
    local seconds, progress = 1800000000, {}
    local report = check(client:identify(service.projects[1].api_key, { probe = true, clock = function()
      seconds = seconds + 1
      return seconds
    end, on_progress = function(done, total) progress[#progress + 1] = done .. "/" .. total end }))
    assert.same({ "1/3", "2/3", "3/3" }, progress)
    assert.matches("^2027%-01%-15T08:00:%d%dZ$", report.at)
    local words = {}
    for i, step in ipairs(report.steps) do
      assert.matches("^2027%-01%-15T08:00:%d%dZ$", step.at)
      assert.is_nil(step.what:find(service.projects[1].api_key, 1, true))
      words[i] = step.what
    end
    words = table.concat(words, "\n")
    assert.matches("looked through the keys of 3 of 3 scopes; matches by the last 6 characters: 1", words)
    assert.matches("was last used: never", words)
    assert.matches("tried the secret: accepted", words)
    assert.matches("service's clock", words)
  end)

  it("fails where the projects cannot be listed", function()
    check(client:organization().api_keys:disable(1, { force = true }))
    local report, err = client:identify(service.projects[1].api_key)
    assert.is_nil(report)
    assert.equal(401, err.status)
  end)

  it("raises about arguments that are none, and quotes none", function()
    for _, arguments in ipairs {
      { nil }, { 7 }, { "" }, { {} }, { "short" }, { "confident_us_org_ 0123456789abcdef" }, { "***a1b2c3d4" },
      { { "confident_us_org_0123456789abcdef", 7 } }, { service.api_key, 7 }, { service.api_key, { prob = true } },
      { service.api_key, { probe = 1 } },
    } do
      local ok, message = pcall(client.identify, client, arguments[1], arguments[2])
      assert.is_false(ok)
      assert.matches("bad argument #%d to 'identify'", message)
      assert.is_nil(message:find("0123456789", 1, true))
    end
    assert.is_false(pcall(client.identify, 7, service.api_key))
  end)
end)
