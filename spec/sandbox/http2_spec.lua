-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local sandbox = require "confidentai.sandbox"
local support = require "spec.sandbox.support"

local list_path, shell = support.list_path, support.shell

--- curl's exit statuses: 18 partial file, 35 TLS handshake, 52 got nothing, 55/56 send/receive error, 60
-- certificate,
--- 92 HTTP/2 stream reset, 16 HTTP/2 framing.
local gone = { [16] = true, [18] = true, [52] = true, [55] = true, [56] = true, [92] = true }

local ways = {
  { name = "HTTP/2 over TLS", tls = true, flag = "--http2", version = "2" },
  { name = "HTTP/1.1 over TLS", tls = true, flag = "--http1.1", version = "1.1" },
  { name = "HTTP/2 without TLS", tls = false, flag = "--http2-prior-knowledge", version = "2" },
}

for _, way in ipairs(ways) do
  describe("the sandbox over " .. way.name, function()
    local service = support.service { tls = way.tls }

    local function curl(arguments, path)
      local command = {
        "curl -sS -m 5", way.flag, "-H", support.quote("CONFIDENT_API_KEY: " .. service.api_key),
        "-H 'Content-Type: application/json'",
      }
      if service.ca_file then command[#command + 1] = "--cacert " .. support.quote(service.ca_file) end
      command[#command + 1] = arguments or ""
      command[#command + 1] = support.quote(service.base_url .. (path or list_path))
      local output, status = shell(table.concat(command, " ") .. " 2>/dev/null")
      return output, status
    end

    local function create(name)
      return curl("-d '{\"name\":\"" .. (name or "new") .. "\"}'")
    end

    local function key_count()
      return #service:state().keys - 2
    end

    it("answers, and says so in the log", function()
      local output, status = curl("-w '\\n%{http_version}'")
      assert.equal(0, status)
      local body, version = output:match("^(.*)\n(.*)$")
      assert.equal(way.version, version)
      assert.equal(2, #cjson.decode(body).data.apiKeys)
      assert.equal(way.version, service:log()[1].http)
      assert.equal(1, service:log()[1].credential.id)
    end)

    it("creates, updates and deletes", function()
      assert.equal(3, cjson.decode((create())).data.apiKey.id)
      local updated = curl("-X PUT -d '{\"valid\":false}'", list_path .. "/3")
      assert.is_false(cjson.decode(updated).data.apiKey.valid)
      assert.is_true(cjson.decode((curl("-X DELETE", list_path .. "/3"))).data.deleted)
    end)

    -- curl 7.88 cannot reuse an HTTP/2 connection without TLS.
    local reuse = way.tls and it or function() end
    reuse("serves many requests on one connection", function()
      local paths = {}
      for index = 1, 20 do
        paths[index] = (index > 1 and "-o /dev/null " or "") .. support.quote(service.base_url .. list_path)
      end
      local _, status = curl("-Z " .. table.concat(paths, " ") .. " -o /dev/null -o /dev/null")
      assert.equal(0, status)
      local log = service:log()
      assert.equal(21, #log)
      if way.version == "2" then assert.is_true(log[21].connection - log[1].connection < 3) end
    end)

    it("takes and refuses large bodies", function()
      local folder = support.temporary_folder()
      local file = assert(io.open(folder .. "/body", "wb"))
      file:write("{\"name\":\"", ("n"):rep(2 ^ 20 - 11), "\"}")
      file:close()
      local output = curl("-o /dev/null -w '%{http_code}' -d @" .. folder .. "/body")
      assert.equal("200", output)
      file = assert(io.open(folder .. "/body", "ab"))
      file:write(("n"):rep(2 ^ 20))
      file:close()
      assert.equal("413", (curl("-o /dev/null -w '%{http_code}' -d @" .. folder .. "/body")))
      assert.equal(way.version == "1.1", service:log()[2].has_expect)
      support.remove_folder(folder)
    end)

    local multiplex = way.tls and way.version == "2" and it or function() end
    multiplex("takes large bodies beside each other, none of which stalls", function()
      local folder = support.temporary_folder()
      local file = assert(io.open(folder .. "/body", "wb"))
      file:write("{\"name\":\"", ("n"):rep(2 ^ 20 - 11), "\"}")
      file:close()
      local url = support.quote(service.base_url .. list_path) .. " "
      -- What stalls does so for ever; a busy machine takes its time for 16 MiB.
      local output, status = curl("-m 30 -Z -w '%{http_code} ' " .. ("-o /dev/null "):rep(16) .. "-d @" .. folder
        .. "/body " .. url:rep(15))
      support.remove_folder(folder)
      assert.equal(0, status)
      assert.equal(("200 "):rep(16), output)
    end)

    for _, close in ipairs { "stream", "connection" } do
      it("ends requests without an answer (" .. close .. ")", function()
        for index, kind in ipairs { "lost_answer", "drop", "reset", "late_commit" } do
          service:fault { type = kind, close = close, seconds = kind == "late_commit" and 0.05 or nil }
          local output, status = create()
          assert.equal("", output)
          assert.is_true(gone[status], kind .. " " .. status)
          local log = service:log()
          assert.is_nil(log[index].status)
        end
        assert.is_true(support.eventually(function() return key_count() == 4 end))
        assert.equal(0, select(2, curl()))
      end)
    end

    it("truncates", function()
      service:fault { type = "truncate", bytes = 30 }
      local output, status = create()
      assert.is_true(gone[status], status)
      assert.equal(30, #output)
      assert.equal(3, key_count())
    end)

    it("sends garbage", function()
      service:fault { type = "garbage" }
      local output, status = curl()
      assert.equal(0, status)
      assert.is_false((pcall(cjson.decode, output)))
      service:fault { type = "garbage", raw = true }
      assert.not_equal(0, select(2, curl("--no-http0.9")))
      assert.equal(0, select(2, curl()))
    end)

    it("delays, slows down, redirects, lengthens headers", function()
      service:fault { type = "delay", seconds = 0.1 }
      local seconds = curl("-o /dev/null -w '%{time_total}'")
      assert.is_true(tonumber(seconds) >= 0.1)
      service:fault { type = "slow_body", seconds = 0.01, chunk = 50 }
      local output = curl()
      assert.is_true(cjson.decode(output).success)
      service:fault { type = "redirect", location = "https://example.com/" }
      assert.equal("307 https://example.com/", (curl("-o /dev/null -w '%{http_code} %{redirect_url}'")))
      service:fault { type = "huge_header", bytes = 60000 }
      local head = curl("-D - -o /dev/null")
      assert.equal(60000, #head:match("[xX]%-[fF]iller: (a+)"))
    end)

    for _, chunked in ipairs { true, false } do
      local with = chunked and "without" or "with"
      it("streams a huge body " .. with .. " its length, until the client leaves", function()
        service:fault { type = "huge", bytes = 2 ^ 21, chunked = chunked }
        assert.equal("2097152", (curl("-o /dev/null -w '%{size_download}'")))
        service:fault { type = "huge", bytes = 2 ^ 33, chunked = chunked }
        local _, status = curl("-o /dev/null -m 0.1")
        assert.equal(28, status)
        assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
      end)
    end

    it("hangs until the client leaves, and serves others meanwhile", function()
      service:fault { type = "hang" }
      local _, status = curl("-m 0.1")
      assert.equal(28, status)
      assert.equal(0, select(2, curl()))
      assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
    end)

    it("sends headers that HTTP/2 does not have over HTTP/1.1 only", function()
      local headers = { Connection = "close", ["X-A"] = { "b", "c" } }
      service:fault { type = "status", status = 500, headers = headers }
      local head = curl("-D - -o /dev/null"):lower()
      assert.equal(way.version == "1.1", head:find("\nconnection: close", 1, true) ~= nil)
      assert.truthy(head:find("x%-a: b.*x%-a: c"))
    end)

    it("lists stale and short", function()
      service:fault { type = "stale_list" }
      create()
      assert.equal(2, #cjson.decode((curl())).data.apiKeys)
      service:fault { type = "short_list", drop = 2 }
      assert.equal(1, #cjson.decode((curl())).data.apiKeys)
    end)
  end)
end

describe("the sandbox's HTTP/2", function()
  --- A frame, and a request's headers in the simplest of HPACK's forms.
  local function frame(kind, flags, stream, payload)
    return string.char(0, 0, #payload, kind, flags, 0, 0, 0, stream) .. payload
  end

  local function headers(fields)
    local parts = {}
    for index, field in ipairs(fields) do
      parts[index] = "\0" .. string.char(#field[1]) .. field[1] .. string.char(#field[2]) .. field[2]
    end
    return table.concat(parts)
  end

  it("notices that a client leaves after its goodbye", function()
    local service = assert(sandbox.start())
    finally(function() service:stop() end)
    service:fault { type = "hang" }
    local connection = support.connect(service.base_url)
    connection.raw:send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" .. frame(4, 0, 0, "") .. frame(1, 5, 1, headers {
      { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/v1/projects" }, { ":authority", "x" },
    }))
    assert.is_true(support.eventually(function() return #service:log() == 1 end))
    connection.raw:send(frame(7, 0, 0, ("\0"):rep(8)))
    assert.equal(1, service:stats().connections_open)
    connection:close()
    assert.is_true(support.eventually(function() return service:stats().connections_open == 0 end))
  end)
end)

describe("the sandbox's certificate", function()
  local service = support.service { tls = true }

  it("is good for localhost and loopback addresses, by its authority only", function()
    local port = service.base_url:match(":(%d+)$")
    local address = " https://%s:" .. port .. list_path .. " 2>&1"
    for _, host in ipairs { "localhost", "127.0.0.1" } do
      local _, status = shell("curl -sS -4 --cacert " .. service.ca_file .. address:format(host))
      assert.equal(0, status, host)
    end
    local _, status = shell("curl -sS" .. address:format("127.0.0.1"))
    assert.equal(60, status)
    _, status = shell("curl -sS --resolve other.example:" .. port .. ":127.0.0.1 --cacert " .. service.ca_file
      .. address:format("other.example"))
    assert.equal(60, status)
  end)

  it("is not served in the clear", function()
    local _, status = shell("curl -sS " .. service.base_url:gsub("https", "http") .. list_path .. " 2>&1")
    assert.not_equal(0, status)
    _, status = shell("curl -sS --cacert " .. service.ca_file .. " " .. service.base_url .. list_path)
    assert.equal(0, status)
  end)

  it("is removed at the end, unless somebody named the file", function()
    local other = assert(sandbox.start { tls = true })
    local folder = support.temporary_folder()
    local named = assert(sandbox.start { tls = true, ca_file = folder .. "/ca.pem" })
    assert.equal(folder .. "/ca.pem", named.ca_file)
    assert.truthy(support.read_file(other.ca_file):find("BEGIN CERTIFICATE", 1, true))
    other:stop()
    named:stop()
    assert.is_nil(io.open(other.ca_file))
    assert.truthy(support.read_file(named.ca_file):find("BEGIN CERTIFICATE", 1, true))
    support.remove_folder(folder)
  end)
end)
