-- SPDX-License-Identifier: Apache-2.0
local socket = require "socket"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("a fault", function()
  local service = support.service()

  local function create(name)
    return request(service, { method = "POST", path = list_path, body = { name = name or "new" } })
  end

  local function list()
    return request(service, { path = list_path })
  end

  local function key_count()
    return #service:state().keys - 2 -- without those of the two projects
  end

  local function last_entry()
    local log = service:log()
    return log[#log]
  end

  describe("is matched", function()
    it("by method, operation, scope, project, key and path", function()
      local project = service.projects[2].id
      local project_path = "/v1/projects/" .. project .. "/api-keys"
      local cases = {
        { { method = "POST" }, { method = "POST", path = list_path, body = {} }, { path = list_path } },
        { { operation = "get" }, { path = list_path .. "/1" }, { path = list_path } },
        { { scope = "project" }, { path = project_path }, { path = list_path } },
        { { project_id = project }, { path = project_path },
          { path = "/v1/projects/" .. service.projects[1].id .. "/api-keys" } },
        { { key_id = 2 }, { path = list_path .. "/2" }, { path = list_path .. "/1" } },
        { { path = "/api%-keys/2$" }, { path = "/v1/./x/%2e%2e/organization/api%2Dkeys/2?x=1" },
          { path = list_path } },
      }
      for _, case in ipairs(cases) do
        local fault, hit, miss = case[1], case[2], case[3]
        fault.type, fault.status = "status", 599
        assert(service:fault(fault))
        assert.not_equal(599, request(service, miss).status)
        assert.equal(599, request(service, hit).status)
        assert.not_equal(599, request(service, hit).status)
      end
    end)

    it("after so many requests, so many times, in order", function()
      service:fault { type = "status", status = 501, skip = 1, times = 2 }
      service:fault { type = "status", status = 502 }
      local statuses = {}
      for index = 1, 5 do statuses[index] = list().status end
      assert.same({ 502, 501, 501, 200, 200 }, statuses)
      assert.equal("status", service:log()[1].fault)
      assert.is_nil(service:log()[4].fault)
    end)

    it("always with times = -1, until faults are cleared", function()
        assert.equal("number", type(service:fault { type = "status", status = 503, times = -1 }))
      for _ = 1, 4 do assert.equal(503, list().status) end
      assert.equal(1, #service:faults())
      assert.is_true(service:clear_faults())
      assert.equal(200, list().status)
      assert.same({}, service:faults())
    end)

    it("and is gone after its last hit", function()
      service:fault { type = "drop" }
      assert.equal(1, service:stats().faults)
      list()
      assert.equal(0, service:stats().faults)
    end)
  end)

  it("lost_answer applies and closes without a byte, also on a reused connection", function()
    service:fault { type = "lost_answer", method = "POST" }
    local connection = support.connect(service.base_url)
    assert.equal(200, connection:request({ path = list_path, key = service.api_key }).status)
    connection:send { method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"lost\"}" }
    local byte, message, partial = connection.raw:receive(1)
    assert.is_nil(byte)
    assert.equal("closed", message)
    assert.equal("", partial)
    connection:close()
    assert.equal(3, key_count())
    local entry = last_entry()
    assert.is_true(entry.applied)
    assert.is_nil(entry.status)
    assert.equal("lost_answer", entry.fault)
    assert.equal(service:log()[1].connection, entry.connection)
  end)

  it("lost_answer does nothing for who may not", function()
    service:fault { type = "lost_answer" }
    request(service, { method = "POST", path = list_path, key = "wrong", body = { name = "n" } })
    assert.equal(2, key_count())
    assert.is_false(last_entry().applied)
    assert.is_nil(last_entry().credential)
  end)

  it("drop closes before it applies", function()
    service:fault { type = "drop" }
    local answer, message, partial = create()
    assert.is_nil(answer)
    assert.equal("closed", message)
    assert.equal("", partial)
    assert.equal(2, key_count())
    assert.is_false(last_entry().applied)
    assert.equal(1, last_entry().credential.id)
  end)

  it("that lets nothing happen does not move lastUsed, one that does moves it", function()
    local cjson = require "cjson"
    local key = create("used").data.apiKey
    local function last_used()
      return request(service, { path = list_path .. "/" .. key.id }).data.apiKey.lastUsed
    end
    for _, kind in ipairs { "drop", "reset", "status" } do
      service:fault { type = kind, status = kind == "status" and 503 or nil }
      request(service, { path = "/v1/organization", key = key.value })
      assert.equal(cjson.null, last_used(), kind)
    end
    service:fault { type = "lost_answer" }
    request(service, { path = "/v1/organization", key = key.value })
    assert.equal("string", type(last_used()))
  end)

  it("apply overrides what a type does by itself", function()
    service:fault { type = "drop", apply = true }
    create()
    assert.equal(3, key_count())
    service:fault { type = "lost_answer", apply = false }
    create()
    assert.equal(3, key_count())
  end)

  it("late_commit closes now and applies later", function()
    service:fault { type = "late_commit", seconds = 0.15 }
    assert.is_nil((create("late")))
    assert.equal(2, key_count())
    assert.is_false(last_entry().applied)
    assert.is_true(support.eventually(function() return key_count() == 3 end))
    assert.is_true(last_entry().applied)
    assert.is_nil(last_entry().status)
  end)

  it("late_commit can hold the connection, and commits though the key is disabled meanwhile", function()
    service:fault { type = "late_commit", seconds = 0.15, answer = "hang" }
    local connection = support.connect(service.base_url)
    connection:send { method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"late\"}" }
    support.eventually(function() return #service:log() == 1 end)
    assert.equal(200, request(service, {
      method = "PUT", path = list_path .. "/1", body = { valid = false },
    }).status)
    assert.is_true(support.eventually(function() return key_count() == 3 end))
    connection.raw:settimeout(0.05)
    assert.equal("timeout", select(2, connection.raw:receive(1)))
    connection:close()
  end)

  it("late_commit counts as a use at once", function()
    local key = create("user").data.apiKey
    service:fault { type = "late_commit", seconds = 0.1 }
    request(service, { path = list_path, key = key.value })
    local used = request(service, { path = list_path .. "/" .. key.id }).data.apiKey.lastUsed
    assert.equal("string", type(used))
    support.eventually(function() return service:log()[2].applied end)
    assert.equal(used, request(service, { path = list_path .. "/" .. key.id }).data.apiKey.lastUsed)
  end)

  it("late_commit can wait for the service's clock", function()
    service:fault { type = "late_commit", clock_seconds = 3600 }
    assert.is_nil((create("late")))
    service:set_clock(3590)
    assert.equal(200, list().status)
    assert.equal(2, key_count())
    service:set_clock(3601)
    local entry = service:log()[1]
    assert.is_true(entry.applied)
    assert.is_true(entry.change.time - entry.time >= 3600)
    assert.equal("late", list().data.apiKeys[3].name)
  end)

  it("late_commit takes effect in the order of the clock, before the request that comes then", function()
    service:set_clock(-3600)
    service:fault { type = "late_commit", clock_seconds = 0.2, operation = "update" }
    service:fault { type = "late_commit", clock_seconds = 0.1, operation = "update" }
    for _, valid in ipairs { true, false } do
      request(service, { method = "PUT", path = list_path .. "/2", body = { valid = valid } })
    end
    socket.sleep(0.21)
    assert.is_true(list().data.apiKeys[2].valid)
    local log = service:log()
    assert.is_true(log[1].change.revision > log[2].change.revision)
  end)

  it("a late commit waits for its own kind of time", function()
    service:fault { type = "late_commit", seconds = 0.15 }
    create("late")
    service:set_clock(3600)
    assert.equal(2, key_count())
    assert.is_true(support.eventually(function() return key_count() == 3 end))
  end)

  it("duplicate carries a request out twice, and gives the first answer", function()
    service:fault { type = "duplicate" }
    local first = create("twin").data.apiKey
    local keys = service:state().keys
    assert.equal("twin", keys[3].name)
    assert.equal("twin", keys[4].name)
    assert.equal(first.id, keys[3].id)
    assert.not_equal(first.value, keys[4].value)
    local log = service:log()
    assert.equal(2, #log)
    assert.equal(1, log[2].duplicate_of)
    assert.equal("duplicate", log[2].fault)
    assert.equal(keys[4].id, log[2].change.key_id)
    assert.equal(200, log[1].status)
    assert.is_nil(log[2].status)
    assert.same(log[1].credential, log[2].credential)
  end)

  it("duplicate can give the second answer", function()
    service:fault { type = "duplicate", answer = "second" }
    local answer = request(service, { method = "DELETE", path = list_path .. "/2" })
    assert.equal(404, answer.status)
    assert.equal(1, key_count())
    assert.equal(404, last_entry().status)
    assert.is_true(service:log()[1].applied)
    assert.is_false(last_entry().applied)
  end)

  it("duplicate refuses twice who may not", function()
    service:fault { type = "duplicate" }
    local answer = request(service, { method = "POST", path = list_path, key = "wrong", body = { name = "n" } })
    assert.equal(401, answer.status)
    service:fault { type = "duplicate", apply = false }
    assert.equal(503, create("n").status)
    assert.equal(2, key_count())
    assert.equal(4, #service:log())
  end)

  it("a reset forgets a late commit that is still to come", function()
    service:fault { type = "late_commit", seconds = 0.1 }
    create("late")
    service:fault { type = "late_commit", clock_seconds = 0.1 }
    create("late")
    service:reset()
    socket.sleep(0.2)
    assert.equal(2, key_count())
  end)

  it("delay waits, then answers, and blocks nobody else", function()
    service:fault { type = "delay", seconds = 0.4, operation = "create" }
    local connection = support.connect(service.base_url)
    local started = socket.gettime()
    connection:send { method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"d\"}" }
    assert.equal(200, list().status)
    assert.equal(2, key_count())
    assert.equal(200, connection:receive().status)
    assert.is_true(socket.gettime() - started >= 0.4)
    connection:close()
  end)

  it("delay after the operation, which has happened by then", function()
    service:fault { type = "delay", seconds = 0.2, when = "after", operation = "create" }
    local connection = support.connect(service.base_url)
    connection:send { method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"d\"}" }
    assert.equal(200, list().status)
    assert.equal(3, key_count())
    connection:close()
  end)

  it("status answers with an envelope, headers or any body", function()
    service:fault { type = "status", status = 429, headers = { ["Retry-After"] = "2" } }
    local answer = create()
    assert.equal(429, answer.status)
    assert.equal("2", answer.headers["retry-after"])
    assert.is_false(answer.json.success)
    assert.equal(2, key_count())
    service:fault {
      type = "status", status = 502, body = "<html>bad</html>", content_type = "text/html", apply = true,
    }
    answer = create()
    assert.equal("<html>bad</html>", answer.body)
    assert.equal("text/html", answer.headers["content-type"])
    assert.equal(3, key_count())
    service:fault { type = "status", status = 200, body = { success = false, error = "no" } }
    answer = list()
    assert.equal(200, answer.status)
    assert.equal("no", answer.error)
    service:fault { type = "status", status = 204 }
    answer = list()
    assert.equal(204, answer.status)
    assert.equal("", answer.body)
  end)

  it("status can replace the date and repeat a header", function()
    local date = "Thu, 01 Jan 1970 00:00:00 GMT"
    service:fault {
      type = "status", status = 500, headers = { Date = date, ["Set-Cookie"] = { "a=1", "b=2" } },
    }
    local connection = support.connect(service.base_url)
    connection:send { path = list_path, key = service.api_key }
    local lines = {}
    repeat
      local line = connection.raw:receive("*l")
      lines[#lines + 1] = line:lower()
    until line == ""
    connection:close()
    local head = table.concat(lines, "\n")
    assert.truthy(head:find("date: " .. date:lower(), 1, true))
    assert.is_nil(head:find("date:.*date:"))
    assert.truthy(head:find("set%-cookie: a=1.*set%-cookie: b=2"))
  end)

  it("body answers a given text", function()
    service:fault { type = "body", body = "[1,2", headers = { ["X-A"] = "b" } }
    local answer = create()
    assert.equal(200, answer.status)
    assert.equal("[1,2", answer.body)
    assert.equal("b", answer.headers["x-a"])
    assert.equal(3, key_count())
    service:fault { type = "body", body = "", status = 201, apply = false }
    assert.equal("", create().body)
    assert.equal(3, key_count())
  end)

  it("garbage is no JSON, and raw garbage no HTTP", function()
    service:fault { type = "garbage" }
    local answer = create()
    assert.equal(200, answer.status)
    assert.equal("application/json", answer.headers["content-type"])
    assert.is_nil(answer.json)
    assert.truthy(answer.body:find("%z"))
    assert.equal(3, key_count())
    service:fault { type = "garbage", raw = true }
    local connection = support.connect(service.base_url)
    connection:send { path = list_path, key = service.api_key }
    local bytes = connection.raw:receive("*a")
    connection:close()
    assert.is_true(#bytes > 0)
    assert.is_nil(bytes:find("HTTP", 1, true))
  end)

  it("truncate announces all, sends part and closes", function()
    for _, bytes in ipairs { 0, 1, 20, 100000 } do
      service:fault { type = "truncate", bytes = bytes }
      local answer = create()
      assert.equal(200, answer.status)
      local length = tonumber(answer.headers["content-length"])
      assert.is_false(answer.complete)
      assert.equal(math.min(bytes, length - 1), #answer.body)
    end
    service:fault { type = "truncate" }
    local answer = create()
    assert.equal(math.floor(tonumber(answer.headers["content-length"]) / 2), #answer.body)
    assert.equal(7, key_count())
  end)

  it("slow_body comes in pieces", function()
    service:fault { type = "slow_body", seconds = 0.02, chunk = 100 }
    local started = socket.gettime()
    local answer = list()
    assert.is_true(answer.complete)
    assert.is_true(answer.json.success)
    assert.is_true(socket.gettime() - started >= 0.02 * math.ceil(#answer.body / 100))
  end)

  it("redirect points elsewhere and applies nothing", function()
    service:fault { type = "redirect", location = "http://127.0.0.1:9/x" }
    local answer = create()
    assert.equal(307, answer.status)
    assert.equal("http://127.0.0.1:9/x", answer.headers.location)
    service:fault { type = "redirect", status = 302, location = "/y" }
    assert.equal(302, create().status)
    assert.equal(2, key_count())
  end)

  local function resident(pid)
    return tonumber(support.read_file(("/proc/%d/status"):format(pid)):match("VmRSS:%s*(%d+)"))
  end

  for _, chunked in ipairs { true, false } do
    local form = chunked and "chunked" or "announced"
    it("huge, " .. form .. ", streams and stops when the client closes", function()
      local before = resident(service.pid)
      service:fault { type = "huge", bytes = 2 ^ 33, chunked = chunked }
      local connection = support.connect(service.base_url)
      connection:send { path = list_path, key = service.api_key }
      local head, line = {}
      repeat
        line = connection.raw:receive("*l")
        head[#head + 1] = line:lower()
      until line == ""
      head = table.concat(head, "\n")
      assert.equal(not chunked, head:find("content-length: 8589934592", 1, true) ~= nil)
      for _ = 1, 64 do assert.equal(2 ^ 18, #connection.raw:receive(2 ^ 18)) end
      assert.is_true(resident(service.pid) - before < 30000)
      connection:close()
      assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
    end)
  end

  it("huge ends properly when it is read to its end", function()
    service:fault { type = "huge", bytes = 100000, chunked = true }
    local answer = list()
    assert.is_true(answer.complete)
    assert.equal(100000, #answer.body)
  end)

  it("huge_header adds a long header to a normal answer", function()
    service:fault { type = "huge_header", bytes = 300000 }
    local answer = list()
    assert.equal(300000, #answer.headers["x-filler"])
    assert.is_true(answer.json.success)
  end)

  it("stale_list shows the keys as they were", function()
    create("old")
    service:fault { type = "stale_list" }
    create("new")
    request(service, { method = "DELETE", path = list_path .. "/3" })
    request(service, { method = "PUT", path = list_path .. "/2", body = { valid = false } })
    local keys = list().data.apiKeys
    assert.equal(3, #keys)
    assert.equal("old", keys[3].name)
    assert.is_true(keys[2].valid)
    keys = list().data.apiKeys
    assert.equal("new", keys[3].name)
    assert.is_false(keys[2].valid)
  end)

  it("stale_list shows the keys of some seconds ago", function()
    socket.sleep(0.15)
    create("new")
    service:fault { type = "stale_list", seconds = 0.1 }
    assert.equal(2, #list().data.apiKeys)
    service:fault { type = "stale_list", seconds = 0 }
    assert.equal(3, #list().data.apiKeys)
  end)

  it("short_list lacks the last keys, and hits lists only", function()
    service:fault { type = "short_list" }
    assert.equal(200, request(service, { path = list_path .. "/2" }).status)
    assert.equal(1, #list().data.apiKeys)
    service:fault { type = "short_list", drop = 5 }
    assert.truthy(list().body:find("\"apiKeys\":[]", 1, true))
    assert.equal(2, #list().data.apiKeys)
  end)

  it("stale_list shows the keys before so many of their changes", function()
    local project_path = "/v1/projects/" .. service.projects[1].id .. "/api-keys"
    create("new")
    local put = { method = "PUT", path = list_path .. "/2", body = { valid = false } }
    request(service, put)
    request(service, { method = "PUT", path = list_path .. "/1", body = { valid = true } }) -- changes nothing
    request(service, { method = "POST", path = project_path, body = { name = "elsewhere" } })
    request(service, { method = "DELETE", path = list_path .. "/3" })
    local seen = {}
    for changes = 0, 5 do
      service:fault { type = "stale_list", changes = changes }
      local keys = list().data.apiKeys
      seen[changes + 1] = ("%d %s"):format(#keys, tostring(keys[2].valid))
    end
    assert.same({ "2 false", "3 false", "3 true", "2 true", "2 true", "2 true" }, seen)
    service:fault { type = "stale_list", changes = 1 }
    assert.equal(1, #request(service, { path = project_path }).data.apiKeys)
  end)

  it("short_list can lack the keys that are named", function()
    create("new")
    service:fault { type = "short_list", hide = 2 }
    local keys = list().data.apiKeys
    assert.equal(2, #keys)
    assert.equal("new", keys[2].name)
    service:fault { type = "short_list", hide = { 1, "3" } }
    keys = list().data.apiKeys
    assert.equal(1, #keys)
    assert.equal(2, keys[1].id)
    service:fault { type = "short_list", hide = { 1 }, drop = 1 }
    assert.equal(1, #list().data.apiKeys)
    assert.equal(3, #list().data.apiKeys)
  end)

  it("reset sends a TCP reset", function()
    service:fault { type = "reset" }
    local output = support.shell("curl -sS -d '{}' " .. service.base_url .. list_path .. " 2>&1")
    assert.truthy(output:find("Connection reset by peer", 1, true), output)
    assert.equal(2, key_count())
    service:fault { type = "reset", apply = true }
    create()
    assert.equal(3, key_count())
  end)

  it("hang never answers, until the client leaves", function()
    service:fault { type = "hang", times = 3, apply = true }
    local connections = {}
    for index = 1, 3 do
      connections[index] = support.connect(service.base_url)
      connections[index]:send {
        method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"h\"}",
      }
    end
    assert.is_true(support.eventually(function() return key_count() == 5 end))
    connections[1].raw:settimeout(0.05)
    assert.equal("timeout", select(2, connections[1].raw:receive(1)))
    assert.equal(3, service:stats().connections_open)
    for _, connection in ipairs(connections) do connection:close() end
    assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
  end)

  it("on one of several pipelined requests leaves the earlier answers alone", function()
    service:fault { type = "lost_answer", operation = "create" }
    service:fault { type = "delay", seconds = 0.1, operation = "organization" }
    local connection = support.connect(service.base_url)
    connection:send { path = "/v1/organization", key = service.api_key }
    connection:send { method = "POST", path = list_path, key = service.api_key, body = "{\"name\":\"p\"}" }
    connection:send { path = list_path, key = service.api_key }
    assert.equal(200, connection:receive().status)
    assert.is_nil((connection:receive()))
    connection:close()
    assert.equal(200, list().status)
  end)

  it("closes every connection it ends", function()
    for _, kind in ipairs { "lost_answer", "drop", "reset", "truncate" } do
      service:fault { type = kind }
      local connection = support.connect(service.base_url)
      connection:send { path = list_path, key = service.api_key }
      assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end), kind)
      connection:close()
    end
  end)
end)
