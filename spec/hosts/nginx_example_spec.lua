-- SPDX-License-Identifier: Apache-2.0
-- examples/openresty on a real nginx, started by the commands of its README as they stand.

local cjson = require "cjson"
local folders = require "spec.folders"
local http = require "spec.hosts.nginx.http"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local support = require "spec.support"
local uv = require "luv"

local page = pages.open "examples/openresty/README.md"

describe("examples/openresty", function()
  local service = support.service()
  local blocks = page:blocks "sh"
  local start, use, stop, between = blocks[1].text, blocks[2].text, blocks[3].text, blocks[4].text
  assert(#blocks == 4)
  local folder, port, proxy_port

  -- Root's workers are somebody else, who may not be let in here: what the README says is done about it then.
  setup(function()
    local module = uv.cwd() .. "/lua/confidentai/init.lua"
    local others = process.start("runuser", { "-u", "nobody", "--", "test", "-r", module })
    if folders.is_root() and others:wait(5000) ~= 0 then
      local option = page.text:match "`(%-g 'user root;')`"
      start = start:gsub("nginx %-p", "nginx " .. option .. " -p")
    end
  end)

  -- Runs commands with the README's variables, and gives what they write.
  local function shell(commands, more)
    local variables = {
      RUN_DIR = folder, PORT = tostring(port), PROXY_PORT = tostring(proxy_port),
      SERVICE_PORT = service.base_url:match ":(%d+)$", CONFIDENT_ORG_API_KEY = service.api_key,
      CONFIDENT_BASE_URL = service.base_url, TENANT_SETTLE_SECONDS = "2", no_proxy = "127.0.0.1",
    }
    for name, value in pairs(more or {}) do
      variables[name] = value
    end
    -- The paths of the Lua that runs this are not nginx's.
    local child = process.start("env", { "-u", "LUA_PATH", "-u", "LUA_CPATH", "sh", "-euc", commands }, variables)
    local status = child:wait(20000)
    http.pause(0.02)
    assert.equal(0, status, child.errors)
    return child.output
  end

  local function start_example(variables)
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/example-XXXXXX"))
    port, proxy_port = http.free_port(), http.free_port()
    shell(start, variables)
    assert.is_true(http.poll(function()
      local answer = http.request(port, "/keys")
      return answer and answer.status == 200
    end, 5))
  end

  -- Errors that nginx has logged, but for the expected.
  local function complaints(expected)
    local found = {}
    for line in assert(folders.read(folder .. "/error.log")):gmatch "[^\n]+" do
      if (line:find "%[error%]" or line:find "%[alert%]" or line:find "%[crit%]" or line:find "%[emerg%]")
        and not (expected and line:find(expected, 1, true)) then
        found[#found + 1] = line
      end
    end
    return table.concat(found, "\n")
  end

  local function stop_example()
    shell("run=$RUN_DIR\n" .. stop)
    assert.is_true(http.poll(function() return not uv.fs_stat(folder .. "/nginx.pid") end, 10))
  end

  before_each(function() start_example() end)
  after_each(function()
    if uv.fs_stat(folder .. "/nginx.pid") then
      stop_example()
    end
    shell 'rm -r "$RUN_DIR"'
  end)

  local function post(name)
    local answer = assert(http.request(port, "/tenants/" .. name, nil, "POST"))
    return answer.status, answer.body ~= "" and cjson.decode(answer.body), answer.head
  end

  it("does what the README shows", function()
    local output = shell(use)
    assert.matches("HTTP/1.1 201 Created", output, 1, true)
    assert.matches('"secret":"confident_', output, 1, true)
    assert.matches("HTTP/1.1 409 Conflict", output, 1, true)
    assert.matches("HTTP/1.1 200 OK.*\"refreshed_at\"", output)
    assert.equal(1, #support.keys_named(service, "tenant-acme"))
    assert.equal("", complaints())
  end)

  it("gives a secret once, for nobody to keep, and never logs or lists it", function()
    local status, key, head = post "acme"
    assert.equal(201, status)
    assert.matches("cache-control: no-store", head:lower(), 1, true)
    assert.equal(support.keys_named(service, "tenant-acme")[1].value, key.secret)
    local again, conflict = post "acme"
    assert.equal(409, again)
    assert.equal(key.id, conflict.id)
    assert.is_nil(conflict.secret)
    assert.is_nil(assert(folders.read(folder .. "/error.log")):find(key.secret, 1, true))
    assert.is_nil(assert(http.request(port, "/keys")).body:find(service.api_key, 1, true))
  end)

  it("makes one key of many requests at once", function()
    service:fault { type = "delay", seconds = 0.2, times = -1 }
    local asked, statuses = {}, {}
    for i = 1, 12 do
      asked[i] = http.connect(port)
    end
    for i = 1, 12 do
      asked[i]:ask("/tenants/acme", nil, "POST")
    end
    for i = 1, 12 do
      local status = assert(asked[i]:wait()).status
      statuses[status] = (statuses[status] or 0) + 1
      asked[i]:close()
    end
    assert.same({ [201] = 1, [503] = 11 }, statuses)
    assert.equal(1, support.applied(service, "POST"))
  end)

  it("does not create again what may have been created", function()
    service:fault { type = "late_commit", operation = "create", seconds = 0.8 }
    local status, answer = post "acme"
    assert.same({ 502, "unknown" }, { status, answer.error })
    status, answer = post "acme"
    assert.same({ 503, "unsettled" }, { status, answer.error })
    http.pause(1)
    status, answer = post "acme"
    assert.same({ 409, "exists" }, { status, answer.error })
    assert.equal(1, #support.requests(service, "POST"))
    assert.equal("", complaints "a key may have been created")
  end)

  it("creates what turned out not to have been", function()
    service:fault { type = "drop", operation = "create" }
    assert.equal(502, (post "acme"))
    http.pause(2.2) -- TENANT_SETTLE_SECONDS
    assert.equal(201, (post "acme"))
    assert.equal(1, #support.keys_named(service, "tenant-acme"))
  end)

  it("says that the service failed, and unlocks", function()
    service:fault { type = "status", status = 403, operation = "create" }
    local status, answer = post "acme"
    assert.same({ 502, "api", "not_applied" }, { status, answer.error, answer.outcome })
    assert.equal(201, (post "acme"))
  end)

  it("refuses other names and methods", function()
    assert.equal(404, (post "ACME"))
    assert.equal(404, (post "a%22b"))
    assert.equal(405, assert(http.request(port, "/tenants/acme", nil, "GET")).status)
    assert.equal(0, #support.requests(service, "POST"))
  end)

  it("answers from its list while the service hangs", function()
    service:fault { type = "hang", times = -1 }
    local answer = assert(http.request(port, "/keys"))
    assert.equal(200, answer.status)
    assert.is_true(answer.seconds < 3) -- a call that hangs takes 5
    assert.equal(2, #cjson.decode(answer.body).keys)
  end)

  it("serves a project's tenants", function()
    stop_example()
    shell 'rm -r "$RUN_DIR"'
    start_example { TENANT_PROJECT_ID = service.projects[1].id }
    assert.equal(201, (post "acme"))
    assert.equal(service.projects[1].id, support.keys_named(service, "tenant-acme")[1].project_id)
  end)

  it("explains underscores_in_headers: without it, a good key is refused", function()
    assert.matches("HTTP/1.1 200 OK", shell("run=$RUN_DIR\n" .. between), 1, true)
    local without = between:gsub("examples/openresty/proxy.conf", "%0 | sed '/underscores_in_headers/d'")
    assert.matches("HTTP/1.1 401", shell("run=$RUN_DIR\n" .. without), 1, true)
  end)

  page:links_are_good()
  page:all_are_run()
end)
