-- SPDX-License-Identifier: Apache-2.0
-- nginx with its Lua module: the nginx driver, in a real one with two workers.

local cjson = require "cjson"
local contract = require "spec.hosts.contract"
local http = require "spec.hosts.nginx.http"
local server = require "spec.hosts.nginx.server"
local support = require "spec.support"

describe("in nginx", function()
  local service = support.service()
  local nginx

  local function variables()
    return { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url }
  end

  teardown(server.stop_all)
  after_each(function() assert.equal("", nginx:complaints()) end)

  local function ask(path, value)
    local answer = assert(nginx:request(path, value or {}))
    assert.equal(200, answer.status, answer.body .. nginx:complaints())
    return cjson.decode(answer.body)
  end

  -- Waits for what a phase has kept.
  local function result(name)
    local found
    http.poll(function()
      found = ask("/result", { name = name })
      return found ~= cjson.null
    end, 5)
    return found
  end

  setup(function()
    nginx = server.start { variables = variables() }
    assert(result("init_worker timer").ok) -- from here on it is idle
  end)

  -- Of one worker, over a connection to it.
  local function state(connection)
    return cjson.decode(assert(connection:ask("/state", {}):wait()).body)
  end

  -- Waits until each worker has so many calls in flight. Whether it came to that.
  local function comes_to(count, connections)
    return http.poll(function()
      return state(connections[0][1]).in_flight == count and state(connections[1][1]).in_flight == count
    end, 5)
  end

  local function close(connections)
    for _, list in pairs(connections) do
      for _, connection in ipairs(list) do
        connection:close()
      end
    end
  end

  -- All connections at once ask for the same; `value` may be a function of the connection's number, from 1.
  local function ask_all(connections, path, value)
    local asked = {}
    for worker = 0, 1 do
      for _, connection in ipairs(connections[worker]) do
        asked[#asked + 1] = connection:ask(path, type(value) == "function" and value(#asked + 1) or value or {})
      end
    end
    return asked
  end

  contract(service, function(name, facts)
    local answer = ask("/behaviour", { name = name, facts = facts })
    return answer.ok, answer.problem
  end)

  it("refuses to wait below a boundary that no yield crosses, and sends nothing", function()
    local answer = ask "/below_c"
    assert.is_false(answer.key)
    assert.equal("config", answer.kind)
    assert.equal("not_applied", answer.outcome)
    assert.matches("below a C function", answer.message, 1, true)
    assert.is_false(answer.gathered)
    assert.equal("config", answer.gather_kind)
    assert.equal(0, #support.requests(service))
  end)

  it("rotates a key in a timer", function()
    ask("/behaviour_in_timer", { name = "rotates a key", facts = {
      base_url = service.base_url, api_key = service.api_key, project_id = service.projects[1].id } })
    local kept = result "rotates a key"
    assert.is_true(kept.ok, kept.message)
  end)

  for _, phase in ipairs { "rewrite", "access", "timer" } do
    it("works in the phase " .. phase, function()
      ask "/forget"
      service:fault { type = "delay", seconds = 0.1 }
      assert(nginx:request(phase == "timer" and "/timer" or "/in/" .. phase))
      assert.is_true(result(phase).ok)
    end)
  end

  for _, phase in ipairs { "set", "header_filter", "body_filter", "log", "balancer" } do
    it("says in the phase " .. phase .. " that it cannot wait there, and sends nothing", function()
      ask "/forget"
      assert.equal(200, assert(nginx:request("/in/" .. phase)).status)
      local kept = result(phase)
      assert.is_false(kept.ok)
      assert.equal("config", kept.kind)
      assert.equal("not_applied", kept.outcome)
      assert.matches(("its phase '%s'"):format(phase), kept.message, 1, true)
      assert.matches("ngx.timer.at(0, f)", kept.message, 1, true)
      assert.equal(0, #support.requests(service))
    end)
  end

  it("waits in light threads and in coroutines of the user's", function()
    service:fault { type = "delay", seconds = 0.1, times = -1 }
    local before = os.time()
    assert.equal(5, #ask "/threads")
    assert.is_true(os.time() - before < 3)
    local got = ask "/coroutines"
    assert.same({ 1, 2, 3 }, { got[1][1], got[2][1], got[3][1] })
    assert.equal("string", type(got[3][2]))
  end)

  it("gathers at once what its tasks call below a pcall", function()
    service:fault { type = "delay", seconds = 0.2, times = -1 }
    assert.is_true(ask "/below_pcall" < 1)
  end)

  it("gives 40 requests of each worker at once their own answers", function()
    service:fault { type = "delay", seconds = 0.05, times = -1 }
    local connections = nginx:connections(40)
    for i, connection in ipairs(ask_all(connections, "/own", function(i) return { name = "own-" .. i } end)) do
      local own = cjson.decode(assert(connection:wait()).body)
      assert.equal("own-" .. i, own.name)
      assert.equal("own-" .. i, own.created)
      assert.is_true(own.same)
    end
    assert.equal(80, #support.requests(service, "POST"))
    close(connections)
  end)

  it("goes on with each task in the context of its own request", function()
    service:fault { type = "delay", seconds = 0.02, times = -1 }
    local connections = nginx:connections(10)
    local asked = {}
    for worker = 0, 1 do
      for i, connection in ipairs(connections[worker]) do
        local name = ("%d-%d"):format(worker, i)
        asked[#asked + 1] = connection:ask("/context?name=" .. name, { name = name })
      end
    end
    for _, connection in ipairs(asked) do
      assert.same({ wrong = 0, failed = false, n = 4 }, cjson.decode(assert(connection:wait()).body))
    end
    close(connections)
  end)

  -- The longest gap of the workers' loops, and the longest time of an unrelated request, in seconds.
  local function measure(connections, seconds)
    local gaps, polled, longest = {}, connections[0][2], 0
    for worker = 0, 1 do
      gaps[worker] = connections[worker][1]:ask("/gap", { seconds = seconds })
    end
    repeat
      polled = polled == connections[0][2] and connections[1][2] or connections[0][2]
      longest = math.max(longest, assert(polled:ask("/worker"):wait()).seconds)
      http.pause(0.005)
    until gaps[0].answer and gaps[1].answer
    return math.max(tonumber(gaps[0].answer.body), tonumber(gaps[1].answer.body)), longest
  end

  local function assert_open(server_of, path, value)
    local connections, others = server_of:connections(2), server_of:connections(15)
    local asked = ask_all(others, path, value)
    local gap, longest = measure(connections, 2.5)
    assert.is_true(gap < 0.5, ("a gap of %.0f ms"):format(gap * 1e3))
    assert.is_true(longest < 0.5, ("an answer after %.0f ms"):format(longest * 1e3))
    for _, connection in ipairs(asked) do
      local answer = assert(connection:wait())
      assert.is_true(cjson.decode(answer.body).ok, answer.body)
      assert.is_true(answer.seconds >= 1.9, tostring(answer.seconds))
    end
    close(connections)
    close(others)
  end

  it("keeps the workers open while the service holds 30 answers back", function()
    service:fault { type = "delay", seconds = 2, times = -1 }
    assert_open(nginx, "/get")
  end)

  local resolver = server.slow_resolver()
  local with_resolver = resolver and it or pending
  with_resolver("keeps the workers open while the resolver is slow", function()
    local slow = server.start { variables = variables(), preload = resolver }
    local options = { base_url = service.base_url:gsub("127%.0%.0%.1", "service.example"), allow_plain_http = true,
      timeout = 10 }
    assert_open(slow, "/get", { options = options })
    assert.equal(0, slow:stop())
    assert.equal("", slow.complained)
  end)

  it("cancels the call of a request whose client has left, and leaks nothing", function()
    service:fault { type = "hang", times = -1 }
    local connections = nginx:connections(1)
    local memory = {}
    for round = 1, 6 do
      local leaving = nginx:connections(10)
      local gathering = { [0] = { table.remove(leaving[0]) }, { table.remove(leaving[1]) } }
      ask_all(leaving, "/aborted/hanging")
      ask_all(gathering, "/aborted/hanging_in_gather")
      assert.is_true(comes_to(11, connections)) -- nginx overlooks that a client has left before its request began
      close(leaving)
      close(gathering)
      assert.is_true(comes_to(0, connections))
      memory[round] = tonumber(assert(connections[0][1]:ask("/collected", {}):wait()).body)
    end
    assert.is_true(memory[6] - memory[2] < 64, ("%.0f kB more"):format(memory[6] - memory[2]))
    assert.is_true(http.poll(function() return assert(service:stats()).connections_open <= 2 end, 5))
    assert.is_true(http.poll(function() return state(connections[0][1]).timers == 0 end, 5))
    close(connections)
  end)

  it("cancels the call of a light thread that is killed", function()
    service:fault { type = "hang", times = -1 }
    local connections = nginx:connections(1)
    local killed = cjson.decode(assert(connections[0][1]:ask("/killed", {}):wait()).body)
    assert.equal(1, killed.killed)
    assert.equal(1, killed.in_flight)
    assert.is_true(comes_to(0, connections))
    close(connections)
  end)

  it("goes on in the old workers, and begins in the new, when it is reloaded with calls in flight", function()
    service:fault { type = "delay", seconds = 1, times = -1 }
    local connections = nginx:connections(10)
    local before = state(connections[0][1]).pid
    local asked = ask_all(connections, "/get")
    nginx:signal "reload"
    assert.is_true(http.poll(function() return ask("/state").pid ~= before end, 10))
    assert.is_true(ask("/get").ok)
    for _, connection in ipairs(asked) do
      assert.is_true(cjson.decode(assert(connection:wait()).body).ok)
    end
    assert.is_true(http.poll(function()
      return select(2, nginx:log():gsub("worker process %d+ exited with code 0", "")) == 2
    end, 10), nginx:log())
    close(connections)
  end)

  it("answers what is under way when it quits", function()
    local quitting = server.start { variables = variables() }
    service:fault { type = "delay", seconds = 1, times = -1 }
    local connections = quitting:connections(10)
    local asked = ask_all(connections, "/get")
    asked[#asked + 1] = http.connect(quitting.port):ask("/many", { count = 10 })
    quitting:signal "quit"
    for _, connection in ipairs(asked) do
      local answer = assert(connection:wait())
      assert.equal(200, answer.status)
      assert.is_true(cjson.decode(answer.body).ok, answer.body)
    end
    close(connections)
    assert.is_true(http.await(function() return quitting.child.status end, 10))
    assert.equal(0, quitting:stop())
    assert.equal("", quitting.complained)
  end)

  it("does not wait for the service when it is stopped", function()
    local stopping = server.start { variables = variables() }
    service:fault { type = "hang", times = -1 }
    local connections = stopping:connections(5)
    ask_all(connections, "/hanging")
    http.pause(0.3)
    stopping:signal "stop"
    assert.is_true(http.await(function() return stopping.child.status end, 5))
    assert.equal(0, stopping:stop())
    assert.equal("", stopping.complained)
    close(connections)
  end)
end)

describe("in init_by_lua and init_worker_by_lua", function()
  local service = support.service()

  teardown(server.stop_all)

  local function start(init)
    return server.start { init = init, variables = {
      CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url,
    } }
  end

  it("blocks in the first, and its client serves every worker", function()
    local nginx = start "handlers.call_early()"
    local early = cjson.decode(assert(nginx:request("/early", {})).body)
    assert.equal(2, early.count)
    assert.equal("none", early.environment) -- nginx has taken it away; the library knows it from before
    assert.is_true(early.late)
    service:fault { type = "delay", seconds = 0.05, times = -1 }
    local connections, asked = nginx:connections(20), {}
    for worker = 0, 1 do
      for i, connection in ipairs(connections[worker]) do
        asked[#asked + 1] = connection:ask("/own", { name = ("%d-%d"):format(worker, i) })
        asked[#asked].name = ("%d-%d"):format(worker, i)
      end
    end
    for _, connection in ipairs(asked) do
      local own = cjson.decode(assert(connection:wait()).body)
      assert.equal(connection.name, own.name)
      assert.equal(connection.name, own.created)
    end
    for _, list in pairs(connections) do
      for _, connection in ipairs(list) do connection:close() end
    end
    assert.equal(0, nginx:stop())
    assert.equal("", nginx.complained)
  end)

  it("refuses in the second, and works in its timer", function()
    local nginx = start()
    local function result(name)
      local found
      http.poll(function()
        found = cjson.decode(assert(nginx:request("/result", { name = name })).body)
        return found ~= cjson.null
      end, 5)
      return found
    end
    assert.equal("config", result("init_worker").kind)
    assert.matches("its phase 'init_worker'", result("init_worker").message, 1, true)
    assert.is_true(result("init_worker timer").ok)
    assert.equal(0, #support.requests(service, "POST"))
    assert.equal(0, nginx:stop())
    assert.equal("", nginx.complained)
  end)
end)
