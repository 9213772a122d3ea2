-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"

local check = confidentai.check

describe("a client", function()
  local service = support.service()
  local client

  before_each(function()
    client = support.client(service)
  end)

  it("masks its key", function()
    assert.equal(("*"):rep(15) .. service.api_key:sub(-6), client.api_key)
    assert.matches(client.api_key, tostring(client), 1, true)
    assert.matches(service.base_url, tostring(client), 1, true)
    assert.is_nil(tostring(client):find(service.api_key, 1, true))
  end)

  it("hides a key that is too short to show a part of", function()
    assert.equal(("*"):rep(15), check(confidentai.new { api_key = "short", base_url = service.base_url }).api_key)
  end)

  describe("that gets another credential", function()
    local other

    before_each(function()
      other = check(client:organization().api_keys:create("other"))
    end)

    it("is another's from then on", function()
      local old = service.api_key
      assert.is_true(client:is_credential(old))
      assert.is_false(client:is_credential(other.value))
      assert.is_true(client:replace_credential(other.value))
      assert.is_true(client:is_credential(other.value))
      assert.is_false(client:is_credential(old))
      assert.is_false(client:is_credential(old:sub(2)))
      assert.equal(("*"):rep(15) .. other.value:sub(-6), client.api_key)
      assert.equal("other", check(client:whoami()).key.name)
      local manager = check(client:organization().api_keys:find("manager"))[1]
      assert.is_true(client:owns(other))
      assert.is_false(client:owns(manager))
      check(client:organization().api_keys:disable(manager)) -- the guard follows
      local _, err = client:organization().api_keys:disable(other)
      support.assert_error({ kind = "guard" }, err)
      assert.is_table(check(client:organization():get()))
      assert.is_false((pcall(client.project, client, other.value)))
    end)

    it("leaves calls in flight their own, retries too", function()
      check(client:organization().api_keys:disable(other))
      service:fault { type = "status", status = 503, headers = { ["Retry-After"] = "0" } }
      local before = client:start("GET", { "v1", "organization" })
      core.engine():step(0)
      check(client:replace_credential(other.value))
      local after = client:start("GET", { "v1", "organization" })
      while not (before:done() and after:done()) do
        core.engine():step(-1)
      end
      assert.is_table(check(before:result("organization")))
      local _, err = after:result("organization")
      support.assert_error({ status = 401 }, err)
    end)

    it("still has its calls in flight cancelled when it is closed", function()
      service:fault { type = "hang", times = -1 }
      local call = client:start("GET", { "v1", "organization" })
      check(client:replace_credential(other.value))
      client:close()
      assert.is_true(call:done())
    end)

    it("keeps what it has when that is no credential", function()
      for _, wrong in ipairs { "", "with blank", "nul\0", "confident_us_proj_0123456789abcdef" } do
        local ok, err = client:replace_credential(wrong)
        assert.is_nil(ok)
        support.assert_error({ kind = "config" }, err)
        assert.matches("^api_key ", err.message)
      end
      assert.is_false((pcall(client.replace_credential, client)))
      assert.is_false((pcall(client.replace_credential, client, 7)))
      assert.is_false((pcall(client.is_credential, client, nil)))
      assert.is_true(client:is_credential(service.api_key))
      assert.is_table(check(client:organization():get()))
      client:close()
      assert.is_false((pcall(client.replace_credential, client, other.value)))
      assert.is_true(client:is_credential(service.api_key))
    end)
  end)

  it("says who it is", function()
    local identity = check(client:whoami())
    assert.equal(service.organization_id, identity.organization.id)
    assert.equal("manager", identity.key.name)
    assert.equal(service.api_key:sub(-6), identity.key.value:sub(-6))
  end)

  it("knows no key of its own when none matches, or several do", function()
    local function key(id, value)
      return ([[{"id":%d,"name":"k","valid":true,"value":"%s"}]]):format(id, value)
    end
    local mine = ("*"):rep(15) .. service.api_key:sub(-6)
    for _, keys in ipairs { key(1, "***************000000"), key(1, mine) .. "," .. key(2, mine) } do
      service:fault { type = "body", operation = "list",
        body = ('{"success":true,"data":{"apiKeys":[%s]}}'):format(keys) }
      assert.is_nil(check(client:whoami()).key)
    end
  end)

  it("passes errors of whoami on", function()
    service:fault { type = "status", status = 403, path = "/v1/organization$" }
    local identity, err = client:whoami()
    assert.is_nil(identity)
    assert.equal(403, err.status)
    service:fault { type = "status", status = 403, operation = "list" }
    identity, err = client:whoami()
    assert.is_nil(identity)
    assert.equal(403, err.status)
  end)

  it("gives the organization, its projects and a project as plain tables in snake_case", function()
    local organization = check(client:organization():get())
    assert.equal(service.organization_id, organization.id)
    assert.is_string(organization.name)
    assert.is_string(organization.plan)
    assert.is_string(organization.created_at)
    local projects = check(client.projects:list())
    assert.equal(#service.projects, #projects)
    for i, project in ipairs(projects) do
      assert.equal(service.projects[i].id, project.id)
      assert.equal(service.organization_id, project.organization_id)
      assert.is_nil(project.organizationId)
      assert.same(project, check(client:project(project.id):get()))
    end
  end)

  it("drops fields that it does not know", function()
    local known = { id = true, name = true, description = true, organization_id = true, created_at = true }
    for name in pairs(check(client.projects:list())[1]) do
      assert.is_true(known[name], name)
    end
  end)

  it("says 404 for a project that is not there", function()
    local project, err = client:project("nowhere"):get()
    assert.is_nil(project)
    support.assert_error({ kind = "api", status = 404, method = "GET", path = "/v1/projects/nowhere" }, err)
    assert.is_nil(err.outcome)
  end)

  it("names itself to the service, once, with nothing more than needed", function()
    check(client:organization().api_keys:create("x"))
    local entry = support.requests(service, "POST")[1]
    assert.equal("confidentai-lua/" .. confidentai._VERSION, entry.sdk_version)
    assert.equal("application/json", entry.content_type)
    assert.is_false(entry.has_expect)
  end)

  it("reuses connections for reads, and has one of its own for each change", function()
    local api_keys = client:organization().api_keys
    check(api_keys:list())
    check(api_keys:list())
    local first = check(api_keys:create("a"))
    check(api_keys:create("b"))
    check(api_keys:disable(first))
    check(api_keys:delete(first))
    local reads, exclusive = {}, {}
    for _, entry in ipairs(support.requests(service)) do
      if entry.method ~= "GET" then
        assert.is_nil(exclusive[entry.connection])
        exclusive[entry.connection] = true
      else
        reads[entry.connection] = true
      end
    end
    local count = 0
    for connection in pairs(reads) do
      assert.is_nil(exclusive[connection])
      count = count + 1
    end
    assert.equal(1, count)
  end)

  describe("that is closed", function()
    it("raises when it is used", function()
      local org, project, projects = client:organization(), client:project("p"), client.projects
      client:close()
      client:close()
      for _, call in ipairs {
        function() org.api_keys:list() end, function() project.api_keys:create("x") end,
        function() projects:list() end, function() client:whoami() end, function() org.api_keys:delete(1) end,
      } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.matches("the client is closed", message, 1, true)
      end
      assert.matches("closed", tostring(client), 1, true)
      assert.equal(service.base_url, client.base_url)
      assert.equal(0, #support.requests(service))
    end)

    it("ends its calls in flight as cancelled, and no others", function()
      local other = support.client(service)
      service:fault { type = "delay", seconds = 0.3, times = -1 }
      local get = client:start("GET", { "v1", "organization" })
      local post = client:start("POST", { "v1", "organization", "api-keys" }, { name = "x" })
      local others = other:start("GET", { "v1", "organization" })
      core.engine():step(0.05)
      client:close()
      assert.is_true(get:done())
      assert.is_true(post:done())
      assert.is_false(others:done())
      local _, err = get:result("organization")
      support.assert_error({ kind = "cancelled" }, err)
      _, err = post:result("organization")
      assert.equal("cancelled", err.kind)
      while not others:done() do
        core.engine():step(-1)
      end
      assert.is_table(others:result("organization"))
    end)

    if _VERSION == "Lua 5.4" then
      it("by leaving its block", function()
        local chunk = assert(load("local c <close> = ...; return c:organization()"))
        local org = chunk(client)
        assert.is_false((pcall(org.api_keys.list, org.api_keys)))
      end)
    end
  end)
end)
