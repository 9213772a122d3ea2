-- SPDX-License-Identifier: Apache-2.0
-- The client and a service of the newer generation (docs/platform.md): ids stay integers, keys have more fields, times
-- end in +00:00.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.sandbox.support"

local check = confidentai.check

describe("a service of the newer generation", function()
  local s = scene.register { generation = 2, projects = { "web" } }

  it("has keys that are created, read, disabled and deleted as those of the first", function()
    for _, scope in ipairs { "organization", "project" } do
      local api_keys = s:keys(scope)
      local key = check(api_keys:create "ci")
      assert.is_number(key.id)
      assert.equal("confident_us_" .. (scope == "organization" and "org" or "proj"), key.value:match "^(.-_.-_.-)_")
      assert.is_nil(check(api_keys:get(key.id)).last_used)
      assert.is_false(check(api_keys:disable(key)).valid)
      assert.is_true(check(api_keys:enable(key)).valid)
      assert.same({ id = key.id, deleted = true }, check(api_keys:delete(key)))
    end
  end)

  it("rotates keys by itself, and does not have them rotated by this library meanwhile", function()
    local path = "/v2/projects/" .. s.service.projects[1].id .. "/api-keys/1/rotate"
    assert.equal(200, support.request(s.service, { method = "POST", path = path,
      body = { gracePeriodInHours = 24 } }).status)
    assert.is_string(check(s:keys("project"):get(1)).rotates_at)
    local rotation, err = s:rotate()
    assert.is_nil(rotation)
    assert.matches("rotat", err.message)
    assert.equal(1, #s:on_service())
  end)

  it("lets a rotation end", function()
    local rotation = check(s:rotate { soak = 60, grace = 60 })
    for _ = 1, 4 do
      s:pass(61)
      check(rotation:advance())
    end
    local keys = s:on_service()
    assert.equal(1, #keys)
    assert.equal(keys[1].value, s:holder().value)
    assert.matches("^Default Key~g1~", keys[1].name)
  end)
end)
