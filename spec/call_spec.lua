-- SPDX-License-Identifier: Apache-2.0
-- Calls by themselves, as the Lua layer makes them: client:start, and what a Call tells.

local core = require "confidentai.core"
local support = require "spec.support"

local KEYS = { "v1", "organization", "api-keys" }
local QUEUES = { "v1", "annotation-queues" }

local function finish(call)
  while not call:done() do
    core.engine():step(-1)
  end
  return call
end

describe("a call", function()
  local service = support.service()
  local client

  before_each(function()
    client = support.client(service, { max_retries = 2 })
  end)

  -- The result or the error of a call to its end.
  local function run(shape, ...)
    return finish(client:start(...)):result(shape)
  end

  it("needs no flags", function()
    assert.is_table(run("organization", "GET", { "v1", "organization" }))
    assert.is_table(run("organization", "GET", { "v1", "organization" }, nil, {}))
    local key = assert(finish(client:start("POST", KEYS, { name = "x" }, {}))
      :result("new_api_key", client:organization().api_keys))
    assert.equal("x", key.name)
  end)

  it("refuses flags that are unknown or of a wrong type, and quotes no credential", function()
    for problem, flags in pairs {
      ["no such flag"] = { refresh = true }, ["not a string"] = { "fresh" }, ["table expected"] = "fresh",
      ["'fresh': boolean"] = { fresh = 1 }, ["'no_retry': boolean"] = { no_retry = "yes" },
      ["'query': string"] = { query = 1 }, ["'query': characters"] = { query = "a=b c" },
      ["'query': char"] = { query = "" }, ["'query': ch"] = { query = "a#b" }, ["'query': c"] = { query = "a=b\0" },
      ["'credential': string"] = { credential = 7 }, ["'credential': printable"] = { credential = "S3CR3T here" },
      ["'credential': print"] = { credential = "" }, ["'credential': pr"] = { credential = "S3CR3T\n" },
      ["'credential': p"] = { credential = "S3CR3T\0" },
    } do
      local ok, message = pcall(client.start, client, "GET", KEYS, nil, flags)
      assert.is_false(ok, problem)
      assert.matches(problem, message, 1, true)
      assert.is_nil(message:find("S3CR3T", 1, true))
    end
    assert.equal(0, core.engine():in_flight())
    assert.equal(0, #support.requests(service))
  end)

  describe("with another credential", function()
    it("is another's, and leaves the client its own", function()
      local other = assert(client:organization().api_keys:create("other"))
      assert(client:organization().api_keys:disable(other))
      local _, err = run("organization", "GET", { "v1", "organization" }, nil, { credential = other.value })
      support.assert_error({ kind = "api", status = 401 }, err)
      assert.is_table(run("organization", "GET", { "v1", "organization" }))
      assert.is_true(client:owns(assert(client:whoami()).key))
    end)

    it("may send a project's key, and its query", function()
      local key = assert(client:project(service.projects[1].id).api_keys:create("worker"))
      local flags = { credential = key.value, query = "page=1&pageSize=1", no_retry = true, fresh = true }
      local call = finish(client:start("GET", QUEUES, nil, flags))
      assert.equal("/v1/annotation-queues", call:info().path)
      local _, err = call:result("organization")
      assert.matches("organization is no object", err.message, 1, true) -- 200, for whoever it is
      local log = support.requests(service)
      assert.equal("/v1/annotation-queues?page=1&pageSize=1", log[#log].path)
    end)

    it("never repeats it, nor the client's own", function()
      local own, sent = "0wn-key!-of-the-client!-fedcba", "s3nt-with!-this-call!-abcdef"
      client = support.client(service, { api_key = own })
      service:fault { type = "status", status = 400, body = { success = false, link = "https://x/" .. sent,
        error = ("not %s, but %s"):format(sent, own) } }
      local _, err = run("organization", "GET", { "v1", "organization" }, nil, { credential = sent })
      assert.equal(400, err.status)
      assert.matches("^not %*+abcdef, but %*+fedcba$", err.message)
      assert.matches("^https://x/%*+abcdef$", err.link)
    end)
  end)

  it("that may not be tried again is not", function()
    service:fault { type = "status", status = 503, headers = { ["Retry-After"] = "0" }, times = -1 }
    for _, method in ipairs { "GET", "PUT", "POST", "DELETE" } do
      local _, err = run("organization", method, KEYS, nil, { no_retry = true })
      support.assert_error({ status = 503, attempts = 1 }, err)
    end
    local _, err = run("organization", "GET", KEYS)
    assert.equal(3, err.attempts)
    assert.equal(7, #support.requests(service))
  end)

  it("that is to be fresh has a connection of its own", function()
    for _, fresh in ipairs { false, true, true, false } do
      assert(run("organization", "GET", { "v1", "organization" }, nil, { fresh = fresh }))
    end
    local connections = {}
    for i, entry in ipairs(support.requests(service)) do
      connections[i] = entry.connection
    end
    assert.equal(connections[1], connections[4])
    assert.not_equal(connections[1], connections[2])
    assert.not_equal(connections[2], connections[3])
  end)

  it("gives true for any data, when nobody wants to know it", function()
    local key = assert(client:project(service.projects[1].id).api_keys:create("worker"))
    assert.is_true(run("anything", "GET", QUEUES, nil, { credential = key.value, query = "page=1" }))
    for _, body in ipairs { '{"success":true}', '{"success":true,"data":[1]}', '{"success":true,"data":null}' } do
      service:fault { type = "body", body = body }
      assert.is_true(run("anything", "GET", QUEUES))
    end
    for body, kind in pairs {
      ['{"success":false,"error":"x"}'] = "api", ['{"data":{}}'] = "protocol", ["[]"] = "protocol", [""] = "protocol",
    } do
      service:fault { type = "body", body = body }
      local result, err = run("anything", "GET", QUEUES)
      assert.is_nil(result)
      assert.equal(kind, err.kind, body)
    end
    service:fault { type = "lost_answer", method = "DELETE" }
    assert.is_true(run("anything", "DELETE", { "v1", "organization", "api-keys", "2" })) -- the second answer is 404
  end)

  it("says whether a refusal is the service's own word", function()
    local refusals = {
      { true, '{"success":false,"error":"no"}' }, { true, '{"success":false}' }, { nil, "<html>no</html>" },
      { nil, "" }, { nil, '{"success":true}' }, { nil, '{"success":"false"}' }, { nil, '{"error":"no"}' },
      { nil, "[false]" },
    }
    for _, status in ipairs { 400, 401, 404, 500 } do
      for _, refusal in ipairs(refusals) do
        service:fault { type = "body", status = status, body = refusal[2], content_type = "text/plain" }
        local _, err = run("anything", "GET", KEYS, nil, { no_retry = true })
        support.assert_error({ kind = "api", status = status }, err)
        assert.equal(refusal[1], err.envelope, refusal[2])
      end
    end
    service:fault { type = "body", body = '{"success":false,"error":"no"}' }
    local _, err = run("anything", "GET", KEYS)
    support.assert_error({ kind = "api", status = 200, envelope = true }, err)
  end)

  describe("has a body", function()
    local ANSWER = '{"success":true,"data":{"apiKey":"\0\255"}}'

    -- The body of a call to its end.
    local function body_of(...)
      return finish(client:start(...)):body()
    end

    it("as it came, until the result is taken", function()
      local call = client:start("POST", KEYS, { name = "x" })
      local ok, message = pcall(call.body, call)
      assert.is_false(ok)
      assert.matches("not finished", message, 1, true)
      finish(call)
      local body = call:body()
      assert.equal(body, call:body())
      local key = assert(call:result("new_api_key", client:organization().api_keys))
      assert.matches(key.value, body, 1, true)
      ok, message = pcall(call.body, call)
      assert.is_false(ok)
      assert.matches("wiped", message, 1, true)
      assert.is_true(math.abs(call:info().date - os.time()) < 60)
    end)

    it("that need not be JSON, nor fit one block of memory", function()
      for _, body in ipairs { ANSWER, "<html>", "", ("x"):rep(2 ^ 20 + 7) } do
        for _, status in ipairs { 200, 404, 503 } do
          service:fault { type = "body", status = status, body = body, content_type = "text/plain" }
          local got = body_of("GET", KEYS, nil, { no_retry = true })
          assert.equal(#body, #got)
          assert.is_true(body == got)
        end
      end
    end)

    it("of the last attempt", function()
      for i = 1, 3 do
        service:fault { type = "body", status = 503, body = ("b"):rep(i), headers = { ["Retry-After"] = "0" } }
      end
      assert.equal("bbb", body_of("GET", KEYS))
    end)

    it("also where it broke off, was cancelled or is over the cap", function()
      service:fault { type = "truncate", bytes = 20, method = "POST" }
      local call = finish(client:start("POST", KEYS, { name = "x" }))
      assert.equal(20, #call:body())
      local _, err = call:result("anything")
      support.assert_error({ kind = "network", outcome = "unknown" }, err)
      assert.is_number(call:info().date)

      service:fault { type = "slow_body", seconds = 0.2, chunk = 10, method = "POST" }
      call = client:start("POST", KEYS, { name = "x" })
      local ends = core.now() + 0.5
      repeat
        core.engine():step(0.05)
      until core.now() > ends
      call:cancel()
      assert.matches("^{", call:body())
      _, err = call:result("anything")
      support.assert_error({ kind = "cancelled", outcome = "unknown" }, err)

      local small = support.client(service, { max_response_bytes = 100, max_retries = 0 })
      service:fault { type = "huge", bytes = 5000, chunked = true }
      call = finish(small:start("GET", KEYS))
      assert.is_true(#call:body() <= 100)
      _, err = call:result("anything")
      support.assert_error({ kind = "protocol" }, err)
    end)

    it("that is empty when none came", function()
      service:fault { type = "reset", times = -1 }
      assert.equal("", body_of("GET", KEYS, nil, { no_retry = true }))
      local call = client:start("GET", KEYS)
      call:cancel()
      assert.equal("", call:body())
    end)
  end)
end)
