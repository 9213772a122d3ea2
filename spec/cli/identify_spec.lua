-- SPDX-License-Identifier: Apache-2.0
local cli = require "spec.cli.command"
local confidentai = require "confidentai"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check
local json = require("cjson").new()

describe("the command about a secret:", function()
  local service = support.service()
  local client, command, folder, secret

  before_each(function()
    client = support.client(service)
    command = cli.against(service)
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/identify-XXXXXX"))
    secret = service.projects[1].api_key
  end)
  after_each(function()
    client:close()
    os.execute("rm -r " .. folder)
  end)

  local function file(text, name)
    local path = folder .. "/" .. (name or "text")
    local opened = assert(io.open(path, "w"))
    opened:write(text)
    opened:close()
    assert(uv.fs_chmod(path, 384)) -- 0600
    return path
  end

  local function state_of(scope, id, project_id)
    local key = support.key_on_service(service, scope, id, project_id)
    return key and key.valid
  end

  describe("identify", function()
    it("takes it from standard input and from a file", function()
      for _, given in ipairs { { { "identify" }, { input = secret .. "\n" } },
        { { "identify" }, { input = "  " .. secret } }, { { "identify", "--file", file(secret .. "\r\n") } } } do
        local status, output, errors = command(given[1], given[2])
        assert.same({ 0, "" }, { status, errors })
        assert.matches("^%*+......  key 1 'Default Key' of project web ends like this secret\n\nCERTAINTY ", output)
        assert.matches("\nlast6 +" .. service.projects[1].id .. " +1 +Default Key +enabled .- never\n", output)
        assert.matches("\nAT +WHAT\n%d+%-%d%d%-%d%dT.- looked through the keys of 3 of 3 scopes", output)
      end
    end)

    it("asks for it at a terminal, and does not show it", function()
      local status, output = command({ "identify" }, { terminal = true, input = secret .. "\n" })
      assert.equal(0, status)
      assert.matches("^The secret %(it is not shown%): \r\n.*key 1 'Default Key' of project web", output)
    end)

    it("is ended by Ctrl-C while it asks", function()
      local status, output = command({ "identify" }, { terminal = true, input = "\3", question = "not shown): " })
      assert.equal(130, status, output)
      assert.matches("ended by SIGINT", output)
    end)

    it("writes JSON as its contract says", function()
      local status, output, errors = command({ "identify", "--probe", "--output", "json" }, { input = secret })
      assert.same({ 0, "" }, { status, errors })
      local report = json.decode(output)
      assert.equal("***************" .. secret:sub(-6), report.secret)
      assert.same({ "proven", "accepted", json.null, 3 },
        { report.verdict, report.probe, report.probe_error, report.scopes })
      assert.same({ {}, json.null, json.null },
        { report.unreadable, report.outcome, report.organization_id })
      local match = report.matches[1]
      match.created_at, match.last_used_after = nil, nil
      assert.same({ certainty = "proven", evidence = "last_used", scope = "project",
        project_id = service.projects[1].id, project_name = "web", id = "1", name = "Default Key", valid = true,
        pending = false, own = false, last_used = json.null }, match)
      for _, step in ipairs(report.steps) do
        assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", step.at)
        assert.is_string(step.what)
      end
    end)

    it("says that it is nobody's here", function()
      local status, output = command({ "identify" }, { input = "confident_us_org_" .. ("0"):rep(32) })
      assert.equal(1, status)
      assert.matches("not a key of this organization", output)
      status, output = command({ "identify", "--probe", "-o", "csv" }, { input = "confident_us_org_" .. ("0"):rep(32) })
      assert.equal(1, status)
      assert.equal(2, select(2, output:gsub("\r\n", "")))
      assert.matches("\r\n%*+000000,dead,,,", output)
    end)

    it("fails for one that may be alive where it is asked to", function()
      assert.equal(3, (command({ "identify", "--fail" }, { input = secret })))
      assert.equal(3, (command({ "identify", "--fail", "--probe" }, { input = secret })))
      check(client:project(service.projects[1].id).api_keys:disable(1))
      assert.equal(0, (command({ "identify", "--fail" }, { input = secret })))
      assert.equal(0, (command({ "identify", "--fail", "--probe" }, { input = secret })))
    end)

    it("tells of what it could not read", function()
      local project_id = service.projects[1].id
      service:fault { type = "status", status = 403, operation = "list", times = -1, project_id = project_id }
      local status, output, errors = command({ "identify", "--quiet" }, { input = secret })
      assert.equal(1, status)
      assert.matches("1 of 3 scopes could not be read", output)
      assert.matches("the keys of the project web could not be read", errors)
    end)

    it("takes the only secret of a text that holds more, and says which", function()
      for i, given in ipairs { "CONFIDENT_API_KEY=" .. secret, ("key = %q\n"):format(secret),
        ("deploy\n"):rep(1000) .. "using " .. secret .. "\n" .. secret, secret .. "&x" } do
        local status, output, errors = command({ "identify", "--probe", "-o", "json" }, { input = given })
        assert.same({ 0, "proven" }, { status, json.decode(output).verdict }, i)
        assert.matches(("^using the secret on line %d, which ends in "):format(i == 3 and 1001 or 1), errors)
      end
      local status, output = command({ "contain" }, { terminal = true, input = "KEY=" .. secret .. "\ny\n" })
      assert.equal(0, status, output)
      assert.is_false(state_of("project", 1, service.projects[1].id))
    end)

    it("takes no key for dead that ends like a secret which was copied wrongly", function()
      local wrong = secret:sub(1, -8) .. (secret:sub(-7, -7) == "x" and "y" or "x") .. secret:sub(-6)
      local status, output = command({ "identify", "--probe", "--fail" }, { input = wrong })
      assert.equal(3, status)
      assert.matches("refuses the secret, though key 1 'Default Key' of project web.*is enabled", output)
      local errors
      status, output, errors = command({ "contain", "--yes", "-o", "json" }, { input = wrong })
      assert.equal(6, status)
      assert.equal(json.null, json.decode(output).contained_at)
      assert.matches("disable that key by hand", json.decode(errors).error.next)
      assert.equal(0, #support.requests(service, "PUT"))
    end)

    -- What stands for the secret was looked for in its place: no key ends like that, and the secret seemed to be dead.
    it("refuses a secret in another form", function()
      for _, text in ipairs { "Y29uZmlkZW50X3VzX29yZ18zNWE5ZWE1MDllYWU4OGI3MmYzYjRlNWQ4NzU0MDI0N2Q5ZWU=\n",
        (secret:gsub(".", "%0\0")), "\31\139\8gz" } do
        for _, verb in ipairs { "identify", "contain" } do
          local status, output, errors = command({ verb }, { input = text })
          assert.same({ 2, "" }, { status, output })
          assert.matches("expected one secret: it is or holds ", errors, 1, true)
        end
      end
      assert.equal(0, #support.requests(service))
    end)

    it("takes a closed input for no empty one", function()
      for _, words in ipairs { { "identify" }, { "identify", "--scan" }, { "contain", "--yes" } } do
        local result = cli.run(service, words, { shell = "$command <&-" })
        assert.same({ 2, "" }, { result.status, result.output })
        assert.matches("the input cannot be read", result.errors, 1, true)
      end
    end)

    it("is ended by a signal while it waits for the writer of a FIFO", function()
      local path = folder .. "/fifo"
      os.execute("mkfifo " .. path)
      local child = cli.start(service, { "identify", "--scan", "--file", path })
      uv.sleep(500)
      child:kill "sigterm"
      assert.equal(143, (child:wait(5000)))
      assert.matches("ended by SIGTERM", child.errors)
      os.remove(path)
    end)

    it("refuses what is no secret, or is on the command line", function()
      for _, given in ipairs { { { "identify" }, { input = "" } }, { { "identify" }, { input = "short" } },
        { { "identify" }, { input = secret .. "\n" .. service.api_key } }, { { "identify", "--file", folder } },
        { { "identify", "--file", folder .. "/none" } }, { { "identify", secret } },
        { { "identify", "--probe" }, { input = "***************a1b2c3" } } } do
        local status, output, errors = command(given[1], given[2])
        assert.same({ 2, "" }, { status, output })
        assert.is_true(#errors > 0)
      end
      assert.equal(0, #support.requests(service))
    end)
  end)

  describe("identify --scan", function()
    it("finds every secret in a text, and masks it", function()
      local text = ("started\n{\"key\":\"%s\"}\nno secret: confident_api_key\n%s and %s\n"):format(
        secret:gsub("/", "\\/"), service.api_key, secret)
      local status, output, errors = command { "identify", "--scan", "--file", file(text) }
      assert.equal(0, status)
      assert.matches("^SECRET +LINES +VERDICT ", output)
      assert.matches("\n%*+" .. secret:sub(-6):gsub("%p", "%%%0") .. " +2 4 +last6", output)
      assert.matches("\n%*+" .. service.api_key:sub(-6):gsub("%p", "%%%0") .. " +4 +last6", output)
      assert.equal("2 secrets found\n", errors)
      status, output = command({ "identify", "--scan", "--output", "json", "--probe" }, { input = text })
      assert.equal(0, status)
      local reports = json.decode(output)
      assert.equal(2, #reports)
      assert.same({ { 2, 4 }, 2, "proven" }, { reports[1].lines, reports[1].count, reports[1].verdict })
      assert.is_true(reports[2].matches[1].own)
    end)

    it("finds nothing in a text without any, and asks nobody", function()
      local status, output, errors = command({ "identify", "--scan", "--fail" }, { input = "nothing\n" })
      assert.same({ 0, "", "no secret was found\n" }, { status, output, errors })
      status, output = command({ "identify", "--scan", "-o", "json" }, { input = "" })
      assert.same({ 0, "[]\n" }, { status, output })
      assert.equal(0, #support.requests(service))
    end)

    it("fails for one that may be alive where it is asked to", function()
      assert.equal(3, (command({ "identify", "--scan", "--fail" }, { input = "x " .. secret })))
      assert.equal(0, (command({ "identify", "--scan", "--fail", "--probe" },
        { input = "confident_us_org_" .. ("0a"):rep(20) })))
    end)
  end)

  describe("contain", function()
    it("disables the key and proves the secret dead, for scripts", function()
      local status, output, errors = command({ "contain", "--yes", "--output", "json" }, { input = secret })
      assert.same({ 0, "contained: the key is disabled, and the secret is refused\n" }, { status, errors })
      local report = json.decode(output)
      assert.same({ "contained", "proven" }, { report.outcome, report.verdict })
      assert.is_true(report.contained_at <= report.refused_at)
      assert.is_false(state_of("project", 1, service.projects[1].id))
      status, output = command({ "contain", "--yes", "--quiet" }, { input = secret })
      assert.equal(0, status)
      assert.matches("the service refuses the secret", output)
    end)

    it("asks at a terminal", function()
      local path = file(secret)
      local status, output = command({ "contain", "--file", path },
        { terminal = true, input = "n\n", question = "[y/N]" })
      assert.equal(6, status)
      assert.matches("Disable key 1 'Default Key' of the project " .. service.projects[1].id
        .. ", never used%? The service then refuses every request with it%. %[y/N%]", output)
      assert.matches("not confirmed", output)
      assert.is_true(state_of("project", 1, service.projects[1].id))
      status, output = command({ "contain", "--file", path }, { terminal = true, input = "y\n", question = "[y/N]" })
      assert.equal(0, status)
      assert.matches("contained: ", output)
      assert.is_false(state_of("project", 1, service.projects[1].id))
    end)

    it("changes nothing where nobody can be asked", function()
      local status, output, errors = command({ "contain" }, { input = secret })
      assert.equal(6, status)
      assert.matches("tried the secret: accepted", output)
      assert.matches('^confidentai: cannot ask "Disable .*": standard input is not a terminal; nothing was changed',
        errors)
      assert.is_true(state_of("project", 1, service.projects[1].id))
      assert.equal(0, #support.requests(service, "PUT"))
    end)

    it("disables nothing that is not proven", function()
      local image = check(service:snapshot())
      local other = image.projects[2].keys.list[1]
      other.secret = other.secret:sub(1, -7) .. secret:sub(-6)
      assert(service:restore(image))
      assert(service:set { last_used = "never" })
      local status, output, errors = command({ "contain", "--yes", "-o", "json" }, { input = secret })
      assert.equal(6, status)
      assert.equal("ambiguous", json.decode(output).verdict)
      assert.same({ "guard", "not_applied" }, { json.decode(errors).error.kind, json.decode(errors).error.outcome })
      assert.equal(0, #support.requests(service, "PUT"))
    end)

    it("replaces the key of its own credential, and disables it by no other way", function()
      local status, _, errors = command({ "contain", "--yes" }, { input = service.api_key })
      assert.equal(6, status)
      assert.matches("client's own.*%-%-replace %-%-store", errors)
      local path = file(service.api_key, "key")
      local output
      status, output, errors = command({ "contain", "--yes", "--replace", "--store", "file:" .. path, "--state-dir",
        folder .. "/state", "-o", "json" }, { input = service.api_key })
      assert.equal(0, status, errors)
      local report = json.decode(output)
      assert.equal("replaced", report.outcome)
      local new = support.key_on_service(service, "organization", report.new_id)
      local stored = assert(io.open(path)):read "*a"
      assert.equal(new.value, (stored:gsub("\n$", "")))
      assert.is_nil(state_of("organization", 1))
    end)

    it("says what is missing", function()
      for _, arguments in ipairs { { "contain", "--replace" }, { "contain", "--store", "file:/tmp/x" },
        { "contain", "--replace-store" }, { "contain", "--replace", "--store", "nothing" } } do
        assert.equal(2, (command(arguments, { input = secret })))
      end
      assert.equal(0, #support.requests(service))
    end)

    it("says when it is unclear what has happened", function()
      service:fault { type = "drop", operation = "update", times = -1 }
      local status, output, errors = command({ "contain", "--yes", "-o", "json" }, { input = secret })
      assert.equal(5, status)
      assert.matches("it was not disabled", output)
      assert.equal("unknown", json.decode(errors).error.outcome)
      assert.is_string(json.decode(errors).error.next)
    end)

    it("is ended by a signal while it waits for the secret", function()
      local child = cli.start(service, { "contain", "--yes" }, { input = true })
      uv.sleep(500)
      child:kill "sigterm"
      assert.equal(143, (child:wait(5000)))
      assert.matches("ended by SIGTERM", child.errors)
    end)

    it("says what is left when it is interrupted", function()
      service:fault { type = "hang", operation = "update", times = -1 }
      local child = cli.start(service, { "contain", "--yes" }, { input = secret })
      local deadline = uv.hrtime() + 5e9
      while #support.requests(service, "PUT") == 0 and uv.hrtime() < deadline do
        uv.run "nowait" -- its input
        uv.sleep(20)
      end
      child:kill "sigint"
      assert.equal(130, (child:wait(5000)))
      assert.matches("ended by SIGINT: key 1 'Default Key' .- may be disabled by now.*confidentai keys get 1",
        child.errors)
    end)
  end)
end)
