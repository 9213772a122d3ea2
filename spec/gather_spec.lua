-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"
local uv = require "luv"

local check, gather = confidentai.check, confidentai.gather

describe("gather", function()
  local service = support.service()
  local client, org

  before_each(function()
    client = support.client(service, { max_retries = 0 })
    org = client:organization()
  end)
  after_each(function()
    client:close()
  end)

  -- Seconds that f takes.
  local function seconds(f)
    local before = uv.hrtime()
    f()
    return (uv.hrtime() - before) / 1e9
  end

  local function list()
    return org.api_keys:list()
  end

  it("fails a task that yields to nobody, in place of running for ever", function()
    local results, errors = gather {
      function() coroutine.yield() end, list, function() list() coroutine.yield "x" end,
    }
    assert.equal("manager", results[2][1].name)
    for _, i in ipairs { 1, 3 } do
      assert.matches("yielded outside of a wait", tostring(errors[i]), 1, true)
    end
  end)

  it("keeps the first result of each task in its place", function()
    local results, errors = gather {
      function() return 1, 2, 3 end, list, function() end, function() return nil end, function() return false end,
    }
    assert.equal(5, results.n)
    assert.equal(1, results[1])
    assert.equal("manager", results[2][1].name)
    assert.is_nil(results[3])
    assert.is_nil(results[4])
    assert.is_false(results[5])
    assert.same({}, errors)
  end)

  it("is loaded when it is asked for, and nothing else is there", function()
    assert.equal(confidentai.gather, require("confidentai.gather").gather)
    assert.equal(confidentai.async, require("confidentai.gather").async)
    assert.is_nil(confidentai.gathers)
  end)

  it("of nothing is nothing", function()
    assert.same({ { n = 0 }, {} }, { gather {} })
  end)

  it("keeps nothing of its tasks", function()
    local function kilobytes(count)
      for _ = 1, count do
        gather { function() return ("x"):rep(10) end, function() return nil, "error" end }
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = kilobytes(100)
    assert.is_true(kilobytes(1000) - before < 100)
  end)

  it("waits for many calls in the time of one", function()
    service:fault { type = "delay", seconds = 0.1, times = -1 }
    local tasks = {}
    for i = 1, 32 do tasks[i] = list end
    local results, errors
    local spent = seconds(function() results, errors = gather(tasks, { concurrency = 32 }) end)
    assert.same({}, errors)
    assert.equal(32, #results)
    assert.is_true(spent < 1, tostring(spent))
  end)

  it("does not run more than it may at once", function()
    local at_once, most = 0, 0
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = function()
        at_once = at_once + 1
        most = math.max(most, at_once)
        local keys, err = org.api_keys:list()
        at_once = at_once - 1
        return keys, err
      end
    end
    local _, errors = gather(tasks, { concurrency = 3 })
    assert.same({}, errors)
    assert.equal(3, most)
    most = 0
    gather(tasks)
    assert.equal(16, most)
    most = 0
    gather(tasks, { concurrency = 1 })
    assert.equal(1, most)
  end)

  it("keeps errors in their places, and the other tasks going", function()
    local odd = {}
    local results, errors = gather {
      list, function() return org.api_keys:get(999) end, function() error(odd) end, function() error("text", 0) end,
      function() return nil, "words" end, list,
    }
    assert.equal(6, results.n)
    assert.is_table(results[1])
    assert.is_table(results[6])
    support.assert_error({ kind = "api", status = 404 }, errors[2])
    assert.equal(odd, errors[3])
    assert.equal("text", errors[4])
    assert.equal("words", errors[5])
    assert.is_nil(errors[1])
  end)

  it("lets tasks make several calls, one after the other", function()
    local tasks = {}
    for i = 1, 5 do
      tasks[i] = function()
        local key = check(org.api_keys:create("made-" .. i))
        check(org.api_keys:disable(key))
        check(org.api_keys:delete(key))
        return key.name
      end
    end
    local results, errors = gather(tasks)
    assert.same({}, errors)
    assert.same({ n = 5, "made-1", "made-2", "made-3", "made-4", "made-5" }, results)
    assert.equal(0, #support.keys_named(service, "made-1"))
  end)

  it("can be nested", function()
    service:fault { type = "delay", seconds = 0.15, times = -1 }
    local function inner()
      return (gather { list, list, function() return (gather { list, list })[2] end })[3]
    end
    local results, errors
    local spent = seconds(function() results, errors = gather { inner, inner, inner, list } end)
    assert.same({}, errors)
    for i = 1, 4 do
      assert.equal("manager", results[i][1].name)
    end
    -- One after the other: 1.95. On PUC 5.1 the inner ones have lost their caller to the tail call, and block in turn.
    assert.is_true(_VERSION == "Lua 5.1" and not jit or spent < 1.2, tostring(spent))
  end)

  it("runs inside of a coroutine that is not its own without disturbing it", function()
    local generator = coroutine.wrap(function()
      coroutine.yield(#check(org.api_keys:list()))
      coroutine.yield((gather { list, list }).n)
      return "end"
    end)
    assert.is_number(generator())
    assert.equal(2, generator())
    assert.equal("end", generator())
  end)

  -- Each calls f below something that a yield may not be able to cross.
  local boundaries = {
    pcall = function(f) return select(2, pcall(f)) end,
    xpcall = function(f) return select(2, xpcall(f, function(message) return message end)) end,
    gsub = function(f)
      local found
      local _ = ("x"):gsub("x", function() found = f() end)
      return found
    end,
    sort = function(f)
      local found
      table.sort({ 1, 2 }, function(a, b)
        found = found or f()
        return a < b
      end)
      return found
    end,
    __index = function(f) return setmetatable({}, { __index = function() return f() end }).x end,
    __add = function(f)
      local added = setmetatable({}, { __add = function() return (f()) end }) + 1
      return added
    end,
    ["a for iterator"] = function(f)
      local first
      for found in function() return not first and f() or nil end do
        first = found
      end
      return first
    end,
    ["a generator"] = function(f) return coroutine.wrap(function() return f() end)() end,
    tostring = function(f)
      local found
      local _ = tostring(setmetatable({}, { __tostring = function()
        found = f()
        return "x"
      end }))
      return found
    end,
    require = function(f)
      package.preload["spec.made.up"] = function() return f() end
      package.loaded["spec.made.up"] = nil
      return (require "spec.made.up")
    end,
    ["a tail call"] = function(f) return f() end,
    ["a helper's tail call"] = function(f)
      local function helper() return f() end
      local found = helper()
      return found
    end,
  }
  for name, boundary in pairs(boundaries) do
    it("waits below " .. name, function()
      local function call()
        local keys = check(org.api_keys:list())
        return keys
      end
      local results, errors = gather {
        function() return boundary(call) end, list, function() return boundary(call) end,
      }
      assert.same({}, errors)
      for i = 1, 3 do
        assert.equal("manager", results[i][1].name)
      end
    end)
  end

  it("waits by the driver that it is given", function()
    local steps = 0
    local driver = { wait = function(engine, awaited)
      while not awaited:done() do
        steps = steps + 1
        engine:step(-1)
      end
    end }
    local results = gather({ function()
      local keys, err = client.projects:list()
      return keys, err
    end }, { driver = driver })
    assert.is_table(results[1])
    assert.is_true(steps > 0)
  end)

  it("cancels what is left when it is told to", function()
    service:fault { type = "hang", operation = "list", times = -1 }
    service:fault { type = "status", status = 500, operation = "organization" }
    local later = 0
    local tasks = { list, list, function() return org:get() end, list, function() later = later + 1 end }
    local results, errors
    local spent = seconds(function() results, errors = gather(tasks, { on_error = "cancel", concurrency = 4 }) end)
    assert.is_true(spent < 2, tostring(spent))
    assert.equal(5, results.n)
    assert.equal(500, errors[3].status)
    for _, i in ipairs { 1, 2, 4, 5 } do
      assert.equal("cancelled", errors[i].kind, i)
    end
    assert.equal(0, later)
    assert.equal(0, core.engine():in_flight())
  end)

  it("cancels what a cancelled task goes on to, too", function()
    service:fault { type = "hang", operation = "list", times = -1 }
    local ends = {}
    local function stubborn()
      for i = 1, 3 do
        local _, err = org.api_keys:list()
        ends[i] = err.kind
      end
      return "done"
    end
    local results = gather({ stubborn, function() return nil, "no" end }, { on_error = "cancel" })
    assert.same({ "cancelled", "cancelled", "cancelled" }, ends)
    assert.equal("done", results[1])
  end)

  it("cancels nested groups", function()
    service:fault { type = "hang", operation = "list", times = -1 }
    local inner_errors
    local _, errors = gather({
      function()
        local _, problems = gather { list, list }
        inner_errors = problems
      end,
      function()
        check(client.projects:list())
        return nil, "no"
      end,
    }, { on_error = "cancel" })
    assert.equal("no", errors[2])
    assert.equal("cancelled", inner_errors[1].kind)
    assert.equal("cancelled", inner_errors[2].kind)
  end)

  it("that is broken off takes its calls along", function()
    service:fault { type = "hang", times = -1 }
    local blocking = require "confidentai.driver.blocking"
    local wait = blocking.wait
    finally(function() blocking.wait = wait end)
    blocking.wait = function(engine, awaited)
      assert.is_false(awaited:done())
      engine:step(0.02)
      error("interrupted", 0)
    end
    assert.has_error(function() gather { list, list, list } end, "interrupted")
    assert.equal(0, core.engine():in_flight())
  end)

  it("admits so many reads to one origin, and changes always", function()
    service:fault { type = "hang", method = "GET", times = -1 }
    client = support.client(service, { max_connections = 32 })
    org = client:organization()
    local calls = {}
    for i = 1, 40 do calls[i] = client:start("GET", { "v1", "organization" }) end
    -- Reads of an earlier spec, which it has broken off, may reach the service now.
    local function reads()
      local count = 0
      for _, request in ipairs(support.requests(service, "GET")) do
        count = count + (request.path == "/v1/organization" and 1 or 0)
      end
      return count
    end
    local create = client:start("POST", { "v1", "organization", "api-keys" }, { name = "x" })
    local deadline = uv.hrtime() + 2e9
    while not create:done() and uv.hrtime() < deadline do
      core.engine():step(0.01)
    end
    assert.is_true(create:done())
    assert.equal("x", check(create:result("new_api_key", org.api_keys)).name)
    assert.equal(32, reads())
    assert.matches("waiting", tostring(calls[40]), 1, true)
    for i = 1, 32 do calls[i]:cancel() end
    core.engine():step(0.05)
    core.engine():step(0.05)
    assert.equal(40, reads())
    for i = 33, 40 do calls[i]:cancel() end
  end)

  it("does not count the time of waiting for room as the call's", function()
    service:fault { type = "delay", seconds = 0.2, times = -1 }
    local quick = support.client(service, { max_retries = 0, timeout = 0.5 }):organization()
    local tasks = {}
    for i = 1, 100 do tasks[i] = function() return quick.api_keys:list() end end
    local _, errors = gather(tasks, { concurrency = 100 })
    assert.same({}, errors)
  end)

  it("refuses what are no tasks and no options", function()
    local function raises(words, ...)
      local arguments = { ... }
      local ok, message = pcall(function() gather(arguments[1], arguments[2]) end)
      assert.is_false(ok)
      assert.is_truthy(message:find(words, 1, true), message)
      assert.matches("gather_spec", message, 1, true)
    end
    raises("bad argument #1 to 'gather' (table of functions expected, got nil)")
    raises("bad argument #1 to 'gather' (task 2: function expected, got string)", { print, "x" })
    raises("unknown field 'concurency'", {}, { concurency = 1 })
    raises("field 'concurrency': a whole number", {}, { concurrency = 0 })
    raises("field 'concurrency': a whole number", {}, { concurrency = 1.5 })
    raises("field 'on_error'", {}, { on_error = "stop" })
    raises("field 'driver'", {}, { driver = {} })
  end)
end)
