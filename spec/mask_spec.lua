-- SPDX-License-Identifier: Apache-2.0
-- What the service shows of a key may be less than its last 6 characters, or the end of another secret of it. Nothing
-- is concluded from what is not shown.

local command = require "spec.cli.command"
local confidentai = require "confidentai"
local json = require "cjson"
local support = require "spec.support"

local check = confidentai.check

describe("a mask", function()
  local service = support.service { projects = { "web", "research" } }
  local client, organization

  before_each(function()
    client = support.client(service)
    organization = client:organization().api_keys
  end)
  after_each(function() client:close() end)

  local function record(value, more)
    local fields = { id = 1, name = "manager", valid = true, value = value, created_at = "2026-11-01T00:00:00Z" }
    for name, field in pairs(more or {}) do
      fields[name] = field
    end
    return fields
  end

  local function show(value, more)
    service:fault { type = "body", times = -1, operation = "get", scope = "organization",
      body = json.encode { success = true, data = { apiKey = record(value, more) } } }
  end

  local function list(keys)
    service:fault { type = "body", times = -1, operation = "list", project_id = service.projects[1].id,
      body = json.encode { success = true, data = { apiKeys = keys } } }
  end

  describe("that shows nothing", function()
    local EMPTY = { "confident_us_****", "***************", "*", "", "confident_us_org_abc***" }

    it("may be the client's own key: nothing ends it without force", function()
      for _, value in ipairs(EMPTY) do
        show(value)
        for _, change in ipairs {
          function() return organization:disable(1) end, function() return organization:delete(1) end,
          function() return organization:update(1, { valid = false }) end,
        } do
          local result, err = change()
          assert.is_nil(result, value)
          support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
          assert.matches("does not show how this key ends", err.message, 1, true)
        end
        for _, verb in ipairs { "disable", "delete" } do
          local result = command.run(service, { "keys", verb, "1", "--yes" })
          assert.equal(6, result.status, result.errors)
        end
        assert(service:clear_faults())
      end
      assert.equal(0, support.applied(service, "PUT") + support.applied(service, "DELETE"))
      local other = check(organization:create "other")
      show("***************", { id = other.id, valid = false })
      assert.is_false(check(organization:disable(other, { force = true })).valid)
    end)

    it("proves no absence", function()
      list { record "***************" }
      local report = check(client:identify("confident_us_proj_" .. ("0"):rep(40)))
      assert.equal("unclear", report.verdict)
      assert.matches("does not show how 1 of the 1 keys end", report.unreadable[1].err.message, 1, true)
    end)
  end)

  -- The last 6 bytes of "••••abcd" are a half of a bullet, a bullet and "abcd": they seemed to be another key's end.
  describe("in another form", function()
    local FORMS = { "••••••••••••••••%s", "confident_us_org_ab...%s", "confident_us_org_ab…%s", "...%s", "****…%s",
      "confident_us_org_xxxxxxxxxxxxxxxxxxxxxxxx%s", "xxxxxxxxxxxxxxxxxxxx%s", "################%s", "●●●●●●●●%s",
      "confident_us_org_[redacted]", "confident_us_org_<hidden>", "confident_us_org_000000000000000000000000",
      "redacted-by-the-service", "[hidden]", "<ends in %s>", "*** hidden ***", "**** hidden", "hidden secret" }

    it("is no other key's: the client's own stays without force", function()
      for _, form in ipairs(FORMS) do
        for shown = 1, 6 do
          show(form:format(service.api_key:sub(-shown)))
          local key = check(organization:get(1))
          assert.is_not_false(client:owns(key), key.value)
          assert.matches("^%*+[%w+/=_-]*$", key.value)
          local result, err = organization:disable(1)
          assert.is_nil(result, key.value)
          support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
          assert(service:clear_faults())
        end
      end
      assert.equal(0, support.applied(service, "PUT"))
    end)

    it("is compared by what it shows, and proves no absence", function()
      local secret = "confident_us_proj_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
      for _, form in ipairs(FORMS) do
        for _, shown in ipairs { "7", "yZ7", "4yZ7", "vW4yZ7" } do
          list { record(form:format(shown)), record("***************xxxxxx", { id = 2 }) }
          local report = check(client:identify(secret))
          assert.equal(#report == 1 and "last6" or "unclear", report.verdict, form)
        end
      end
      list { record(FORMS[1]:format "4yZ7"), record(FORMS[2]:format "5yZ7", { id = 2 }) }
      local report = check(client:identify(secret))
      assert.same({ 1, 1 }, { #report, report[1].key.id })
    end)
  end)

  it("that shows less than it should is compared by that", function()
    local secret = "confident_us_proj_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
    for _, shown in ipairs { "7", "yZ7", "4yZ7" } do
      list { record("****" .. shown), record("****x" .. shown, { id = 2 }) }
      local report = check(client:identify(secret))
      assert.same({ 1, 1 }, { #report, report[1].key.id }, shown)
    end
  end)

  it("of the secret that is to replace a key's is a match", function()
    local secret = "confident_us_proj_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
    list { record("***************abcdef", { shadowValue = "***************" .. secret:sub(-6) }) }
    local report = check(client:identify(secret))
    assert.same({ "last6", true }, { report.verdict, report[1].pending })
    assert.matches("as its pending replacement", report.message, 1, true)
    assert.equal("***************" .. secret:sub(-6), report[1].key.replacement)
    local result = command.run(service, { "identify", "--output", "json" }, { input = secret })
    assert.is_true(json.decode(result.output).matches[1].pending)
  end)
end)

describe("a global key", function()
  local service = support.service()
  local client

  before_each(function() client = support.client(service) end)
  after_each(function() client:close() end)

  it("is never dead because it is refused: what it is and where it is revoked is said", function()
    for _, prefix in ipairs { "confident_us_global_", "confident_eu_global_", "confident_global_" } do
      local secret = prefix .. "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
      local report = check(client:identify(secret, { probe = true }))
      assert.same({ "global", "skipped" }, { report.verdict, report.probe })
      assert.matches("this is a global key: it works in every project, is in no list of keys, and is revoked in the "
        .. "dashboard", report.message, 1, true)
      local contained, err, partial = client:contain(secret)
      assert.is_nil(contained)
      support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
      assert.matches("dashboard", err.next)
      assert.equal("global", partial.verdict)
      local result = command.run(service, { "identify", "--scan", "--probe", "--fail" }, { input = secret })
      assert.equal(3, result.status)
      err = select(2, confidentai.new { api_key = secret, base_url = service.base_url, ca_file = service.ca_file })
      support.assert_error({ kind = "config" }, err)
      assert.matches("api_key is a global key", err.message, 1, true)
    end
  end)
end)

describe("contain", function()
  local service = support.service { projects = { "web" } }
  local client, keys

  before_each(function()
    client = support.client(service)
    keys = client:project(service.projects[1].id).api_keys
  end)
  after_each(function() client:close() end)

  -- Has another key end as the project's first does, and lists leave that one out.
  local function hide()
    local other = check(keys:create "other")
    local image = check(service:snapshot())
    local list = image.projects[1].keys.list
    list[2].secret = list[2].secret:sub(1, -7) .. service.projects[1].api_key:sub(-6)
    assert(service:restore(image))
    service:fault { type = "short_list", operation = "list", project_id = service.projects[1].id, hide = 1, times = -1 }
    return other
  end

  it("does not disable a key that ends alike because lists leave the right one out", function()
    local other = hide()
    local report, err = client:contain(service.projects[1].api_key)
    assert.is_nil(report)
    support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
    assert.matches("confidentai keys disable 2 --project " .. service.projects[1].id, err.next, 1, true)
    assert.is_true(check(keys:get(other)).valid)
  end)

  it("names the command that enables what it has disabled, if the secret still works", function()
    service:fault { type = "body", operation = "annotation_queues", body = '{"success":true,"data":{}}', times = -1 }
    local report, err, partial = client:contain(service.projects[1].api_key, { pause = function() end })
    assert.is_nil(report)
    assert.equal("unknown", err.outcome)
    assert.is_string(partial.contained_at)
    assert.matches("if this key is not the one, enable it again: confidentai keys enable 1 --project "
      .. service.projects[1].id, err.next, 1, true)
  end)
end)
