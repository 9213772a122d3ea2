-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local support = require "spec.support"

local check = confidentai.check

describe("on_event", function()
  local service = support.service()
  local heard, client

  before_each(function()
    heard = {}
    client = support.client(service, { on_event = function(event) heard[#heard + 1] = event end })
  end)

  local function types()
    local list = {}
    for i, event in ipairs(heard) do
      list[i] = event.type
    end
    return table.concat(list, " ")
  end

  it("hears of the request and the response", function()
    local keys = check(client:organization().api_keys:list())
    assert.is_table(keys)
    assert.equal("request response", types())
    assert.same({ type = "request", method = "GET", path = "/v1/organization/api-keys", attempt = 1 }, heard[1])
    local response = heard[2]
    assert.equal(200, response.status)
    assert.equal(1, response.attempt)
    assert.is_true(response.seconds > 0 and response.seconds < 5)
    assert.is_true(response.bytes > 100)
  end)

  it("hears of retries, with the wait in seconds", function()
    service:fault { type = "status", status = 503, headers = { ["Retry-After"] = "0" } }
    check(client:organization().api_keys:create("x"))
    assert.equal("request response retry request response", types())
    assert.equal(503, heard[3].status)
    assert.equal(0, heard[3].seconds)
    assert.equal(2, heard[4].attempt)
    assert.equal(200, heard[5].status)
  end)

  it("hears of failures without an answer", function()
    service:fault { type = "lost_answer" }
    local _, err = client:organization().api_keys:create("x")
    assert.is_table(err)
    assert.equal("request response", types())
    assert.is_nil(heard[2].status)
    assert.equal("network", heard[2].failure)
  end)

  it("hears of deprecation", function()
    local body = '{"success":true,"deprecated":true,"link":"https://new","data":{"apiKeys":[]}}'
    service:fault { type = "body", body = body }
    check(client:organization().api_keys:list())
    assert.equal("request response deprecated", types())
    assert.same({ type = "deprecated", method = "GET", path = "/v1/organization/api-keys", link = "https://new" },
      heard[3])
  end)

  it("hears of no retry that a cancellation forestalled", function()
    local impatient = { wait = function(engine, call)
      for _ = 1, 20 do engine:step(0.01) end
      call:cancel()
    end }
    service:fault { type = "status", status = 503, headers = { ["Retry-After"] = "30" } }
    local own = support.client(service, { driver = impatient,
      on_event = function(event) heard[#heard + 1] = event end })
    local _, err = own:organization():get()
    assert.equal("cancelled", err.kind)
    assert.equal("request response", types())
  end)

  it("is called in the caller's coroutine, before the result is there", function()
    local caller, seen
    local own = support.client(service, { on_event = function() seen = coroutine.running() end })
    caller = coroutine.create(function() return own:organization():get() end)
    assert.is_true((coroutine.resume(caller)))
    assert.equal(caller, seen)
  end)

  it("is ignored and counted when it raises", function()
    local faulty = support.client(service, { on_event = function() error("mine") end })
    assert.equal(0, faulty.event_errors)
    assert.is_table(check(faulty:organization().api_keys:list()))
    assert.equal(2, faulty.event_errors)
  end)

  it("never hears a secret", function()
    local new = check(client:organization().api_keys:create("x"))
    check(client:whoami())
    for _, event in ipairs(heard) do
      for _, value in pairs(event) do
        assert.is_nil(tostring(value):find(new.value, 1, true))
        assert.is_nil(tostring(value):find(service.api_key, 1, true))
      end
    end
  end)
end)
