-- SPDX-License-Identifier: Apache-2.0
local socket = require "socket"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the sandbox's clock", function()
  local service = support.service()

  local function created()
    return request(service, { method = "POST", path = list_path, body = { name = "n" } }).data.apiKey.created_at
  end

  it("runs with the real time, ahead of it or behind", function()
    local before = socket.gettime()
    local now = service:now()
    assert.is_true(now >= before - 0.01 and now <= socket.gettime() + 0.01)
    service:set_clock(86400)
    assert.is_true(math.abs(service:now() - socket.gettime() - 86400) < 1)
    assert.is_true(math.abs(service:advance(100) - socket.gettime() - 86500) < 1)
    service:reset()
    assert.is_true(math.abs(service:now() - socket.gettime()) < 1)
  end)

  it("stands still when it is stopped, and moves when it is told to", function()
    assert.equal(1800000000, service:stop_clock(1800000000))
    assert.equal("2027-01-15T08:00:00.000Z", created())
    socket.sleep(0.02)
    assert.equal(1800000000, service:now())
    assert.equal(1800000000.5, service:advance(0.5))
    assert.equal("2027-01-15T08:00:00.500Z", created())
    assert.equal(1800000000.5, service:log()[2].time)
    service:set_clock(0)
    assert.is_true(math.abs(service:now() - socket.gettime()) < 1)
  end)

  it("stops as it is", function()
    local now = service:stop_clock()
    assert.is_true(math.abs(now - socket.gettime()) < 1)
    assert.equal(now, service:now())
  end)

  it("is part of a snapshot", function()
    service:stop_clock(1800000000)
    local snapshot = service:snapshot()
    service:set_clock(5)
    service:restore(snapshot)
    assert.equal(1800000000, service:now())
  end)

  it("brings late creates, disables and deletes in their order, at their moment", function()
    service:stop_clock(1800000000)
    for _, late in ipairs { { "create", 30 }, { "update", 10 }, { "delete", 20 } } do
      service:fault { type = "late_commit", operation = late[1], clock_seconds = late[2] }
    end
    assert.is_nil((request(service, { method = "POST", path = list_path, body = { name = "late" } })))
    assert.is_nil((request(service, { method = "PUT", path = list_path .. "/2", body = { valid = false } })))
    assert.is_nil((request(service, { method = "DELETE", path = list_path .. "/2" })))
    local function names()
      local found = {}
      for _, key in ipairs(request(service, { path = list_path }).data.apiKeys) do
        found[#found + 1] = key.name .. (key.valid and "" or " off")
      end
      return table.concat(found, ", ")
    end
    service:advance(9.9)
    assert.equal("manager, legacy-ci", names())
    service:advance(0.1)
    assert.equal("manager, legacy-ci off", names())
    service:advance(10)
    assert.equal("manager", names())
    service:advance(10)
    assert.equal("manager, late", names())
  end)

  it("counts for lists of some time ago", function()
    service:stop_clock(1800000000)
    service:advance(100)
    created()
    service:advance(100)
    service:fault { type = "stale_list", seconds = 101 }
    assert.equal(2, #request(service, { path = list_path }).data.apiKeys)
    service:fault { type = "stale_list", seconds = 99 }
    assert.equal(3, #request(service, { path = list_path }).data.apiKeys)
  end)
end)
