-- SPDX-License-Identifier: Apache-2.0
-- Objects may end in any order, at any time: collected, closed, or with the whole Lua state.

local core = require "confidentai.core"
local process = require "spec.process"
local support = require "spec.support"

describe("the end of", function()
  local service = support.service()

  local function collect()
    for _ = 1, 4 do
      collectgarbage()
    end
  end

  it("a client that is collected cancels its calls", function()
    service:fault { type = "hang", times = -1 }
    do
      local client = support.client(service)
      local call = client:start("GET", { "v1", "organization" })
      core.engine():step(0.02)
      assert.is_false(call:done()) -- it is held until here
      assert.equal(1, core.engine():in_flight())
    end
    collect()
    assert.equal(0, core.engine():in_flight())
  end)

  it("a client's variable leaves a call that is still held", function()
    service:fault { type = "delay", seconds = 0.1 }
    local call
    do
      local client = support.client(service)
      call = client:start("GET", { "v1", "organization" })
    end
    collect()
    assert.is_false(call:done())
    while not call:done() do
      core.engine():step(-1)
    end
    assert.is_table(call:result("organization"))
  end)

  it("a call that nobody holds cancels it", function()
    service:fault { type = "hang", times = -1 }
    local client = support.client(service)
    for _ = 1, 10 do
      client:start("GET", { "v1", "organization" })
    end
    core.engine():step(0.02)
    collect()
    assert.equal(0, core.engine():in_flight())
    client:close()
  end)

  it("scopes leaves the client to others, and the client stays for scopes", function()
    local api_keys = support.client(service):project(service.projects[1].id).api_keys
    collect()
    assert.is_table(assert(api_keys:list()))
    local projects = support.client(service).projects
    collect()
    assert.is_table(assert(projects:list()))
  end)

  it("the client before its keys leaves them whole", function()
    local keys
    do
      keys = assert(support.client(service):organization().api_keys:list())
    end
    collect()
    assert.equal("manager", keys[1].name)
  end)

  -- Each runs as a process: nothing but a clean exit counts, which sanitizers watch.
  local endings = {
    ["with calls in flight"] = [[
      for i = 1, 20 do _G["call" .. i] = client:start("GET", { "v1", "organization" }) end
      engine:step(0.05)
    ]],
    ["with calls that were never stepped"] = [[
      call = client:start("POST", { "v1", "organization", "api-keys" }, { name = "x" })
    ]],
    ["with calls that back off"] = [[
      local bound = assert(confidentai.new { api_key = client_key, base_url = "http://127.0.0.1:1" })
      call = bound:start("GET", { "v1", "organization" })
      for _ = 1, 20 do engine:step(0.005) end
      assert(not call:done())
    ]],
    ["with a closed client, twice"] = [[
      call = client:start("GET", { "v1", "organization" })
      engine:step(0.02) client:close() client:close()
    ]],
    ["by os.exit"] = [[
      call = client:start("GET", { "v1", "organization" })
      engine:step(0.02) io.stdout:write("done\n") io.stdout:flush() os.exit(0, true)
    ]],
    ["by an error"] = [[
      call = client:start("GET", { "v1", "organization" })
      engine:step(0.02) io.stdout:write("done\n") io.stdout:flush() error("on purpose", 0)
    ]],
    ["with timers running"] = [[
      timer, other = engine:timer(60), engine:timer(0)
      call = client:start("GET", { "v1", "organization" })
    ]],
    ["with everything in a cycle"] = [[
      local cycle = { client = client, org = client:organization() }
      cycle.cycle, cycle.call = cycle, client:start("GET", { "v1", "organization" })
      cycle.keys = { cycle }
      kept = setmetatable({}, { __index = cycle })
    ]],
    ["with a resolver at work"] = [[
      local lost = assert(confidentai.new { api_key = client_key, base_url = "https://nowhere.invalid",
        timeout = 0.05 })
      call = lost:start("GET", { "v1", "organization" })
      engine:step(0.01)
    ]],
  }

  for name, lines in pairs(endings) do
    it("the Lua state " .. name .. " is clean", function()
      service:fault { type = "hang", times = -1 }
      local status, signal, output, errors = process.run(([[
        confidentai = require "confidentai"
        engine = require "confidentai.core".engine()
        client_key = %q
        client = assert(confidentai.new { api_key = client_key, base_url = %q })
        %s
        io.stdout:write("done\n")
      ]]):format(service.api_key, service.base_url, lines))
      assert.equal("done\n", output, errors)
      assert.equal(0, signal, errors)
      assert.equal(name == "by an error" and 1 or 0, status, errors)
      if name ~= "by an error" then
        assert.equal("", errors)
      end
    end)
  end

  it("the module's first load leaves its objects to the second", function()
    local client = support.client(service)
    for name in pairs(package.loaded) do
      if name:find("^confidentai") and name ~= "confidentai.sandbox" then
        package.loaded[name] = nil
      end
    end
    local again = require "confidentai"
    assert.is_table(again.check(client:organization().api_keys:list()))
    assert.is_table(again.check(support.client(service):organization():get()))
    assert.equal(getmetatable(client), getmetatable(again.check(again.new { api_key = "x" })))
  end)
end)

describe("a light userdata", function()
  -- All of a state share one metatable; the pointer of one is NULL, or leads to memory of somebody else's.
  it("that was given a metatable of ours is none of ours", function()
    local status, signal, output, errors = process.run [[
      local core = require "confidentai.core"
      require "confidentai"
      local lights = { require("cjson").null }
      if debug.upvalueid then
        lights[2] = debug.upvalueid(function() return core end, 1)
      end
      local tried = 0
      local function try(f, ...)
        if type(f) == "function" then
          pcall(f, ...)
          tried = tried + 1
        end
      end
      for name, class in pairs(debug.getregistry()) do
        if type(name) == "string" and name:find("^confidentai%.") and type(class) == "table" and class.__name then
          for _, light in ipairs(lights) do
            debug.setmetatable(light, class)
            for _, field in ipairs { "id", "value", "api_key", "base_url", "scope", "project_id", "api_keys" } do
              try(function() return light[field] end)
            end
            try(function() return light == light, tostring(light), #light end)
            for _, methods in ipairs { class, class.methods or {} } do
              for _, method in pairs(methods) do
                try(method, light)
                try(method, light, light)
                try(method, light, "id")
              end
            end
            debug.setmetatable(light, nil)
          end
        end
      end
      io.write(tried > 100 and "whole" or tried)
    ]]
    assert.same({ 0, 0, "whole", "" }, { status, signal, output, errors })
  end)
end)
