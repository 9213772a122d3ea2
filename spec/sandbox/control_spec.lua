-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the control path", function()
  local service = support.service()

  local function control(method, path, body, lines)
    return request(service, {
      url = service.control_url, method = method, path = path, body = body, lines = lines, key = false,
    })
  end

  it("takes faults as JSON and gives their ids", function()
    local first = control("POST", "/faults", "{\"type\":\"drop\"}")
    assert.equal(201, first.status)
    local second = control("POST", "/faults", "{\"type\":\"drop\"}")
    assert.equal(first.json.id + 1, second.json.id)
    local faults = control("GET", "/faults").json
    assert.equal(2, #faults)
    assert.equal("drop", faults[1].type)
    assert.equal(1, faults[1].times)
    assert.equal(200, control("DELETE", "/faults").status)
    assert.equal("[]", control("GET", "/faults").body)
  end)

  it("refuses faults that are not well formed, naming what is wrong", function()
    local cases = {
      { "{", 400 }, { "", 400 }, { "[]", 422, "type" }, { "3", 422, "object" }, { "null", 422, "object" },
      { "{\"type\":\"lost_anser\"}", 422, "lost_anser" },
      { "{\"type\":\"drop\",\"secnods\":1}", 422, "secnods" },
      { "{\"type\":\"drop\",\"seconds\":1}", 422, "seconds" },
      { "{\"type\":\"delay\"}", 422, "seconds" },
      { "{\"type\":\"delay\",\"seconds\":\"1\"}", 422, "seconds must be a number" },
      { "{\"type\":\"delay\",\"seconds\":-1}", 422, "seconds" },
      { "{\"type\":\"delay\",\"seconds\":1,\"when\":\"later\"}", 422, "when" },
      { "{\"type\":\"status\"}", 422, "status" },
      { "{\"type\":\"status\",\"status\":99}", 422, "status" },
      { "{\"type\":\"status\",\"status\":200.5}", 422, "status" },
      { "{\"type\":\"drop\",\"times\":0}", 422, "times" },
      { "{\"type\":\"drop\",\"times\":-2}", 422, "times" },
      { "{\"type\":\"drop\",\"skip\":-1}", 422, "skip" },
      { "{\"type\":\"drop\",\"apply\":1}", 422, "apply" },
      { "{\"type\":\"drop\",\"scope\":\"galaxy\"}", 422, "scope" },
      { "{\"type\":\"drop\",\"path\":\"[\"}", 422, "path" },
      { "{\"type\":\"drop\",\"operation\":\"creat\"}", 422, "operation" },
      { "{\"type\":\"drop\",\"method\":\"post\"}", 422, "capitals" },
      { "{\"type\":\"status\",\"status\":500,\"headers\":{\"a\":\"b\\r\\nc\"}}", 422, "headers" },
      { "{\"type\":\"status\",\"status\":500,\"headers\":{\"a b\":\"c\"}}", 422, "headers" },
      { "{\"type\":\"status\",\"status\":500,\"headers\":[\"a\"]}", 422, "headers" },
      { "{\"type\":\"redirect\"}", 422, "location" },
      { "{\"type\":\"body\"}", 422, "body" },
      { "{\"type\":\"late_commit\"}", 422, "seconds" },
      { "{\"type\":\"late_commit\",\"seconds\":1,\"clock_seconds\":1}", 422, "one of" },
      { "{\"type\":\"late_commit\",\"seconds\":1,\"answer\":\"second\"}", 422, "answer" },
      { "{\"type\":\"short_list\",\"hide\":[{}]}", 422, "hide must be an id or an array of ids" },
      { "{\"type\":\"short_list\",\"hide\":true}", 422, "hide" },
      { "{\"type\":\"duplicate\",\"answer\":\"hang\"}", 422, "answer" },
    }
    for _, case in ipairs(cases) do
      local answer = control("POST", "/faults", case[1])
      assert.equal(case[2], answer.status, case[1])
      assert.truthy(answer.json.error:find(case[3] or "JSON", 1, true), answer.json.error)
    end
    assert.same({}, service:faults())
  end)

  it("answers 404 and 405", function()
    assert.equal(404, control("GET", "/").status)
    assert.equal(404, control("GET", "/nothing").status)
    assert.equal(405, control("PUT", "/faults").status)
    assert.equal(405, control("GET", "/reset").status)
  end)

  it("is not for web pages", function()
    local answer = control("POST", "/reset", "", { "Origin: http://example.com" })
    assert.equal(403, answer.status)
  end)

  it("is not reachable on the service's port, nor the service on its own", function()
    assert.equal(404, request(service, { path = "/state" }).status)
    assert.equal(404, control("GET", list_path).status)
  end)

  it("logs requests with everything worth a test, and no secret", function()
    local project = service.projects[1]
    local connection = support.connect(service.base_url)
    connection:request { path = list_path .. "/2?x=%41", key = service.api_key, lines = {
      "X-Confident-SDK-Version: confidentai-lua/9",
    } }
    connection:request { path = "/v1/annotation-queues", key = project.api_key }
    connection:close()
    request(service, {
      method = "POST", path = "/v1/projects/" .. project.id .. "/api-keys", body = "{",
    })
    request(service, { path = "/nothing", key = false })
    local log = service:log()
    assert.equal(4, #log)
    local first = log[1]
    assert.equal(1, first.n)
    assert.equal("GET", first.method)
    assert.equal(list_path .. "/2?x=%41", first.path)
    assert.equal("1.1", first.http)
    assert.same({ id = 1, scope = "organization" }, first.credential)
    assert.equal("get", first.operation)
    assert.equal("organization", first.scope)
    assert.equal("2", first.key_id)
    assert.is_true(first.applied)
    assert.equal(200, first.status)
    assert.equal("confidentai-lua/9", first.sdk_version)
    assert.is_false(first.has_expect)
    assert.is_true(math.abs(first.at - os.time()) < 60)
    assert.equal(first.connection, log[2].connection)
    assert.same({ id = 1, scope = "project", project_id = project.id }, log[2].credential)
    assert.equal("annotation_queues", log[2].operation)
    assert.not_equal(first.connection, log[3].connection)
    assert.equal("application/json", log[3].content_type)
    assert.equal(project.id, log[3].project_id)
    assert.equal("create", log[3].operation)
    assert.is_false(log[3].applied)
    assert.equal(400, log[3].status)
    assert.is_nil(log[4].operation)
    assert.is_nil(log[4].credential)
    assert.equal(404, log[4].status)
    local text = control("GET", "/log").body
    assert.is_nil(text:find(service.api_key, 1, true))
    assert.is_nil(text:find(project.api_key, 1, true))
  end)

  it("gives the log since a request, and clears it", function()
    for _ = 1, 3 do request(service, { path = list_path }) end
    assert.equal(3, service:log(2)[1].n)
    assert.equal(1, #service:log(2))
    assert.equal(200, control("DELETE", "/log").status)
    assert.same({}, service:log())
  end)

  it("shows all keys with their secrets", function()
    request(service, { method = "POST", path = list_path, body = { name = "new" } })
    local state = service:state()
    assert.equal(service.organization_id, state.organization_id)
    assert.equal(service.projects[2].id, state.projects[2].id)
    assert.equal(5, #state.keys)
    assert.equal(service.api_key, state.keys[1].value)
    assert.equal("new", state.keys[3].name)
    assert.equal("project", state.keys[4].scope)
    assert.equal(service.projects[1].id, state.keys[4].project_id)
    assert.equal(service.projects[1].api_key, state.keys[4].value)
    assert.equal(200, request(service, { path = list_path, key = state.keys[3].value }).status)
  end)

  it("resets to the keys of the start", function()
    request(service, { method = "POST", path = list_path, body = { name = "new" } })
    request(service, { method = "DELETE", path = list_path .. "/2" })
    service:fault { type = "drop", times = -1 }
    assert.is_true(service:reset())
    local keys = request(service, { path = list_path }).data.apiKeys
    assert.equal(2, #keys)
    assert.equal("legacy-ci", keys[2].name)
    assert.equal(cjson.null, keys[2].lastUsed)
    assert.equal(1, #service:log())
  end)

  it("moves the clock", function()
    assert.is_true(service:set_clock(-86400 * 400))
    local answer = request(service, { method = "POST", path = list_path, body = { name = "n" } })
    local year = os.date("!%Y", os.time() - 86400 * 400)
    assert.truthy(answer.headers.date:find(year, 1, true))
    assert.equal(year, answer.data.apiKey.created_at:sub(1, 4))
    assert.equal(422, control("POST", "/clock", "{}").status)
    service:reset()
    assert.truthy(request(service, { path = list_path }).headers.date:find(os.date("!%Y"), 1, true))
  end)

  it("counts connections and requests", function()
    local before = service:stats().connections_accepted
    local connection = support.connect(service.base_url)
    connection:request { path = list_path, key = service.api_key }
    connection:request { path = list_path, key = service.api_key }
    local stats = service:stats()
    assert.equal(1, stats.connections_accepted - before)
    assert.equal(2, stats.requests)
    assert.equal(1, stats.connections_open)
    connection:close()
    assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
  end)
end)
