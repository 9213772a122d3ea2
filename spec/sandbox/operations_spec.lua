-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path
local queues_path = "/v1/annotation-queues?page=1&pageSize=1"

describe("the sandbox's operations", function()
  local service = support.service { seed = 7 }

  local function create(path, name)
    local answer = request(service, { method = "POST", path = path, body = { name = name } })
    assert.equal(200, answer.status)
    return answer.data.apiKey
  end

  local function names(path)
    local list = {}
    for index, key in ipairs(request(service, { path = path }).data.apiKeys) do list[index] = key.name end
    return list
  end

  local function project_path(index)
    return "/v1/projects/" .. service.projects[index or 1].id .. "/api-keys"
  end

  it("list the organization's keys, masked", function()
    local answer = request(service, { path = list_path })
    assert.equal(200, answer.status)
    assert.is_true(answer.json.success)
    assert.is_false(answer.json.deprecated)
    local key = answer.data.apiKeys[1]
    assert.equal(1, key.id)
    assert.equal("manager", key.name)
    assert.is_true(key.valid)
    assert.equal(("*"):rep(15) .. service.api_key:sub(-6), key.value)
    assert.truthy(key.created_at:find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"))
    assert.truthy(key.lastUsed:find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"))
    assert.truthy(key.createdBy)
    assert.equal("legacy-ci", answer.data.apiKeys[2].name)
    assert.equal(cjson.null, answer.data.apiKeys[2].lastUsed)
    assert.equal(2, #answer.data.apiKeys)
  end)

  it("give every project its first key, with ids that coincide", function()
    for index = 1, 2 do
      local keys = request(service, { path = project_path(index) }).data.apiKeys
      assert.equal(1, #keys)
      assert.equal(1, keys[1].id)
      assert.equal(service.projects[index].api_key:sub(-6), keys[1].value:sub(-6))
      assert.truthy(service.projects[index].api_key:find("^confident_us_proj_"))
    end
    assert.truthy(service.api_key:find("^confident_us_org_[%w+/]+=*$"))
  end)

  for _, scope in ipairs { "organization", "project" } do
    it("create, get, disable, enable and delete a key of the " .. scope, function()
      local path = scope == "organization" and list_path or project_path()
      local key = create(path, "ci")
      assert.equal("ci", key.name)
      assert.is_nil(key.value:find("*", 1, true))
      local item = path .. "/" .. key.id
      local got = request(service, { path = item }).data.apiKey
      assert.equal(("*"):rep(15) .. key.value:sub(-6), got.value)
      assert.equal(cjson.null, got.lastUsed)

      local disabled = request(service, { method = "PUT", path = item, body = { valid = false } })
      assert.equal(200, disabled.status)
      assert.is_false(disabled.data.apiKey.valid)
      assert.equal(got.value, disabled.data.apiKey.value)
      local probe = scope == "organization" and "/v1/organization" or queues_path
      assert.equal(401, request(service, { path = probe, key = key.value }).status)
      request(service, { method = "PUT", path = item, body = { valid = true } })
      assert.equal(200, request(service, { path = probe, key = key.value }).status)
      assert.not_equal(cjson.null, request(service, { path = item }).data.apiKey.lastUsed)

      local deleted = request(service, { method = "DELETE", path = item })
      assert.equal(200, deleted.status)
      assert.same({ id = key.id, deleted = true }, deleted.data)
      assert.equal(404, request(service, { path = item }).status)
      assert.equal(404, request(service, { method = "DELETE", path = item }).status)
      assert.equal(404, request(service, { method = "PUT", path = item, body = { valid = true } }).status)
      assert.equal(401, request(service, { path = probe, key = key.value }).status)
    end)
  end

  it("allow the same name twice and any UTF-8 in it, and never reuse an id", function()
    local name = "\226\130\172 \"\\/ \240\159\148\145"
    local first = create(list_path, name)
    local second = create(list_path, name)
    assert.equal(name, second.name)
    assert.equal(first.id + 1, second.id)
    request(service, { method = "DELETE", path = list_path .. "/" .. second.id })
    assert.equal(second.id + 1, create(list_path, name).id)
    assert.same({ "manager", "legacy-ci", name, name }, names(list_path))
  end)

  it("ignore a name in an update", function()
    local answer = request(service, {
      method = "PUT", path = list_path .. "/2", body = { valid = true, name = "other" },
    })
    assert.equal("legacy-ci", answer.data.apiKey.name)
  end)

  it("describe the organization and the projects", function()
    local organization = request(service, { path = "/v1/organization" }).data.organization
    assert.equal(service.organization_id, organization.id)
    assert.truthy(organization.name and organization.plan and organization.created_at)
    local projects = request(service, { path = "/v1/projects" }).data.projects
    assert.equal(2, #projects)
    assert.equal("web", projects[1].name)
    assert.truthy(projects[1].id:find("^cl%w+$"))
    assert.equal(25, #projects[1].id)
    assert.equal(organization.id, projects[1].organizationId)
    local project = request(service, { path = "/v1/projects/" .. projects[2].id }).data.project
    assert.equal("research", project.name)
    assert.truthy(project.description and project.created_at)
  end)

  it("refuse missing, unknown and disabled credentials with 401", function()
    for _, key in ipairs { false, "" } do
      local none = request(service, { path = list_path, key = key })
      assert.same({ 401, "No API KEY provided" }, { none.status, none.error })
    end
    local unknown = request(service, { path = list_path, key = "confident_us_org_0000" })
    assert.equal(401, unknown.status)
    assert.is_false(unknown.json.success)
    assert.equal("Invalid API key", unknown.error)
    assert.truthy(unknown.json.link)
    request(service, { method = "PUT", path = list_path .. "/1", body = { valid = false } })
    assert.equal("Invalid API key", request(service, { path = list_path }).error)
  end)

  it("take the key from the header with hyphens, too, which proxies do not drop", function()
    local hyphens = { path = list_path, key = false, lines = { "CONFIDENT-API-KEY: " .. service.api_key } }
    assert.equal(200, request(service, hyphens).status)
    service:set { underscores = "dropped" }
    assert.equal("No API KEY provided", request(service, { path = list_path }).error)
    assert.equal(200, request(service, hyphens).status)
  end)

  it("take a global key for any project that the request names, and show it in no list", function()
    local function ask(path, project)
      return request(service, { path = path, key = service.global_key,
        lines = project and { "CONFIDENT_PROJECT_ID: " .. project } or {} }).status
    end
    assert.truthy(service.global_key:find("^confident_us_global_[%w+/]+=*$"))
    for _, project in ipairs(service.projects) do assert.equal(200, ask(queues_path, project.id)) end
    assert.same({ 401, 401 }, { ask(queues_path), ask(queues_path, "nope") })
    assert.same({ 401, 401 }, { ask(list_path, service.projects[1].id), ask(project_path(), service.projects[1].id) })
    for _, path in ipairs { list_path, project_path(1), project_path(2) } do
      for _, key in ipairs(request(service, { path = path }).data.apiKeys) do
        assert.not_equal(service.global_key:sub(-6), key.value:sub(-6))
      end
    end
    assert.equal(service.global_key, service:state().global_key)
    service:set { global_keys = "revoked" }
    assert.equal(401, ask(queues_path, service.projects[1].id))
  end)

  it("refuse project keys on management calls, and organization keys on a project's, as unknown ones", function()
    local key = service.projects[1].api_key
    local paths = { list_path, list_path .. "/1", project_path(), "/v1/organization", "/v1/projects" }
    for _, path in ipairs(paths) do
      local refused = request(service, { path = path, key = key })
      assert.same({ 401, "Invalid API key" }, { refused.status, refused.error })
    end
    assert.equal(401, request(service, {
      method = "POST", path = project_path(), key = key, body = { name = "a" },
    }).status)
    assert.equal(200, request(service, { path = queues_path, key = key }).status)
    assert.equal(401, request(service, { path = "/v1/annotation-queues" }).status)
    assert.equal(1, #names(project_path()))
  end)

  it("answer 404 for what does not exist", function()
    for _, path in ipairs {
      list_path .. "/99", list_path .. "/01", list_path .. "/1.0", "/v1/projects/nope",
      "/v1/projects/nope/api-keys", "/v1/projects/nope/api-keys/1", "/v1/nothing", "/",
      "/v2/organization", list_path .. "/1/2",
    } do
      local answer = request(service, { path = path })
      assert.equal(404, answer.status)
      assert.is_false(answer.json.success)
    end
    assert.equal(404, request(service, {
      method = "POST", path = "/v1/projects/nope/api-keys", body = { name = "a" },
    }).status)
  end)

  it("answer 405 for a wrong method, naming those allowed", function()
    local answer = request(service, { method = "PATCH", path = list_path .. "/1" })
    assert.equal(405, answer.status)
    assert.equal("DELETE, GET, PUT", answer.headers.allow)
    assert.is_false(answer.json.success)
    assert.equal(405, request(service, { method = "DELETE", path = list_path }).status)
    assert.equal(405, request(service, { method = "HEAD", path = list_path }).status)
  end)

  it("answer 400 for bodies that are no JSON", function()
    for _, body in ipairs { "", "{", "{\"name\":}", "{\"name\":\"\255\"}", "nul", "{\"name\":NaN}" } do
      local answer = request(service, { method = "POST", path = list_path, body = body })
      assert.equal(400, answer.status, body)
      assert.is_false(answer.json.success)
    end
    assert.equal(400, request(service, {
      method = "POST", path = list_path, body = "{\"name\":\"a\"}", content_type = "text/plain",
    }).status)
    assert.equal(2, #names(list_path))
  end)

  it("answer 422 for bodies without what they must have", function()
    local bodies = { "{}", "[]", "[1]", "null", "3", "{\"name\":\"\"}", "{\"name\":7}", "{\"name\":null}" }
    for _, body in ipairs(bodies) do
      assert.equal(422, request(service, { method = "POST", path = list_path, body = body }).status, body)
    end
    for _, body in ipairs { "{}", "{\"valid\":\"false\"}", "{\"valid\":0}", "{\"valid\":null}" } do
      local answer = request(service, { method = "PUT", path = list_path .. "/1", body = body })
      assert.equal(422, answer.status, body)
    end
    assert.equal(2, #names(list_path))
  end)

  it("accept bodies up to 1 MiB and answer 413 above", function()
    local frame = #"{\"name\":\"\"}"
    local longest = ("n"):rep(2 ^ 20 - frame)
    assert.equal(#longest, #create(list_path, longest).name)
    local connection = support.connect(service.base_url)
    local answer = connection:request {
      method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"" .. longest .. "n\"}",
    }
    assert.equal(413, answer.status)
    assert.equal(200, connection:request({ path = "/v1/organization", key = service.api_key }).status)
    answer = connection:request {
      method = "POST", path = list_path, key = service.api_key, body = ("x"):rep(5 * 2 ^ 20),
    }
    assert.equal(413, answer.status)
    connection:close()
    assert.equal(3, #names(list_path))
  end)

  it("keep a connection alive, send the date, and answer an Expect", function()
    local connection = support.connect(service.base_url)
    for _ = 1, 3 do
      local answer = connection:request { path = list_path, key = service.api_key }
      assert.equal(200, answer.status)
      assert.truthy(answer.headers.date:find("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$"))
      assert.truthy(answer.headers["content-type"]:find("^application/json"))
    end
    connection:send { method = "POST", path = list_path, key = service.api_key,
      lines = { "Content-Length: 12", "Content-Type: application/json", "Expect: 100-continue" } }
    assert.equal("HTTP/1.1 100 Continue", connection.raw:receive("*l"))
    assert.equal("", connection.raw:receive("*l"))
    connection.raw:send("{\"name\":\"e\"}")
    assert.equal(200, connection:receive().status)
    connection:close()
    local log = service:log()
    assert.is_true(log[4].has_expect)
    assert.equal(log[1].connection, log[4].connection)
  end)

  it("answer others while one request is incomplete, and never act on an incomplete one", function()
    local slow = support.connect(service.base_url)
    slow:send { method = "POST", path = list_path, key = service.api_key, lines = {
      "Content-Type: application/json", "Content-Length: 100",
    } }
    slow.raw:send("{\"name\":\"n\"}")
    assert.equal(200, request(service, { path = list_path }).status)
    slow:close()
    assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
    assert.is_nil(service:log()[1].status)
    assert.equal(2, #names(list_path))
  end)

  it("answer long ids and long credentials like any unknown ones", function()
    assert.equal(404, request(service, { path = list_path .. "/" .. ("9"):rep(20000) }).status)
    assert.equal(401, request(service, { path = list_path, key = ("k"):rep(20000) }).status)
  end)

  it("give the same secrets after a reset, when seeded", function()
    local secret = create(list_path, "a").value
    assert.not_equal(secret, create(list_path, "a").value)
    service:reset()
    assert.equal(secret, create(list_path, "a").value)
  end)

  it("survive what is no HTTP", function()
    for _, bytes in ipairs { "\0\1\2\3\r\n\r\n", "GET\r\n\r\n", ("A"):rep(200000), "" } do
      local connection = support.connect(service.base_url)
      connection.raw:send(bytes)
      connection:close()
    end
    assert.equal(200, request(service, { path = list_path }).status)
    assert.equal("", service:errors())
  end)
end)
