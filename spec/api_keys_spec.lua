-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local support = require "spec.support"

local check = confidentai.check

describe("api_keys", function()
  local service = support.service()
  local client

  before_each(function()
    client = support.client(service)
  end)
  after_each(function()
    client:close()
  end)

  -- The same promises hold at both scopes.
  local scopes = {
    organization = function() return client:organization().api_keys end,
    project = function() return client:project(service.projects[1].id).api_keys end,
  }

  for scope, api_keys_of in pairs(scopes) do
    describe("of the " .. scope, function()
      local api_keys

      before_each(function()
        api_keys = api_keys_of()
      end)

      local function project_id()
        return scope == "project" and service.projects[1].id or nil
      end

      it("creates a key with its secret, which the service knows", function()
        local key = check(api_keys:create("ci-pipeline"))
        assert.equal("ci-pipeline", key.name)
        assert.is_true(key.valid)
        assert.is_true(key.has_secret)
        assert.equal(scope, key.scope)
        assert.equal(project_id(), key.project_id)
        assert.is_nil(key.last_used)
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", key.created_at)
        assert.equal(support.key_on_service(service, scope, key.id, project_id()).value, key.value)
      end)

      it("creates by a table, too", function()
        assert.equal("by-table", check(api_keys:create { name = "by-table" }).name)
      end)

      it("creates names of any UTF-8", function()
        for _, name in ipairs { "prüfung – 鍵", "a/b?c#d%2e", "../x", "\"quoted\\\"", "tab\tand\nline",
          "\240\159\148\145" } do
          assert.equal(name, check(api_keys:create(name)).name)
          assert.equal(1, #support.keys_named(service, name))
        end
      end)

      it("lists keys with masked values", function()
        local new = check(api_keys:create("listed"))
        local keys = check(api_keys:list())
        local last = keys[#keys]
        assert.equal(new, last)
        assert.equal("listed", last.name)
        assert.is_false(last.has_secret)
        assert.equal(("*"):rep(15) .. new.value:sub(-6), last.value)
      end)

      it("gets a key by its id, its id as text, and the key itself", function()
        local new = check(api_keys:create("got"))
        for _, id in ipairs { new.id, tostring(new.id), new } do
          local key = check(api_keys:get(id))
          assert.equal(new, key)
          assert.equal("got", key.name)
          assert.is_false(key.has_secret)
        end
      end)

      it("gives ids that print without a fraction on every Lua", function()
        assert.matches("^%d+$", tostring(check(api_keys:list())[1].id))
      end)

      it("disables and enables a key", function()
        local new = check(api_keys:create("switched"))
        assert.is_false(check(api_keys:disable(new.id)).valid)
        assert.is_false(support.key_on_service(service, scope, new.id, project_id()).valid)
        assert.is_true(check(api_keys:enable(new.id)).valid)
        assert.is_true(support.key_on_service(service, scope, new.id, project_id()).valid)
      end)

      it("updates a key", function()
        local new = check(api_keys:create("updated"))
        assert.is_false(check(api_keys:update(new.id, { valid = false })).valid)
        assert.is_true(check(api_keys:update(new, { valid = true })).valid)
      end)

      it("deletes a key and says which", function()
        local new = check(api_keys:create("deleted"))
        local deleted = check(api_keys:delete(new.id))
        assert.same({ id = new.id, deleted = true }, deleted)
        assert.is_nil(support.key_on_service(service, scope, new.id, project_id()))
      end)

      it("finds keys by their exact name", function()
        local first, second = check(api_keys:create("twin")), check(api_keys:create("twin"))
        check(api_keys:create("twin-2"))
        local found = check(api_keys:find("twin"))
        assert.equal(2, #found)
        assert.equal(first, found[1])
        assert.equal(second, found[2])
        assert.same({}, check(api_keys:find("nobody")))
      end)

      it("says 404 for a key that is not there", function()
        for _, call in ipairs {
          function() return api_keys:get(999) end,
          function() return api_keys:enable(999) end,
        } do
          local key, err = call()
          assert.is_nil(key)
          support.assert_error({ kind = "api", status = 404, attempts = 1 }, err)
        end
        local _, err = api_keys:delete(999)
        support.assert_error({ kind = "api", status = 404, outcome = "not_applied" }, err)
      end)
    end)
  end

  it("keeps the scopes apart, where ids coincide", function()
    local project = client:project(service.projects[1].id)
    local org_key = check(client:organization().api_keys:list())[1]
    local project_key = check(project.api_keys:list())[1]
    assert.equal(tostring(org_key.id), tostring(project_key.id))
    assert.not_equal(org_key, project_key)
    assert.has_error(function() project.api_keys:get(org_key) end)
    assert.has_error(function() client:organization().api_keys:delete(project_key) end)
    assert.has_error(function() client:project(service.projects[2].id).api_keys:disable(project_key) end)
  end)

  it("accepts ids that are strings", function()
    assert(service:set { ids = "string", id_prefix = "-" })
    local api_keys = client:organization().api_keys
    local key = check(api_keys:create("text-id"))
    assert.equal("-3", key.id)
    assert.equal(key, check(api_keys:get(key.id)))
    assert.is_false(check(api_keys:disable(key)).valid)
    assert.same({ id = key.id, deleted = true }, check(api_keys:delete(key)))
  end)

  it("works below a path prefix, whatever slashes end it", function()
    local prefixed = assert(require("confidentai.sandbox").start { base_path = "/confident/api" })
    finally(function() prefixed:stop() end)
    assert.matches("/confident/api$", prefixed.base_url)
    local prefixed_client = support.client(prefixed, { base_url = prefixed.base_url .. "//" })
    assert.equal(prefixed.base_url, prefixed_client.base_url)
    assert.is_true(#check(prefixed_client:organization().api_keys:list()) > 0)
  end)

  describe("the client's own key", function()
    local api_keys, own

    before_each(function()
      api_keys = client:organization().api_keys
      own = check(client:whoami()).key
    end)

    local attempts = {
      disable = function(options) return api_keys:disable(own, options) end,
      delete = function(options) return api_keys:delete(own.id, options) end,
      update = function(options) return api_keys:update(own, { valid = false }, options) end,
    }

    for name, attempt in pairs(attempts) do
      it("is not for " .. name, function()
        local result, err = attempt()
        assert.is_nil(result)
        support.assert_error({ kind = "guard", outcome = "not_applied", attempts = 0 }, err)
        assert.matches("force = true", err.message, 1, true)
        assert.equal(0, #support.requests(service, "PUT") + #support.requests(service, "DELETE"))
        assert.is_true(support.key_on_service(service, "organization", own.id).valid)
      end)

      it("is for " .. name .. " by force", function()
        check(attempt { force = true })
        local record = support.key_on_service(service, "organization", own.id)
        assert.is_true(record == nil or record.valid == false)
      end)

      it("stays when its check fails at " .. name, function()
        service:fault { type = "status", status = 404, method = "GET" }
        local _, err = attempt()
        support.assert_error({ kind = "api", status = 404, outcome = "not_applied" }, err)
        assert.equal(0, #support.requests(service, "PUT") + #support.requests(service, "DELETE"))
      end)
    end

    it("may be enabled without a check", function()
      check(api_keys:enable(own))
      assert.equal(0, #support.requests(service, "GET") - 2) -- whoami's
    end)

    it("is not confused with a project's key of the same id", function()
      local project = client:project(service.projects[1].id)
      assert.is_false(check(project.api_keys:disable(own.id)).valid)
    end)
  end)

  it("passes an answer about another key off as nothing", function()
    local api_keys = client:organization().api_keys
    local body = [[{"success":true,"data":{"apiKey":{"id":8,"name":"x","valid":false,"value":"***************abcdef",
      "created_at":"2026-01-01T00:00:00.000Z","lastUsed":null}}}]]
    service:fault { type = "body", body = body, times = -1 }
    local _, err = api_keys:get(7)
    support.assert_error({ kind = "protocol" }, err)
    _, err = api_keys:enable(7)
    support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
  end)

  it("says which key was made when a create's answer lacks the secret, or is wrong elsewhere", function()
    for _, fields in ipairs {
      '"value":"***************abcdef"', '"value":"conf****************ef"', '"value":""', '"value":7',
      '"value":"confident_org_0123456789abcdef","lastUsed":7',
    } do
      local body = ('{"success":true,"data":{"apiKey":{"id":77,"name":"x","valid":true,%s}}}'):format(fields)
      service:fault { type = "body", body = body, status = 201 }
      local key, err = client:organization().api_keys:create("x")
      assert.is_nil(key)
      support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
      assert.matches("key 77 was created", err.message, 1, true)
    end
  end)

  it("takes no unchanged key for a changed one", function()
    local api_keys = client:organization().api_keys
    service:fault {
      type = "body", method = "PUT",
      body = '{"success":true,"data":{"apiKey":{"id":2,"name":"x","valid":true,"value":"***************abcdef"}}}',
    }
    local _, err = api_keys:disable(2)
    support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
  end)

  it("knows the largest ids on every Lua", function()
    local api_keys = client:organization().api_keys
    for _, id in ipairs { 10 ^ 14, 10 ^ 15 + 1, 2 ^ 53 - 1, 2 ^ 53 } do
      local record = ('{"id":%.0f,"name":"x","valid":true,"value":"***abcdef"}'):format(id)
      service:fault { type = "body", body = ('{"success":true,"data":{"apiKey":%s}}'):format(record) }
      assert.equal(id, check(api_keys:get(id)).id)
    end
  end)

  it("gives the id of a delete back as it was given, when only a 404 says that it was done", function()
    local api_keys = client:project(service.projects[1].id).api_keys
    for _, id in ipairs { "7", "0x10", "007", 2 ^ 53 } do
      service:fault { type = "lost_answer", method = "DELETE" }
      local deleted = check(api_keys:delete(id))
      assert.same({ id = id, deleted = true }, deleted)
    end
  end)
end)
