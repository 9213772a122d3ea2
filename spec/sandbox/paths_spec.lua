-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the sandbox's paths", function()
  local service = support.service()

  it("let an unescaped id escape, in every spelling", function()
    for _, id in ipairs {
      "../organization", "%2e%2e/organization", ".%2E/organization", "x/../../organization",
      "./../organization", "..//../organization/.", "",
    } do
      local path = id == "" and "/v1/../v1/organization/api-keys" or "/v1/projects/" .. id .. "/api-keys"
      if id:find("//", 1, true) then path = "/v1/projects/x/../../organization/./api-keys" end
      local answer = request(service, { path = path })
      assert.equal(200, answer.status, path)
      assert.equal("manager", answer.data.apiKeys[1].name, path)
    end
    local deleted = request(service, { method = "DELETE", path = "/v1/projects/../organization/api-keys/2" })
    assert.equal(2, deleted.data.id)
  end)

  it("keep an escaped slash inside its segment", function()
    assert.equal(404, request(service, { path = "/v1/projects/..%2Forganization/api-keys" }).status)
    assert.equal(404, request(service, { path = "/v1/organization%2Fapi-keys" }).status)
  end)

  it("are decoded segment by segment", function()
    assert.equal(200, request(service, { path = "/v1/%6Frganization/api%2dkeys/%31" }).status)
    for _, path in ipairs { "/v1/organization/%zz", "/v1/organization/%4", "/v1/%" } do
      assert.equal(400, request(service, { path = path }).status, path)
    end
  end)

  it("may have a query, a trailing slash, or a whole URL", function()
    assert.equal(200, request(service, { path = list_path .. "?a=/../b" }).status)
    assert.equal(200, request(service, { path = list_path .. "/" }).status)
    assert.equal(200, request(service, { path = "http://example.com" .. list_path }).status)
    assert.equal(404, request(service, { path = "/v1//organization" }).status)
  end)

  it("cannot climb above the root", function()
    assert.equal(200, request(service, { path = "/../../v1/organization" }).status)
  end)
end)

describe("the sandbox below a base path", function()
  local service = support.service { base_path = "/confident/api/" }

  it("answers there only", function()
    assert.truthy(service.base_url:find("/confident/api$"))
    assert.equal(200, request(service, { path = "/confident/api" .. list_path }).status)
    for _, path in ipairs { list_path, "/confident" .. list_path, "/confident/api/../.." .. list_path } do
      assert.equal(404, request(service, { path = path }).status, path)
    end
  end)

  it("matches faults without it, and logs paths with it", function()
    service:fault { type = "status", status = 500, path = "^/v1/organization/api%-keys$" }
    assert.equal(500, request(service, { path = "/confident/api" .. list_path .. "?q" }).status)
    assert.equal("/confident/api" .. list_path .. "?q", service:log()[1].path)
  end)
end)
