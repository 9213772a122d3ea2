-- SPDX-License-Identifier: Apache-2.0
-- Mistakes that people make with the command: what they are told, and by which status.

local argv = require "confidentai.cli.argv"
local command = require "spec.cli.command"
local tools = require "spec.sandbox.support"
local socket = require "socket"
local support = require "spec.support"

describe("mistakes", function()
  local service = support.service()

  -- Runs a command that fails; in words and in JSON, at once, as some take seconds to give up.
  local function fails(status, words, options)
    local with_format = {}
    for i, word in ipairs(words) do
      with_format[i] = word
    end
    with_format[#with_format + 1], with_format[#with_format + 2] = "--output", "json"
    local in_words = command.start(service, words, options)
    local in_json = command.start(service, with_format, options)
    local ended, _, output, errors = in_words:finish()
    assert.equal(status, ended, errors)
    assert.equal("", output)
    assert.is_nil(errors:find "traceback")
    local ended_too, _, _, text = in_json:finish()
    assert.equal(status, ended_too, text)
    local ok, decoded = pcall(command.json, text)
    assert.is_true(ok, text)
    assert.is_string(decoded.error.kind)
    assert.is_string(decoded.error.message)
    assert.is_string(decoded.error.next, decoded.error.message)
    return errors, decoded.error
  end

  it("wrong words and options are usage errors", function()
    local cases = {
      { "keys" }, { "keys", "lst" }, { "keys", "list", "--nope" }, { "keys", "list", "surplus" }, { "keys", "get" },
      { "keys", "list", "--timeout", "0" }, { "keys", "list", "--timeout", "soon" }, { "keys", "get", "7" , "8" },
      { "keys", "list", "--project" }, { "keys", "list", "--region", "MARS", "--base-url", "" },
    }
    for _, words in ipairs(cases) do
      local result = command.run(service, words)
      assert.equal(2, result.status, table.concat(words, " "))
      assert.equal("", result.output)
      assert.is_truthy(result.errors:find "confidentai: ", result.errors)
      assert.is_nil(result.errors:find "traceback")
    end
    assert.matches("'lst'%. Did you mean 'list'%?", command.run(service, { "keys", "lst" }).errors)
    assert.matches("%-%-timeout: seconds above 0 .* '0'", command.run(service, { "whoami", "--timeout", "0" }).errors)
    assert.is_truthy(command.run(service, { "keys", "list", "--nope" }).errors:find("keys list --help", 1, true))
    assert.matches("%-%-port: a number .* '80x'", command.run(service, { "sandbox", "--port", "80x" }).errors)
    assert.matches("%-%-secret%-fd: a number .* 'x'", command.run(service, { "keys", "create", "ci", "--secret-fd",
      "x" }).errors)
    assert.equal(2, command.run(service, { "keys", "list", "-o", "xml" }).status)
    local _, err = fails(2, { "keys", "list", "--nope" })
    assert.equal("usage", err.kind)
    assert.equal(0, #support.requests(service))
  end)

  it("an id that can be none is sent nowhere", function()
    for _, id in ipairs { "../organization", "a b", "", ("x"):rep(129), "7?" } do
      fails(2, { "keys", "get", id })
      fails(2, { "keys", "list", "--project", id })
    end
    assert.equal(0, #support.requests(service))
  end)

  it("an id of nothing", function()
    local errors = fails(1, { "keys", "get", "99" })
    assert.matches("key 99 of the organization: .*\n  if it is a key of a project, add %-%-project ID", errors)
    errors = fails(1, { "keys", "disable", "99", "--project", service.projects[1].id })
    assert.matches("key 99 of the project " .. service.projects[1].id .. ": ", errors)
    errors = fails(1, { "keys", "list", "--project", "nope" })
    assert.matches("project nope: .*\n  see: confidentai projects list\n", errors)
  end)

  it("a file or folder that cannot be, and what it has to do with", function()
    local errors = fails(1, { "keys", "create", "ci", "--secret-file", "/nonexistent/key" },
      { variables = { STATE_DIRECTORY = "/nonexistent" } })
    assert.matches("\n  %-%-secret%-file must name a new file", errors)
    errors = fails(2, { "whoami", "--profile", "prod" })
    assert.matches("there is no configuration file /nonexistent/confidentai/config.json\n  the format of profiles",
      errors)
    errors = command.run(service, { "rotate", "list" }, { variables = { HOME = false } }).errors
    assert.matches("HOME is not set, set STATE_DIRECTORY or %-%-state%-dir\n", errors)
    assert.equal(0, #support.requests(service, "POST"))
  end)

  it("a region beside another service's URL", function()
    local errors = fails(2, { "keys", "list", "--region", "EU" })
    assert.matches("\n  unset CONFIDENT_BASE_URL", errors)
    assert.equal(0, #support.requests(service))
  end)

  it("a time without its unit", function()
    local errors = fails(2, { "rotate", "start", "2", "--store", "file:key", "--soak", "24" })
    assert.matches("'24' has no unit: write 24s, 24h or 24d", errors)
    fails(2, { "ensure", "ci", "--store", "file:key", "--max-age", "30" })
  end)

  it("two selections", function()
    local project = service.projects[1].id
    fails(2, { "keys", "list", "--all-projects", "--project", project })
    fails(2, { "keys", "get", "1", "--project", project, "--project", service.projects[2].id })
    assert.equal(0, #support.requests(service))
  end)

  it("no key, a project's key, a wrong key", function()
    local errors, err = fails(4, { "keys", "list" }, { variables = { CONFIDENT_ORG_API_KEY = false } })
    assert.is_truthy(errors:find "CONFIDENT_ORG_API_KEY")
    assert.equal("config", err.kind)
    errors = fails(4, { "keys", "list" }, { variables = { CONFIDENT_ORG_API_KEY = "" } })
    assert.is_truthy(errors:find "no organization")
    errors = fails(4, { "keys", "list" }, { variables = { CONFIDENT_ORG_API_KEY = service.projects[1].api_key } })
    assert.is_truthy(errors:find "project key")
    local _, refused = fails(4, { "keys", "list" },
      { variables = { CONFIDENT_ORG_API_KEY = "confident_us_org_0123456789abcdef" } })
    assert.equal(401, refused.status)
    fails(2, { "keys", "list" }, { variables = { CONFIDENT_ORG_API_KEY = "with blanks" } })
  end)

  it("a proxy that refuses is not the service that refuses the key", function()
    for _, status in ipairs { 401, 403 } do
      for _, body in ipairs { "<html>sign in</html>", '{"message":"forbidden"}' } do
        service:fault { type = "status", status = status, body = body, content_type = "text/html",
          times = -1 }
        local errors, err = fails(1, { "keys", "list" })
        assert.equal(status, err.status)
        assert.matches("this answer is not from the service: check the proxy", errors)
        service:clear_faults()
      end
      service:fault { type = "status", status = status, times = -1 }
      fails(4, { "keys", "list" })
      service:clear_faults()
    end
  end)

  it("an address where nobody listens, or none", function()
    local taken = assert(socket.bind("127.0.0.1", 0))
    local _, port = taken:getsockname()
    taken:close()
    local _, err = fails(1, { "keys", "get", "1", "--base-url", "http://127.0.0.1:" .. port, "--timeout", "1" })
    assert.equal("network", err.kind)
    fails(2, { "keys", "list", "--base-url", "ftp://127.0.0.1" })
    fails(2, { "keys", "list", "--base-url", "http://example.com" })
  end)

  it("an answer that does not come", function()
    service:fault { type = "hang", times = -1 }
    local _, err = fails(1, { "whoami", "--timeout", "0.1" })
    assert.equal("timeout", err.kind)
    assert.is_truthy(err.next:find "%-%-timeout")
  end)

  describe("a secret among the arguments", function()
    local function refused(words)
      local _, err = fails(2, words)
      assert.equal("usage", err.kind)
      assert.is_truthy(err.message:find "history")
      assert.is_truthy(err.next:find "replace that key")
    end

    it("is refused wherever it is, sent nowhere and not shown", function()
      local secret = "confident_us_proj_K7aB+Rs0Aqpkwm/Lr3Zo="
      for _, words in ipairs {
        { "keys", "list", secret }, { "keys", "get", secret }, { "keys", "get", "7", "--project", secret },
        { "keys", "list", "--project=" .. secret }, { "keys", "find", "x" .. secret }, { "keys", secret }, { secret },
        { "keys", "list", "--base-url", "http://127.0.0.1/?key=" .. secret }, { "whoami", "--" .. secret },
        { "identify", secret }, { "keys", "find", service.api_key }, { "keys", "find", "confident_abcdef123456" },
      } do
        refused(words)
        local result = command.run(service, words)
        assert.is_nil((result.output .. result.errors):find("K7aB", 1, true))
        assert.is_nil((result.output .. result.errors):find(service.api_key:sub(-8), 1, true))
      end
      assert.equal(0, #support.requests(service))
    end)

    it("is known when it is the credential, whatever that looks like", function()
      local result = command.run(service, { "keys", "find", "Tr0ub4dor&3" },
        { variables = { CONFIDENT_ORG_API_KEY = "Tr0ub4dor&3" } })
      assert.equal(2, result.status)
      assert.is_nil(result.errors:find("Tr0ub4dor", 1, true))
    end)

    it("is not seen in names", function()
      for _, text in ipairs { "confident_key", "file:/etc/confident_api_key.txt", "confident_ci_pipeline_secret",
        "confident_us_org_primary_key", "ci-confident_2", "/run/secrets/confident_org_production_key" } do
        assert.is_nil(argv.secret { text }, text)
      end
    end)
  end)
end)

describe("a certificate", function()
  local folder, server, port
  local CONFIGURATION = [[
[ca]
default_ca = all
[all]
database = index.txt
serial = serial
new_certs_dir = .
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
]]

  setup(function()
    folder = tools.temporary_folder()
    for name, text in pairs { ["ca.cnf"] = CONFIGURATION, ["index.txt"] = "", serial = "01\n" } do
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    local text, status = tools.shell("cd " .. folder .. [[ && {
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout key.pem \
        -out csr.pem
      openssl ca -batch -selfsign -config ca.cnf -keyfile key.pem -in csr.pem -out certificate.pem -outdir . -notext \
        -md sha256 -startdate 20200101000000Z -enddate 20200201000000Z; } 2>&1]])
    assert.equal(0, status, text)
    local free = assert(socket.bind("127.0.0.1", 0))
    port = select(2, free:getsockname())
    free:close()
    server = tools.spawn("openssl", { "s_server", "-quiet", "-accept", "127.0.0.1:" .. port, "-www",
      "-key", folder .. "/key.pem", "-cert", folder .. "/certificate.pem" })
    assert.is_truthy(tools.eventually(function()
      local connection = socket.connect("127.0.0.1", port)
      return connection and connection:close()
    end))
  end)
  teardown(function()
    server:finish()
    tools.remove_folder(folder)
  end)

  it("that has expired, and one that nobody vouches for, stay refused", function()
    local place = { api_key = "confident_us_org_0123456789abcdef", base_url = "https://127.0.0.1:" .. port }
    for _, words in ipairs { { "--ca-file", folder .. "/certificate.pem" }, {} } do
      local all = { "keys", "list", "--output", "json" }
      for _, word in ipairs(words) do
        all[#all + 1] = word
      end
      local result = command.run(place, all)
      assert.equal(1, result.status)
      local err = command.json(result.errors).error
      assert.equal("tls", err.kind)
      assert.is_truthy(err.message:find(words[1] and "expired" or "certificate", 1, true), err.message)
      assert.is_truthy(err.next:find "clock")
    end
  end)
end)
