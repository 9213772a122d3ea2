-- SPDX-License-Identifier: Apache-2.0
-- Where a request may go, and over which connection: the rules that keep a create single and a key at home.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local sandbox = require "confidentai.sandbox"
local process = require "spec.process"
local socket = require "socket"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check

describe("a connection", function()
  local service = support.service()
  local client, api_keys

  before_each(function()
    client = support.client(service, { max_retries = 3 })
    api_keys = client:organization().api_keys
  end)

  -- A client that trusts libcurl with a reused connection sends the request twice: the control is in spec/core.
  it("that was used before and breaks after a create does not make two", function()
    check(api_keys:list())
    check(api_keys:list())
    service:fault { type = "lost_answer", method = "POST" }
    local key, err = api_keys:create("once")
    assert.is_nil(key)
    support.assert_error({ kind = "network", outcome = "unknown", attempts = 1 }, err)
    assert.equal(1, #support.keys_named(service, "once"))
    assert.equal(1, #support.requests(service, "POST"))
  end)

  it("that was used before and breaks after a delete does not make a 404 of it", function()
    local victim = check(api_keys:create("victim"))
    check(api_keys:list())
    service:fault { type = "lost_answer", method = "DELETE" }
    local single = support.client(service, { max_retries = 0 }):organization().api_keys
    local _, err = single:delete(victim.id, { force = true })
    support.assert_error({ kind = "network", outcome = "unknown", attempts = 1 }, err)
    assert.equal(1, #support.requests(service, "DELETE"))
  end)

  -- libcurl would send the update again by itself, and the answer to that be taken for the answer to the first.
  it("that was used before and breaks after an update does not make a refusal of it", function()
    local own = check(client:whoami()).key
    service:fault { type = "lost_answer", method = "PUT" }
    local single = support.client(service, { max_retries = 0 }):organization().api_keys
    local _, err = single:disable(own, { force = true })
    support.assert_error({ kind = "network", outcome = "unknown", attempts = 1 }, err)
    assert.equal(1, #support.requests(service, "PUT"))
    assert.is_false(support.key_on_service(service, "organization", own.id).valid)
  end)

  it("that the server closed meanwhile does no harm to a read", function()
    check(api_keys:list())
    service:fault { type = "lost_answer", method = "GET" }
    assert.is_table(check(api_keys:list()))
  end)

  it("never follows a redirect to another host", function()
    local thief = assert(sandbox.start {})
    finally(function() thief:stop() end)
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      service:fault { type = "redirect", status = status, location = thief.base_url .. "/v1/organization/api-keys",
        times = 2 }
      local _, err = api_keys:list()
      support.assert_error({ kind = "protocol", status = status, attempts = 1 }, err)
      _, err = api_keys:create("x")
      support.assert_error({ kind = "protocol", status = status, attempts = 1, outcome = "unknown" }, err)
    end
    assert.equal(0, #support.requests(thief))
  end)

  -- A server that only listens: whoever is led to it is counted.
  local function trap()
    local listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(0)
    local _, port = listener:getsockname()
    return ("http://127.0.0.1:%d"):format(port), function()
      local visitor = listener:accept()
      listener:close()
      return visitor ~= nil
    end
  end

  for _, variable in ipairs { "http_proxy", "https_proxy", "all_proxy", "ALL_PROXY" } do
    it("to this machine is not led through " .. variable, function()
      local url, visited = trap()
      uv.os_setenv(variable, url)
      finally(function() uv.os_unsetenv(variable) end)
      assert.is_table(check(api_keys:list()))
      check(api_keys:create("x"))
      assert.is_false(visited())
    end)
  end

  it("to this machine is not led through the option proxy", function()
    local url, visited = trap()
    assert.is_table(check(support.client(service, { proxy = url }):organization():get()))
    assert.is_false(visited())
  end)

  it("is not begun through a proxy of the environment that is none, whose password stays unsaid", function()
    for _, variable in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
      uv.os_setenv(variable, "ftp://user:hunter2@127.0.0.1:1")
      finally(function() uv.os_unsetenv(variable) end)
      local remote, err = confidentai.new { api_key = service.api_key, base_url = "https://service.example" }
      assert.is_nil(remote)
      support.assert_error({ kind = "config" }, err)
      assert.is_nil(tostring(err):find("hunter2", 1, true))
      -- With an exception in the environment it is libcurl that finds out, and quotes the proxy.
      uv.os_setenv("no_proxy", "other.example")
      remote = check(confidentai.new { api_key = service.api_key, base_url = "https://service.example",
        max_retries = 0 })
      uv.os_unsetenv("no_proxy")
      local _, refused = remote:organization():get()
      assert.is_nil(tostring(refused):find("hunter2", 1, true))
      uv.os_unsetenv(variable)
    end
  end)

  it("goes through the proxy that the environment had when the client was made, whatever it has later", function()
    for variable, value in pairs { https_proxy = false, no_proxy = "service.example" } do
      local url, visited = trap()
      uv.os_setenv("https_proxy", url)
      local remote = check(confidentai.new { api_key = service.api_key, base_url = "https://service.example",
        max_retries = 0, timeout = 1 })
      if value then
        uv.os_setenv(variable, value)
      else
        uv.os_unsetenv(variable)
      end
      finally(function()
        uv.os_unsetenv "https_proxy"
        uv.os_unsetenv "no_proxy"
      end)
      assert.is_nil((remote:organization():get()))
      assert.is_true(visited(), variable)
      uv.os_unsetenv(variable)
    end
  end)

  it("to another host goes through the proxy, which sees no key in its CONNECT", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    local remote = check(confidentai.new {
      api_key = service.api_key, base_url = "https://service.example", proxy = "http://127.0.0.1:" .. port,
      max_retries = 0, timeout = 5,
    })
    local call = remote:start("GET", { "v1", "organization" })
    listener:settimeout(0)
    local visitor
    for _ = 1, 500 do
      core.engine():step(0.01)
      visitor = listener:accept()
      if visitor then break end
    end
    visitor:settimeout(2)
    core.engine():step(0.05)
    local lines = {}
    for line in function() return visitor:receive("*l") end do
      if line == "" then break end
      lines[#lines + 1] = line
    end
    call:cancel()
    visitor:close()
    listener:close()
    assert.equal("CONNECT service.example:443 HTTP/1.1", lines[1])
    assert.is_nil(table.concat(lines, "\n"):find("CONFIDENT", 1, true))
    assert.is_nil(table.concat(lines, "\n"):find(service.api_key, 1, true))
  end)

  describe("over TLS", function()
    local tls = support.service { tls = true }

    it("serves every operation, reads over HTTP/2 and changes over HTTP/1.1", function()
      local secure = support.client(tls):organization().api_keys
      local key = check(secure:create("x"))
      check(secure:list())
      check(secure:disable(key))
      check(secure:delete(key))
      for _, entry in ipairs(support.requests(tls)) do
        assert.equal(entry.method == "GET" and "2" or "1.1", tostring(entry.http), entry.method)
      end
    end)

    it("is refused for a name that the certificate does not bear", function()
      local url = tls.base_url:gsub("//[^:/]+", "//127.0.0.2")
      local _, err = support.client(tls, { base_url = url, max_retries = 0 }):organization():get()
      assert.is_table(err)
      assert.is_true(err.kind == "tls" or err.kind == "network", tostring(err))
    end)

    local function own_authorities()
      for template in package.cpath:gmatch "[^;]+" do
        local path = template:gsub("%?", "own_authorities")
        if uv.fs_stat(path) then
          return path
        end
      end
      error "own_authorities.so is not on package.cpath: build with -DTESTS=ON"
    end

    -- Creates a key in a process whose libcurl has authorities of its own: `folder`, `file` as of
    -- spec/hosts/own_authorities.c.
    local function create(folder, file)
      local status, _, output, errors = process.run(([[
        local client = require("confidentai").new { api_key = %q, base_url = %q, max_retries = 0 }
        local key, err = client:organization().api_keys:create("trusting")
        io.write(key and "made" or err.kind .. " " .. err.outcome .. " " .. err.attempts)
      ]]):format(tls.api_key, tls.base_url), { LD_PRELOAD = own_authorities(), OWN_CA_FOLDER = folder,
        OWN_CA_FILE = file })
      assert.equal(0, status, errors)
      return output
    end

    it("trusts whom libcurl's own folder vouches for, or else its file, and nobody else", function()
      local folder = os.tmpname()
      os.remove(folder)
      assert(uv.fs_mkdir(folder, tonumber("700", 8)))
      local hash = io.popen("openssl x509 -noout -hash -in " .. tls.ca_file):read()
      local held, other = folder .. "/" .. hash .. ".0", folder .. "/00000000.0"
      finally(function()
        os.remove(held)
        os.remove(other)
        uv.fs_rmdir(folder)
      end)
      io.open(other, "w"):close()
      assert.equal("tls not_applied 1", create(folder))
      assert.equal("made", create(folder, tls.ca_file)) -- appended to by hand, as often
      assert.equal("made", create("/nonexistent", tls.ca_file))
      local file = io.open(held, "w")
      file:write(io.open(tls.ca_file):read "*a")
      file:close()
      if io.popen("curl-config --ssl-backends"):read("*a"):find "OpenSSL" then -- GnuTLS looks nothing up
        assert.equal("made", create(folder))
        assert.equal("made", create(folder, "/nonexistent"))
        assert.equal(4, #support.requests(tls, "POST"))
      end
    end)

    it("survives lost answers, hangs and resets like any other", function()
      local secure = support.client(tls, { max_retries = 0, timeout = 0.2 }):organization().api_keys
      for kind, applied in pairs { lost_answer = 1, drop = 0, reset = 0, hang = 0 } do
        local before = #support.keys_named(tls, "tls")
        tls:fault { type = kind, method = "POST" }
        local _, err = secure:create("tls")
        assert.equal("unknown", err.outcome, kind)
        assert.equal(before + applied, #support.keys_named(tls, "tls"), kind)
        tls:fault { type = kind, method = "GET" }
        secure:list()
      end
    end)
  end)
end)
