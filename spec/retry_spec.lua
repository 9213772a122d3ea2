-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check

-- Refused for now, without a wait worth speaking of.
local function busy(status)
  return { type = "status", status = status, headers = { ["Retry-After"] = "0" } }
end

describe("a retry", function()
  local service = support.service()
  local client, api_keys, victim

  before_each(function()
    client = support.client(service, { max_retries = 2 })
    api_keys = client:project(service.projects[1].id).api_keys
    victim = check(api_keys:create("victim"))
    service:reset()
    victim = check(api_keys:create("victim"))
  end)

  local function fault(fields, times)
    fields.times = times
    service:fault(fields)
  end

  local calls = {
    GET = function() return api_keys:get(victim.id) end,
    PUT = function() return api_keys:disable(victim.id) end,
    DELETE = function() return api_keys:delete(victim.id) end,
  }

  for method, call in pairs(calls) do
    for _, status in ipairs { 429, 500, 502, 503, 504 } do
      it(("saves a %s from %d"):format(method, status), function()
        fault(busy(status), 2)
        assert.is_nil((select(2, call())))
        assert.equal(3, #support.requests(service, method))
        assert.equal(1, support.applied(service, method))
      end)
    end

    it(("of a %s ends after max_retries"):format(method), function()
      fault(busy(500), -1)
      local result, err = call()
      assert.is_nil(result)
      support.assert_error({ kind = "api", status = 500, attempts = 3 }, err)
      assert.equal(3, #support.requests(service, method))
    end)

    for _, status in ipairs { 400, 401, 403, 404, 409, 422, 501 } do
      it(("is not made of a %s after %d"):format(method, status), function()
        fault({ type = "status", status = status }, -1)
        local _, err = call()
        support.assert_error({ status = status, attempts = 1 }, err)
      end)
    end

    it(("is not made of a %s after a redirect, garbage or an answer over the cap"):format(method), function()
      for _, kind in ipairs {
        { type = "redirect", location = "/" }, { type = "garbage", apply = false },
        { type = "huge", bytes = 2 ^ 26, apply = false },
      } do
        service:fault(kind)
        local _, err = call()
        support.assert_error({ kind = "protocol", attempts = 1 }, err)
      end
    end)
  end

  it("takes one unclear attempt for unclear for good", function()
    service:fault { type = "status", status = 500, method = "PUT" }
    service:fault { type = "status", status = 422, method = "PUT" }
    local _, err = api_keys:disable(victim.id)
    support.assert_error({ status = 422, attempts = 2, outcome = "unknown" }, err)
  end)

  it("makes a delete whose answer was lost a delete", function()
    service:fault { type = "lost_answer", method = "DELETE" }
    assert.same({ id = victim.id, deleted = true }, check(api_keys:delete(victim.id)))
    assert.equal(2, #support.requests(service, "DELETE"))
    assert.equal(1, support.applied(service, "DELETE"))
  end)

  it("of a delete that was certainly not done is not fooled by a 404", function()
    service:fault(busy(429))
    service:fault { type = "status", status = 404, method = "DELETE" }
    local _, err = api_keys:delete(victim.id)
    support.assert_error({ status = 404, outcome = "not_applied", attempts = 2 }, err)
  end)

  describe("of a create", function()
    local function created()
      return #support.keys_named(service, "made")
    end

    it("is made after 429 and 503 of the service itself", function()
      service:fault(busy(429))
      service:fault(busy(503))
      check(api_keys:create("made"))
      assert.equal(1, created())
    end)

    local unclear = {
      ["a lost answer"] = { type = "lost_answer" }, ["a drop"] = { type = "drop" }, ["a reset"] = { type = "reset" },
      ["500"] = { type = "status", status = 500 }, ["502"] = { type = "status", status = 502 },
      ["408"] = { type = "status", status = 408 }, ["499"] = { type = "status", status = 499 },
      ["504"] = { type = "status", status = 504 },
      ["a truncated answer"] = { type = "truncate", bytes = 10 },
      ["429 of a proxy"] = { type = "status", status = 429, headers = { ["Retry-After"] = "0" },
        body = { message = "API rate limit exceeded" } },
      ["503 of a proxy"] = { type = "status", status = 503, headers = { ["Retry-After"] = "0" }, body = "<p>",
        content_type = "text/html" },
    }
    for what, kind in pairs(unclear) do
      it("is never made after " .. what, function()
        service:fault(kind)
        local before = #support.requests(service, "POST")
        local _, err = api_keys:create("made")
        support.assert_error({ outcome = "unknown", attempts = 1 }, err)
        assert.equal(before + 1, #support.requests(service, "POST"))
      end)
    end

    it("is made while nothing can be sent", function()
      local nobody = confidentai.check(confidentai.new {
        api_key = service.api_key, base_url = "http://127.0.0.1:1", max_retries = 1,
      })
      local _, err = nobody:organization().api_keys:create("made")
      support.assert_error({ kind = "network", outcome = "not_applied", attempts = 2 }, err)
    end)
  end)

  it("waits as Retry-After says, in seconds or by date", function()
    local asked
    local listener = support.client(service, { on_event = function(event)
      if event.type == "retry" then asked = event.seconds end
    end })
    local function retry_after(header)
      service:fault { type = "status", status = 429, headers = { ["Retry-After"] = header } }
      local started = uv.hrtime()
      check(listener.projects:list())
      local waited = (uv.hrtime() - started) / 1e9
      assert.is_true(waited >= asked, ("waited %f seconds instead of %f"):format(waited, asked))
    end

    retry_after "1"
    assert.is_true(asked >= 1 and asked < 2, asked)
    local date = os.time() + 3
    retry_after(os.date("!%a, %d %b %Y %H:%M:%S GMT", date))
    assert.is_true(asked > 0 and asked <= 4, asked)
    assert.is_true(os.time() >= date)
  end)

  it("is not made when Retry-After asks for more than a minute", function()
    service:fault { type = "status", status = 429, headers = { ["Retry-After"] = "61" } }
    local started = uv.hrtime()
    local _, err = api_keys:list()
    support.assert_error({ status = 429, retry_after = 61, attempts = 1 }, err)
    assert.is_true(uv.hrtime() - started < 30e9)
  end)

  it("waits half a second to a second and so on when nothing is said", function()
    local waits = {}
    local listener = support.client(service, { max_retries = 2, on_event = function(event)
      if event.type == "retry" then waits[#waits + 1] = event.seconds end
    end })
    service:fault { type = "status", status = 500, times = 2 }
    local started = uv.hrtime()
    check(listener.projects:list())
    local seconds = (uv.hrtime() - started) / 1e9
    assert.is_true(waits[1] >= 0.25 and waits[1] <= 0.5, tostring(waits[1]))
    assert.is_true(waits[2] >= 0.5 and waits[2] <= 1, tostring(waits[2]))
    assert.is_true(seconds >= waits[1] + waits[2])
  end)
end)
