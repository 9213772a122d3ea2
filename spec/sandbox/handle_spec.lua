-- SPDX-License-Identifier: Apache-2.0
local process = require "spec.process"
local sandbox = require "confidentai.sandbox"
local socket = require "socket"
local support = require "spec.sandbox.support"
local uv = require "luv"

local list_path = support.list_path
local this_lua = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match("%d.%d")

local function open_descriptors()
  local folder, count = uv.fs_scandir("/proc/self/fd"), 0
  while uv.fs_scandir_next(folder) do count = count + 1 end
  return count
end

describe("require 'confidentai.sandbox'", function()
  local services

  before_each(function() services = {} end)
  after_each(function()
    for _, service in ipairs(services) do service:stop() end
  end)

  local function start(options)
    local service = assert(sandbox.start(options))
    services[#services + 1] = service
    return service
  end

  it("starts a service with everything that a test needs", function()
    local service = start()
    assert.truthy(service.base_url:find("^http://127%.0%.0%.1:%d+$"))
    assert.truthy(service.control_url:find("^http://127%.0%.0%.1:%d+$"))
    assert.truthy(service.api_key:find("^confident_us_org_"))
    assert.truthy(service.organization_id:find("^cl"))
    assert.equal("web", service.projects[1].name)
    assert.truthy(service.projects[1].id and service.projects[1].api_key)
    assert.is_nil(service.ca_file)
    assert.is_true(support.is_running(service.pid))
    assert.equal("", service:errors())
  end)

  it("takes the command's options", function()
    local service = start {
      projects = { "one" }, seed = 3, generation = 2, base_path = "/p", host = "localhost",
    }
    assert.equal(1, #service.projects)
    assert.equal("one", service.projects[1].name)
    assert.truthy(service.base_url:find("^http://localhost:%d+/p$"))
    assert.equal(service.api_key, start({ seed = 3, projects = {} }).api_key)
    assert.same({}, start({ projects = {} }).projects)
  end)

  it("raises on unknown names and wrong values", function()
    for _, case in ipairs {
      { { nope = 1 }, "nope" }, { { port = "1" }, "port" }, { { host = "0.0.0.0" }, "loopback" },
      { { projects = { 1 } }, "projects" }, { { tls = 1 }, "tls" },
      { { ca_file = "/tmp/x" }, "ca_file" }, { { generation = 3 }, "generation" },
      { { witness_folder = "here" }, "witness_folder must be an absolute path" },
    } do
      local ok, message = pcall(sandbox.start, case[1])
      assert.is_false(ok)
      assert.truthy(tostring(message):find(case[2], 1, true), message)
    end
  end)

  it("says what to install where a module is missing", function()
    for _, name in ipairs { "luv", "socket.http" } do
      local status, _, _, errors = process.run(([[
        package.preload["%s"] = function() error "libnone.so: cannot be opened" end
        require "confidentai.sandbox"
      ]]):format(name))
      assert.equal(1, status)
      assert.matches("needs the modules luv and socket.*apt%-get install lua%-luv lua%-socket.*libnone.so", errors)
    end
  end)

  it("gives nil and the reason when the service cannot start", function()
    local service = start()
    local port = tonumber(service.base_url:match("%d+$"))
    local none, message = sandbox.start { port = port }
    assert.is_nil(none)
    assert.truthy(message:find("port " .. port .. " of 127.0.0.1 is in use", 1, true), message)
  end)

  it("stops, twice, leaving no process, no zombie and no descriptor", function()
    sandbox.start():stop() -- libuv keeps what it opens for its first process
    local before = open_descriptors()
    for _ = 1, 3 do
      local service = start { tls = true }
      service:stop()
      assert.is_nil(io.open(("/proc/%d/stat"):format(service.pid)))
      service:stop()
    end
    assert.equal(before, open_descriptors())
  end)

  it("says so when a stopped or dead service is asked", function()
    local service = start()
    service:stop()
    local log, message = service:log()
    assert.is_nil(log)
    assert.truthy(message:find("stopped", 1, true))
    assert.is_nil((service:fault { type = "drop" }))
    assert.is_nil((service:set {}))
    assert.is_nil((service:advance(1)))
    local killed = start()
    uv.kill(killed.pid, "sigkill")
    support.eventually(function() return not support.is_running(killed.pid) end)
    log, message = killed:log()
    assert.is_nil(log)
    assert.truthy(message:find("does not answer", 1, true), message)
    killed:stop()
  end)

  it("kills a service that does not stop", function()
    local service = start()
    uv.kill(service.pid, "sigstop")
    local started = socket.gettime()
    service:stop(0.1)
    assert.is_true(socket.gettime() - started < 1)
    assert.is_false(support.is_running(service.pid))
  end)

  it("lets no spec pass without the fault that it has mistyped", function()
    local service = start()
    local snapshot = service:snapshot()
    snapshot.version = 0
    for problem, mistake in pairs {
      ["unknown fault type nope"] = function() service:fault { type = "nope" } end,
      ["unknown field op"] = function() service:fault { type = "drop", op = "create" } end,
      ["operation cannot be creat"] = function() service:fault { type = "drop", operation = "creat" } end,
      ["method must be in capitals"] = function() service:fault { type = "drop", method = "post" } end,
      ["create has no requests of the method GET"] = function()
        service:fault { type = "drop", operation = "create", method = "GET" }
      end,
      ["projects has no requests of the scope project"] = function()
        service:fault { type = "drop", operation = "projects", scope = "project" }
      end,
      ["list is about no single key"] = function() service:fault { type = "drop", operation = "list", key_id = 1 } end,
      ["organization is about no project"] = function()
        service:fault { type = "drop", operation = "organization", project_id = "p" }
      end,
      ["stale_list is for the operation list only"] = function()
        service:fault { type = "stale_list", operation = "get" }
      end,
      ["a fault is an object"] = function() service:fault "drop" end,
      ["unknown setting propagate"] = function() service:set { propagate = 1 } end,
      ["settings are an object"] = function() service:set() end,
      ["offset must be a number"] = function() service:set_clock "1" end,
      ["advance must be a number of seconds from 0"] = function() service:advance(-1) end,
      ["one of offset, stop, advance is expected"] = function() service:set_clock() end,
      ["not a snapshot of this version"] = function() service:restore(snapshot) end,
      ["without the option witness_folder"] = function() service:set { witness = { "/etc/passwd" } } end,
    } do
      local line = debug.getinfo(mistake, "S").linedefined
      local ok, message = pcall(mistake)
      assert.is_false(ok, problem)
      assert.truthy(message:find(problem, 1, true), message)
      local where = tonumber(message:match("handle_spec%.lua:(%d+): "))
      assert.is_true(where == line or where == line + 1, message)
    end
    assert.same({}, service:faults())
    assert.equal("", service:errors())
  end)

  it("runs several services beside each other", function()
    local first, second = start(), start()
    assert.not_equal(first.base_url, second.base_url)
    first:fault { type = "status", status = 500 }
    assert.equal(200, support.request(second, { path = list_path }).status)
    assert.equal(500, support.request(first, { path = list_path }).status)
    first:stop()
    assert.equal(200, support.request(second, { path = list_path }).status)
  end)

  it("leaves the program's event loop alone", function()
    local service = start()
    assert.is_false(uv.loop_alive() or false)
    local done
    local timer = uv.new_timer()
    timer:start(1, 0, function()
      timer:close()
      coroutine.wrap(function()
        local inner = sandbox.start()
        inner:log()
        inner:stop()
        inner:stop()
        done = true
      end)()
    end)
    uv.run()
    assert.is_true(done)
    service:stop()
  end)

  local scripts = {
    ["exits"] = "os.exit(0)",
    ["raises an error"] = "error('on purpose')",
    ["closes its state"] = "service = nil collectgarbage()",
    ["is killed"] = "require('luv').kill(require('luv').os_getpid(), 'sigkill')",
    ["aborts"] = "require('luv').kill(require('luv').os_getpid(), 'sigabrt')",
  }
  for name, ending in pairs(scripts) do
    it("ends the service when the program " .. name, function()
      local text = support.shell(this_lua .. " -e " .. support.quote(
        "service = require('confidentai.sandbox').start() print(service.pid) io.stdout:flush() " .. ending)
        .. " 2>/dev/null")
      local pid = tonumber(text:match("^(%d+)"))
      assert.truthy(pid)
      assert.is_true(support.eventually(function() return not support.is_running(pid) end))
    end)
  end

  it("names the remedies when no interpreter has lua-http", function()
    local folder = support.temporary_folder()
    support.shell("for tool in env sh; do ln -s $(command -v $tool) " .. folder .. "; done")
    support.shell("ln -s $(command -v lua5.4) " .. folder .. "/lua")
    local text = support.shell("PATH=" .. folder .. " lua -e " .. support.quote(
      "print(require('confidentai.sandbox').start())"))
    support.remove_folder(folder)
    assert.truthy(text:find("^nil\t"))
    assert.truthy(text:find("apt-get install", 1, true))
  end)

  it("leaves no temporary file behind, not even while it runs", function()
    local folder = support.temporary_folder()
    local text = support.shell("TMPDIR=" .. folder .. " lua5.4 -e " .. support.quote(
      "service = require('confidentai.sandbox').start() os.execute('ls -A " .. folder .. "') service:stop()"))
    assert.equal("", text)
    support.remove_folder(folder)
  end)

  it("finds an interpreter although the environment's paths are for another Lua", function()
    local folder = support.temporary_folder()
    support.shell("cd " .. folder .. " && mkdir http && echo 'error(\"for another Lua\")' > http/server.lua")
    local text = support.shell("LUA_PATH=\"" .. folder .. "/?.lua;$LUA_PATH;;\" lua5.4 -e " .. support.quote(
      "service = require('confidentai.sandbox').start() print(service.pid) service:stop()"))
    support.remove_folder(folder)
    assert.truthy(tonumber(text))
  end)
end)
