-- SPDX-License-Identifier: Apache-2.0
-- Statuses that proxies, load balancers and caches answer with, too: only the service's own envelope tells what became
-- of a request.

local confidentai = require "confidentai"
local support = require "spec.support"

local check = confidentai.check

local statuses = {
  400, 401, 403, 404, 405, 407, 408, 409, 410, 413, 418, 421, 422, 423, 425, 429, 431, 451, 498, 499, 500, 501, 502,
  503, 504, 507, 520, 524, 529, 599,
}

-- Whom the body of an answer is of, by its content type and its text.
local bodies = {
  { "text/html", "<html><h1>Too Many Requests</h1></html>" },
  { "text/plain", "default backend - 404" },
  { "text/plain", "" },
  { "application/json", '{"message":"no Route matched with those values"}' },
  { "application/json", '{"success":true,"data":{}}' },
  { "application/json", '{"success":"false","error":"no"}' },
  { "application/json", '{"error":{"success":false}}' },
  { "application/json", '[{"success":false}]' },
  { "application/json", '{"success":false,"error":"no"' },
  { "application/json", '{"success":false}<!-- cached -->' },
  { "application/json", '{"success":false,"success":true}' },
  { "application/json", '{"success":false,"error":"no"}', envelope = true },
  { "text/html", ' {"error":"no","success":false}\r\n', envelope = true },
}

-- What an answer proves of a request that was sent once.
local function outcome_of(status, body)
  local refused = status < 500 and status ~= 408 and status ~= 499
  return body.envelope and (refused or status == 503) and "not_applied" or "unknown"
end

describe("the service's own word", function()
  local service = support.service()
  local api_keys, id

  before_each(function()
    local client = support.client(service, { max_retries = 0 })
    api_keys = client:project(service.projects[1].id).api_keys
    id = check(api_keys:create("victim")).id
  end)

  local calls = {
    GET = function() return api_keys:get(id) end,
    POST = function() return api_keys:create("made") end,
    PUT = function() return api_keys:disable(id) end,
    DELETE = function() return api_keys:delete(id) end,
  }

  -- An answer in place of the service's own to the next request, which may have taken effect before.
  local function answer(status, body, applied)
    service:fault { type = applied and "body" or "status", status = status, body = body[2], content_type = body[1],
      headers = { ["Retry-After"] = "0" } }
  end

  for method, call in pairs(calls) do
    it(("is not taken from a proxy by a %s"):format(method), function()
      for _, status in ipairs(statuses) do
        for _, body in ipairs(bodies) do
          answer(status, body)
          local result, err = call()
          local what = ("%d %s"):format(status, body[2])
          assert.is_nil(result, what)
          support.assert_error({ kind = "api", status = status, attempts = 1 }, err)
          assert.equal(body.envelope, err.envelope, what)
          assert.equal(method ~= "GET" and outcome_of(status, body) or nil, err.outcome, what)
        end
      end
    end)
  end

  it("alone has a create sent again", function()
    api_keys = support.client(service, { max_retries = 1 }):project(service.projects[1].id).api_keys
    for _, status in ipairs { 408, 429, 499, 503 } do
      for _, body in ipairs(bodies) do
        local what = ("%d %s"):format(status, body[2])
        local again = body.envelope and (status == 429 or status == 503)
        service:reset()
        answer(status, body, not again)
        local _, err = api_keys:create("made")
        assert.equal(not again and "unknown" or nil, err and err.outcome, what)
        assert.equal(1, #support.keys_named(service, "made"), what)
        assert.equal(again and 2 or 1, #support.requests(service, "POST"), what)
      end
    end
  end)

  -- A 502 that nothing had come of, and a 404 "Project not found" for a moment: the key counted as deleted.
  it("makes no delete done by a 404 that follows an unclear answer, while the service lists the key", function()
    api_keys = support.client(service, { max_retries = 1 }):project(service.projects[1].id).api_keys
    for _, body in ipairs(bodies) do
      answer(502, { "text/html", "<html>Bad Gateway</html>" })
      answer(404, body)
      local deleted, err = api_keys:delete(id)
      assert.is_nil(deleted, body[2])
      support.assert_error({ kind = body.envelope and "protocol" or "api", status = 404, outcome = "unknown" }, err)
      assert.equal(body.envelope, err.message:find("but lists it", 1, true) and true, err.message)
      check(api_keys:get(id)) -- no answer was the service's: the key lives
    end
  end)

  it("makes a delete done by a 404 that follows an unclear answer, if a list agrees", function()
    api_keys = support.client(service, { max_retries = 1 }):project(service.projects[1].id).api_keys
    local place = { operation = "list", project_id = service.projects[1].id, times = 2 }
    local function list_answers(fault)
      for name, value in pairs(place) do
        fault[name] = value
      end
      service:fault(fault)
    end
    for words, fault in pairs {
      ["does not list the others"] = { type = "status", status = 500 },
      ["a key that it lists cannot be read"] = { type = "record", fields = { id = "null" }, target = 1 },
      [""] = { type = "delay", seconds = 0 },
    } do
      local key = check(api_keys:create "other")
      service:fault { type = "lost_answer", operation = "delete" }
      list_answers(fault)
      local deleted, err = api_keys:delete(key)
      assert.same(words == "" and { id = key.id, deleted = true } or nil, deleted)
      if words ~= "" then
        support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
        assert.is_truthy(err.message:find(words, 1, true), err.message)
      end
      assert(service:clear_faults())
    end
  end)

  it("that a key is deleted needs no field that says so, as the newer API sends none", function()
    local answers = {
      ["{}"] = false, ['{"id":%s}'] = true, ['{"id":%s,"deleted":true}'] = true, ['{"id":%s,"deleted":null}'] = true,
      ['{"id":%s,"deleted":false}'] = false, ['{"id":%s,"deleted":"true"}'] = false, ['{"id":%s1}'] = false,
      ['{"id":null}'] = false, ['{"deleted":true}'] = false,
    }
    for data, right in pairs(answers) do
      service:fault { type = "body", apply = false, body = ('{"success":true,"data":%s}'):format(data:format(id)) }
      local deleted, err = api_keys:delete(id)
      assert.same(right and { id = id, deleted = true } or nil, deleted, data)
      if not right then
        support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
      end
    end
  end)
end)
