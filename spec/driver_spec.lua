-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local process = require "spec.process"
local support = require "spec.support"

local check = confidentai.check

describe("a driver", function()
  local service = support.service()

  it("of the user's own waits for every call", function()
    local waits, steps = 0, 0
    local polling = {
      wait = function(engine, call)
        waits = waits + 1
        while not call:done() do
          engine:step(0)
          steps = steps + 1
        end
      end,
    }
    local client = support.client(service, { driver = polling })
    assert.is_table(check(client:organization().api_keys:list()))
    check(client:organization().api_keys:create("x"))
    assert.equal(2, waits)
    assert.is_true(steps >= 2)
  end)

  it("may cancel what it waits for", function()
    service:fault { type = "hang" }
    local impatient = { wait = function(engine, call) engine:step(0.02) call:cancel() end }
    local _, err = support.client(service, { driver = impatient }):organization().api_keys:create("x")
    support.assert_error({ kind = "cancelled", outcome = "unknown", attempts = 1 }, err)
  end)

  it("that returns too early is told so", function()
    local hasty = support.client(service, { driver = { wait = function() end } })
    assert.has_error(function() hasty:organization():get() end)
    hasty:close()
  end)

  it("that breaks off takes its call along, which is not sent later", function()
    local broken = support.client(service, { driver = { wait = function() error("broken off", 0) end } })
    local ok, message = pcall(function() broken:organization().api_keys:create("ghost") end)
    assert.is_false(ok)
    assert.equal("broken off", message)
    assert.equal(0, core.engine():in_flight())
    check(support.client(service):organization().api_keys:list())
    assert.equal(0, #support.requests(service, "POST"))
  end)

  it("can be named", function()
    assert.is_table(check(support.client(service, { driver = "blocking" }):organization():get()))
  end)
end)

describe("the engine", function()
  local service = support.service()

  it("never waits in step(0), whatever the service does", function()
    service:fault { type = "hang", times = -1 }
    local client = support.client(service, { timeout = 0.3, max_retries = 0 })
    local call = client:start("GET", { "v1", "organization" })
    local longest = 0
    while not call:done() do
      local before = require("luv").hrtime()
      core.engine():step(0)
      longest = math.max(longest, require("luv").hrtime() - before)
      require("luv").sleep(1)
    end
    assert.is_true(longest < 150e6, ("%.1f ms"):format(longest / 1e6))
    local _, err = call:result("organization")
    support.assert_error({ kind = "timeout" }, err)
  end)

  it("runs many calls at once", function()
    service:fault { type = "delay", seconds = 0.1, times = -1 }
    local client = support.client(service)
    local calls, before = {}, require("luv").hrtime()
    for i = 1, 50 do
      calls[i] = client:start("GET", { "v1", "projects" })
    end
    while core.engine():in_flight() > 0 do
      core.engine():step(-1)
    end
    for _, call in ipairs(calls) do
      assert.is_table(check(call:result("projects")))
    end
    assert.is_true(require("luv").hrtime() - before < 2e9)
  end)

  it("lets no read wait behind a create", function()
    service:fault { type = "hang", method = "POST" }
    local client = support.client(service)
    local create = client:start("POST", { "v1", "organization", "api-keys" }, { name = "slow" })
    core.engine():step(0.05)
    assert.is_table(check(client:organization():get()))
    assert.is_false(create:done())
    create:cancel()
  end)

  it("returns at once when nothing is in flight", function()
    assert.equal(0, core.engine():step(-1))
  end)

  it("gives an answer once", function()
    local client = support.client(service)
    local call = client:start("GET", { "v1", "organization" })
    assert.has_error(function() call:result("organization") end)
    while not call:done() do
      core.engine():step(-1)
    end
    assert.has_error(function() call:result("nonsense") end)
    assert.is_table(call:result("organization"))
    assert.has_error(function() call:result("organization") end)
    assert.is_number(call:info().date)
    assert.equal(1, #call:info().attempts)
  end)

  it("takes no path that leaves its segments", function()
    local client = support.client(service)
    for _, path in ipairs {
      {}, { "" }, { "v1", "." }, { "v1", ".." }, { "a\0b" }, { "a\nb" }, { 7 },
        { "1", "2", "3", "4", "5", "6", "7", "8", "9" },
    } do
      assert.has_error(function() client:start("GET", path) end)
    end
    local call = client:start("GET", { "v1", "../organization?x#y%2e" })
    while not call:done() do
      core.engine():step(-1)
    end
    assert.equal("/v1/..%2Forganization%3Fx%23y%252e", support.requests(service)[1].path)
    assert.equal(404, select(2, call:result("organization")).status)
  end)

  it("lets a signal end a script that waits", function()
    service:fault { type = "hang" }
    local script = ([[
      local client = require "confidentai".new { api_key = %q, base_url = %q }
      io.stdout:write("waiting\n") io.stdout:flush()
      client:organization():get()
    ]]):format(service.api_key, service.base_url)
    local child = process.lua(script)
    child:wait_for("waiting")
    require("luv").sleep(50)
    child:kill("sigint")
    local status, signal = child:wait(2000)
    assert.is_true(status == 1 or signal == 2, ("status %s, signal %s"):format(status, signal))
  end)
end)
