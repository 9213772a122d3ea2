-- SPDX-License-Identifier: Apache-2.0
-- Faults that put something else in the place of an answer.
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the fault", function()
  local service = support.service()

  local function create(name)
    return request(service, { method = "POST", path = list_path, body = { name = name or "n" } })
  end

  it("proxy answers in the place of a service that did its work, or did not", function()
    for form, content_type in pairs { html = "text/html", text = "text/plain", json = "application/json" } do
      for index, status in ipairs { 404, 408, 429, 499, 502 } do
        service:reset()
        service:fault { type = "proxy", status = status, form = form, operation = "create", apply = index % 2 == 1 }
        local answer = create()
        assert.same({ status, content_type, nil }, { answer.status, answer.headers["content-type"], answer.data })
        assert.is_nil(type(answer.json) == "table" and answer.json.success or nil)
        assert.matches(tostring(status), answer.body)
        assert.equal(index % 2 == 1, #request(service, { path = list_path }).data.apiKeys == 3)
      end
    end
    service:fault { type = "proxy", status = 404, form = "text" }
    assert.equal("404 default backend\n", request(service, { path = list_path }).body)
  end)

  it("not_found says so of what is there", function()
    local path = "/v1/projects/" .. service.projects[1].id .. "/api-keys/1"
    service:fault { type = "not_found", times = 2 }
    service:fault { type = "not_found", what = "key" }
    for _, problem in ipairs { "Project not found", "Project not found", "API key not found" } do
      local answer = request(service, { method = "DELETE", path = path })
      assert.same({ 404, false, problem }, { answer.status, answer.json.success, answer.error })
    end
    assert.equal(200, request(service, { path = path }).status)
  end)

  it("replay gives an older key for the answer to a create", function()
    service:fault { type = "replay" }
    local key = create().data.apiKey
    assert.same({ 1, "manager", service.api_key }, { key.id, key.name, key.value })
    assert.equal("n", service:state().keys[3].name)
    service:fault { type = "replay", target = 2, apply = false }
    assert.equal(2, create("m").data.apiKey.id)
    assert.equal(4, create("m").data.apiKey.id)
    service:fault { type = "replay" }
    assert.equal(422, create("").status)
  end)

  it("record changes fields of keys in any answer, of one key or of all", function()
    service:fault { type = "record", target = 2, times = 2, fields = {
      valid = "null", id = "9007199254740993", lastUsed = "1764", name = "\"x\\ud83d\"" } }
    local list = request(service, { path = list_path }).body
    for _, text in ipairs { "\"valid\":null", "\"id\":9007199254740993", "\"lastUsed\":1764", "\"name\":\"x\\ud83d\"",
      "\"name\":\"manager\"" } do
      assert.truthy(list:find(text, 1, true), text)
    end
    assert.truthy(request(service, { path = list_path .. "/2" }).body:find("\"valid\":null", 1, true))
    service:fault { type = "record", operation = "create", fields = { value = "\"confident_us_org_a b\"" } }
    assert.equal("confident_us_org_a b", create().data.apiKey.value)
    service:fault { type = "record", fields = { lastUsed = "\"soon\"" } }
    for _, key in ipairs(request(service, { path = list_path }).data.apiKeys) do assert.equal("soon", key.lastUsed) end
    service:fault { type = "record", fields = { lastUsed = "" } }
    for _, key in ipairs(request(service, { path = list_path }).data.apiKeys) do assert.is_nil(key.lastUsed) end
    for _, fields in ipairs { {}, { valid = 1 }, "x" } do
      assert.has_error(function() service:fault { type = "record", fields = fields } end)
    end
  end)

  it("late_commit can be behind a proxy's answer", function()
    service:fault { type = "late_commit", clock_seconds = 60, status = 504, body = "gone", content_type = "text/plain" }
    local answer = create("late")
    assert.same({ 504, "gone" }, { answer.status, answer.body })
    assert.equal(2, #request(service, { path = list_path }).data.apiKeys)
    service:advance(60)
    assert.equal(3, #request(service, { path = list_path }).data.apiKeys)
  end)

  it("short_list leaves any one key out", function()
    create()
    service:fault { type = "short_list", hide = 2 }
    local keys = request(service, { path = list_path }).data.apiKeys
    assert.same({ 1, 3 }, { keys[1].id, keys[2].id })
  end)
end)
