-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the setting", function()
  local service = support.service()

  local function create()
    return request(service, { method = "POST", path = list_path, body = { name = "new" } }).data.apiKey
  end

  local function status_with(key)
    return request(service, { path = "/v1/organization", key = key.value }).status
  end

  local function last_used(id)
    return request(service, { path = list_path .. "/" .. id }).data.apiKey.lastUsed
  end

  it("propagation lets a new key authenticate only later", function()
    assert(service:set { propagation = 60 })
    local key = create()
    assert.equal(401, status_with(key))
    assert.equal(200, request(service, { path = list_path }).status)
    service:set_clock(59)
    assert.equal(401, status_with(key))
    service:set_clock(61)
    assert.equal(200, status_with(key))
    service:set { propagation = 0 }
    assert.equal(200, status_with(create()))
  end)

  it("create_status says how a create is answered", function()
    local function status()
      return request(service, { method = "POST", path = list_path, body = { name = "new" } }).status
    end
    assert.equal(200, status())
    assert(service:set { create_status = 201 })
    assert.equal(201, status())
    assert.has_error(function() service:set { create_status = 204 } end)
    service:reset()
    assert.equal(200, status())
  end)

  it("list_delay hides a new key from lists, not from its id", function()
    assert(service:set { list_delay = 60 })
    local key = create()
    assert.equal(200, status_with(key))
    assert.equal(key.id, request(service, { path = list_path .. "/" .. key.id }).data.apiKey.id)
    assert.equal(2, #request(service, { path = list_path }).data.apiKeys)
    service:fault { type = "stale_list", changes = 0 }
    assert.equal(2, #request(service, { path = list_path }).data.apiKeys)
    service:set_clock(61)
    assert.equal(3, #request(service, { path = list_path }).data.apiKeys)
  end)

  it("last_used = never shows null, also of keys used before", function()
    request(service, { path = "/v1/organization" })
    assert.equal("string", type(last_used(1)))
    service:set { last_used = "never" }
    assert.equal(cjson.null, last_used(1))
    assert.is_nil(service:state().keys[1].lastUsed)
    service:set { last_used = "normal" }
    assert.equal("string", type(last_used(1)))
  end)

  it("last_used = late shows a use only after a while, the latest that is old enough", function()
    service:set { last_used = "late", last_used_delay = 600 }
    local key = create()
    status_with(key)
    assert.equal(cjson.null, last_used(key.id))
    service:set_clock(300)
    status_with(key)
    assert.equal(cjson.null, last_used(key.id))
    service:set_clock(601)
    local first = last_used(key.id)
    assert.equal("string", type(first))
    service:set_clock(899)
    assert.equal(first, last_used(key.id))
    service:set_clock(901)
    assert.is_true(last_used(key.id) > first)
  end)

  it("last_used = future is an hour ahead", function()
    service:set { last_used = "future" }
    local key = create()
    status_with(key)
    assert.equal(os.date("!%Y-%m-%dT%H", os.time() + 3600), last_used(key.id):sub(1, 13))
  end)

  it("stays until it is set again, or to a reset", function()
    local defaults = service:settings()
    local set = service:set { propagation = 1.5 }
    assert.equal(1.5, set.propagation)
    assert.equal("normal", set.last_used)
    service:set { last_used = "late" }
    assert.equal(1.5, service:settings().propagation)
    service:reset()
    assert.same(defaults, service:settings())
  end)

  it("is refused when it is unknown or wrong, and then nothing is set", function()
    local before = service:settings()
    for _, case in ipairs {
      { { propagate = 1 }, "propagate" }, { { propagation = -1 }, "propagation" },
      { { propagation = "1" }, "propagation" }, { { last_used = "sometimes" }, "sometimes" },
      { { last_used = "never", list_delay = true }, "list_delay" },
      { { witness = "/file" }, "absolute paths" }, { { witness = { "file" } }, "absolute paths" },
    } do
      local ok, message = pcall(service.set, service, case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
    end
    assert.same(before, service:settings())
    assert.equal(400, request(service, {
      url = service.control_url, method = "POST", path = "/settings", body = "{", key = false,
    }).status)
  end)
end)
