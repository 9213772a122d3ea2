-- SPDX-License-Identifier: Apache-2.0
-- Every fault that the sandbox can inject, at every operation: what the caller is told, and how often the request took
-- effect as the service counted it.

local confidentai = require "confidentai"
local support = require "spec.support"

local check = confidentai.check

-- How the sandbox names the request of an operation, and what kind of request that is.
local operations = {
  { name = "org list", request = "list", run = function(s) return s.org.api_keys:list() end },
  { name = "org get", request = "get", run = function(s) return s.org.api_keys:get(s.org_key.id) end },
  { name = "org find", request = "list", run = function(s) return s.org.api_keys:find("victim") end },
  { name = "org create", request = "create", run = function(s) return s.org.api_keys:create("made") end },
  { name = "org disable", request = "update", run = function(s) return s.org.api_keys:disable(s.org_key.id) end },
  { name = "org enable", request = "update", run = function(s) return s.org.api_keys:enable(s.org_key.id) end },
  { name = "org delete", request = "delete", run = function(s) return s.org.api_keys:delete(s.org_key.id) end },
  { name = "project list", request = "list", run = function(s) return s.project.api_keys:list() end },
  { name = "project get", request = "get", run = function(s) return s.project.api_keys:get(s.project_key.id) end },
  { name = "project create", request = "create", run = function(s) return s.project.api_keys:create("made") end },
  { name = "project update", request = "update",
    run = function(s) return s.project.api_keys:update(s.project_key.id, { valid = false }) end },
  { name = "project delete", request = "delete",
    run = function(s) return s.project.api_keys:delete(s.project_key.id) end },
  { name = "organization", request = "organization", run = function(s) return s.org:get() end },
  { name = "projects", request = "projects", run = function(s) return s.client.projects:list() end },
  { name = "project", request = "project", run = function(s) return s.project:get() end },
}

local changing = { create = true, update = true, delete = true }
local html = { type = "status", body = "<html>maintenance</html>", content_type = "text/html" }

local function with(fault, more)
  local copy = {}
  for _, fields in ipairs { fault, more } do
    for name, value in pairs(fields) do copy[name] = value end
  end
  return copy
end

-- fault; kind of the error (nil: it succeeds); applied: how often it took effect; outcome where something is changed
local faults = {
  { name = "lost answer", fault = { type = "lost_answer" }, closes = true, kind = "network", applied = 1,
    outcome = "unknown" },
  { name = "dropped request", fault = { type = "drop" }, kind = "network", applied = 0, outcome = "unknown" },
  { name = "reset", fault = { type = "reset" }, kind = "network", applied = 0, outcome = "unknown" },
  { name = "reset after it applied", fault = { type = "reset", apply = true }, closes = true, kind = "network",
    applied = 1,
    outcome = "unknown" },
  { name = "late commit", fault = { type = "late_commit", seconds = 0.05 }, closes = true, kind = "network",
    applied = 1,
    outcome = "unknown", late = true },
  { name = "late commit behind a hanging answer", fault = { type = "late_commit", seconds = 0.05, answer = "hang" },
    kind = "timeout", applied = 1, outcome = "unknown", late = true, timeout = 0.1 },
  { name = "delay", fault = { type = "delay", seconds = 0.02, when = "before" }, applied = 1 },
  { name = "delay of the answer", fault = { type = "delay", seconds = 0.02, when = "after" }, applied = 1 },
  { name = "answer too late", fault = { type = "delay", seconds = 0.3, when = "after" }, kind = "timeout", applied = 1,
    outcome = "unknown", timeout = 0.1 },
  { name = "no answer", fault = { type = "hang" }, kind = "timeout", applied = 0, outcome = "unknown", timeout = 0.1 },
  { name = "body too slow", fault = { type = "slow_body", seconds = 0.05, chunk = 10 }, kind = "timeout", applied = 1,
    outcome = "unknown", timeout = 0.1 },
  { name = "slow body", fault = { type = "slow_body", seconds = 0.002, chunk = 64 }, applied = 1 },
  { name = "truncated body", fault = { type = "truncate", bytes = 20 }, kind = "network", applied = 1,
    outcome = "unknown" },
  { name = "no body", fault = { type = "truncate", bytes = 0 }, kind = "network", applied = 1, outcome = "unknown" },
  { name = "garbage", fault = { type = "garbage" }, kind = "protocol", applied = 1, outcome = "unknown" },
  { name = "bytes that are no HTTP", fault = { type = "garbage", raw = true }, kind = "protocol", applied = 1,
    outcome = "unknown" },
  { name = "page of a proxy", fault = with(html, { type = "body" }), kind = "protocol", applied = 1,
    outcome = "unknown" },
  { name = "failure with status 200", fault = { type = "body", body = '{"success":false,"error":"no"}', apply = false },
    kind = "api", applied = 0, outcome = "unknown", status = 200 },
  { name = "status 202", fault = { type = "status", status = 202, apply = true }, kind = "protocol", applied = 1,
    outcome = "unknown", status = 202 },
  { name = "huge answer", fault = { type = "huge", bytes = 2 ^ 30 }, kind = "protocol", applied = 1,
    outcome = "unknown" },
  { name = "huge answer in chunks", fault = { type = "huge", bytes = 2 ^ 30, chunked = true }, kind = "protocol",
    applied = 1, outcome = "unknown" },
  { name = "huge header", fault = { type = "huge_header", bytes = 2 ^ 20 }, kind = "protocol", applied = 1,
    outcome = "unknown" },
  { name = "503", fault = { type = "status", status = 503 }, kind = "api", applied = 0, outcome = "not_applied",
    status = 503 },
  { name = "503 with Retry-After", fault = { type = "status", status = 503, headers = { ["Retry-After"] = "7" } },
    kind = "api", applied = 0, outcome = "not_applied", status = 503, retry_after = 7 },
  { name = "503 with Retry-After of a proxy",
    fault = with(html, { status = 503, headers = { ["Retry-After"] = "7" } }), kind = "api", applied = 0,
    outcome = "unknown", status = 503, retry_after = 7 },
}

for _, status in ipairs { 300, 301, 302, 303, 304, 307, 308 } do
  faults[#faults + 1] = {
    name = "redirect " .. status, kind = "protocol", applied = 0, outcome = "unknown", status = status,
    fault = { type = "redirect", status = status, location = "http://127.0.0.1:9/elsewhere" },
  }
end
for _, status in ipairs { 400, 401, 403, 404, 405, 409, 413, 418, 422, 429 } do
  faults[#faults + 1] = { name = tostring(status), fault = { type = "status", status = status }, kind = "api",
    applied = 0, outcome = "not_applied", status = status }
end
for _, status in ipairs { 408, 499, 500, 501, 502, 504, 599 } do
  faults[#faults + 1] = { name = tostring(status), fault = { type = "status", status = status }, kind = "api",
    applied = 0, outcome = "unknown", status = status }
  faults[#faults + 1] = { name = status .. " of a proxy", fault = with(html, { status = status }), kind = "api",
    applied = 0, outcome = "unknown", status = status }
end

-- How many requests of a name took effect, once nothing is going to any more.
local function applied(service, case, operation)
  local count
  for _ = 1, 40 do
    count = 0
    for _, entry in ipairs(support.requests(service)) do
      count = count + ((entry.operation == operation.request and entry.applied) and 1 or 0)
    end
    if not case.late or count >= case.applied then break end
    require("luv").sleep(10)
  end
  return count
end

describe("a fault", function()
  local service = support.service()
  local state

  before_each(function()
    local client = support.client(service, { max_retries = 0 })
    state = { client = client, org = client:organization(), project = client:project(service.projects[1].id) }
    state.org_key = check(state.org.api_keys:create("victim"))
    state.project_key = check(state.project.api_keys:create("victim"))
  end)

  -- The operation as that client would do it that the case needs.
  local function run(case, operation)
    if case.timeout then
      local client = support.client(service, { max_retries = 0, timeout = case.timeout })
      state.client, state.org = client, client:organization()
      state.project = client:project(service.projects[1].id)
    end
    service:fault(with(case.fault, { operation = operation.request, times = -1 }))
    return operation.run(state)
  end

  for _, case in ipairs(faults) do
    for _, operation in ipairs(operations) do
      it(("(%s) at %s"):format(case.name, operation.name), function()
        local before = applied(service, {}, operation)
        local result, err = run(case, operation)
        if case.kind then
          assert.is_nil(result)
          support.assert_error({ kind = case.kind, attempts = 1, status = case.status,
            retry_after = case.retry_after }, err)
          assert.equal(changing[operation.request] and case.outcome or nil, err.outcome)
        else
          assert.is_nil(err)
          assert.is_truthy(result)
        end
        -- What is still to come is counted from what was there before.
        local later = with(case, { applied = before + case.applied })
        local count = applied(service, later, operation) - before
        if case.closes and not changing[operation.request] and count == 2 then
          count = 1 -- libcurl's own: it reads once more when a connection that it reused breaks
        end
        assert.equal(case.applied, count)
      end)
    end
  end

  it("(short list) is a list like any other, for whoever asks", function()
    local all = check(state.org.api_keys:list())
    service:fault { type = "short_list", drop = 1 }
    assert.equal(#all - 1, #check(state.org.api_keys:list()))
  end)

  it("(stale list) is a list like any other, for whoever asks", function()
    service:fault { type = "stale_list" }
    local new = check(state.org.api_keys:create("later"))
    assert.is_true(#check(state.org.api_keys:find("later")) == 0)
    assert.same({ new.id }, { check(state.org.api_keys:find("later"))[1].id })
  end)

  it("at connecting leaves a change certainly undone", function()
    local nobody = confidentai.check(confidentai.new {
      api_key = service.api_key, base_url = "http://127.0.0.1:1", max_retries = 0,
    })
    for _, operation in ipairs(operations) do
      if operation.request == "create" or operation.name:find("project [ud]") then
        local _, err = operation.run {
          org = nobody:organization(), project = nobody:project("p"), project_key = state.project_key,
        }
        support.assert_error({ kind = "network", outcome = "not_applied", attempts = 1 }, err)
      end
    end
  end)
end)
