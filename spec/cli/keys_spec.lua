-- SPDX-License-Identifier: Apache-2.0
-- The verbs that show and change keys, against the sandbox: every output format, parsed back.

local command = require "spec.cli.command"
local support = require "spec.support"

local FIELDS = { "scope", "project_id", "id", "name", "valid", "value", "created_at", "last_used" }

describe("confidentai keys", function()
  local service = support.service()
  local api_keys, project

  before_each(function()
    local client = support.client(service)
    project = service.projects[1].id
    api_keys = client:project(project).api_keys
  end)

  local function run(words, options)
    return command.run(service, words, options)
  end

  -- Runs a command that succeeds.
  local function done(words, options)
    local result = run(words, options)
    assert.equal(0, result.status, result.errors)
    return result.output, result.errors
  end

  local function fails(status, words, options)
    local result = run(words, options)
    assert.equal(status, result.status, result.errors .. result.output)
    assert.equal("", result.output)
    assert.is_nil(result.errors:find "traceback")
    return result.errors
  end

  describe("list", function()
    it("writes JSON with the fields that are documented", function()
      local listed = command.json(done { "keys", "list", "--output", "json" })
      assert.equal(2, #listed)
      assert.equal("organization", listed[1].scope)
      assert.equal("1", listed[1].id)
      assert.equal("manager", listed[1].name)
      assert.is_true(listed[1].valid)
      assert.equal("***************" .. service.api_key:sub(-6), listed[1].value)
      assert.is_truthy(listed[1].created_at:find "^%d%d%d%d%-")
      assert.is_nil(listed[2].last_used)
    end)

    it("writes the same as JSON lines and CSV", function()
      local name = "a \"b\",\n\tç"
      support.client(service):organization().api_keys:create(name)
      local listed = command.json(done { "keys", "list", "-o", "json" })
      local lines, cells = command.lines(done { "keys", "list", "-o", "jsonl" }), command.csv(done { "keys", "list",
        "-o", "csv" })
      assert.equal(3, #listed)
      assert.equal(name, listed[3].name)
      for i, key in ipairs(listed) do
        for _, field in ipairs(FIELDS) do
          if field ~= "last_used" then -- listing moves the own key's
            assert.equal(key[field], lines[i][field])
            assert.equal(key[field] == nil and "" or tostring(key[field]), cells[i][field])
          end
        end
      end
    end)

    it("writes a table without colour into a pipe, and no control characters of a name", function()
      support.client(service):organization().api_keys:create "evil\27[31m\194\155name"
      local text = done { "keys", "list" }
      assert.is_truthy(text:find("^ID +NAME +STATE +KEY +CREATED +LAST USED\n1 +manager +enabled +%*+" ..
        service.api_key:sub(-6):gsub("%p", "%%%0")))
      assert.is_nil(text:find "\27")
      assert.is_nil(text:find "\194\155")
      assert.is_truthy(text:find("evil [31m name", 1, true))
      assert.is_truthy(text:find("never", 1, true))
    end)

    it("shows projects, several, each once, and all", function()
      local other = service.projects[2].id
      local listed = command.json(done { "keys", "list", "--project", project, "-o", "json" })
      assert.equal(1, #listed)
      assert.equal("project", listed[1].scope)
      assert.equal(project, listed[1].project_id)
      listed = command.json(done { "keys", "list", "-p", project, "-p", other, "-p", project, "-o", "json" })
      assert.same({ project, other }, { listed[1].project_id, listed[2].project_id })
      assert.equal(2, #listed)
      assert.same(listed, command.json(done { "keys", "list", "--all-projects", "-o", "json" }))
      assert.is_truthy(done({ "keys", "list", "--all-projects" }):find("^PROJECT"))
    end)

    it("writes an empty list", function()
      assert(api_keys:delete(1))
      assert.equal("[]\n", done { "keys", "list", "-p", project, "-o", "json" })
      assert.equal("", done { "keys", "list", "-p", project, "-o", "jsonl" })
      assert.equal(table.concat(FIELDS, ",") .. "\r\n", done { "keys", "list", "-p", project, "-o", "csv" })
      assert.is_truthy(done({ "keys", "list", "-p", project }):find "^ID[^\n]+\n$")
    end)

    it("shows what can be read when a project cannot, and fails", function()
      service:fault { type = "status", status = 403, project_id = project, times = -1,
        body = { success = false, error = "no permission" } }
      local result = run { "keys", "list", "--all-projects", "-o", "json" }
      assert.equal(4, result.status)
      assert.equal(1, #command.json(result.output))
      local err = command.json(result.errors).error
      assert.equal(403, err.status)
      assert.is_truthy(err.message:find(project, 1, true))
    end)

    it("keeps ids of 16 digits, and text ids", function()
      local id = "9007199254740991"
      service:fault { type = "body", times = -1, body = ([[{"success":true,"data":{"apiKeys":[{"id":%s,"name":null,]]
        .. [["valid":true,"value":"***************abcdef","created_at":"2026-01-01T00:00:00.000Z","lastUsed":null},]]
        .. [[{"id":"k_1","name":"x","valid":true,"value":"***************abcdef","created_at":]]
        .. [["2026-01-01T00:00:00.000Z","lastUsed":null}]}}]]):format(id) }
      assert.is_truthy(done({ "keys", "list", "-o", "json" }):find('"id":"' .. id .. '",', 1, true))
      assert.is_truthy(done({ "keys", "list", "-o", "csv" }):find("," .. id .. ",", 1, true))
      assert.is_truthy(done({ "keys", "list" }):find("\n" .. id .. " ", 1, true))
      assert.is_truthy(done({ "keys", "list", "-o", "json" }):find('"id":"k_1"', 1, true))
    end)
  end)

  describe("find", function()
    it("finds a name, also what a rotation made of it", function()
      for _, name in ipairs { "svc", "svc~g1~abcdefgh", "svc2", "svc~g1~x" } do
        assert(api_keys:create(name))
      end
      local found = command.json(done { "keys", "find", "svc", "--all-projects", "-o", "json" })
      assert.equal(2, #found)
      assert.same({ "svc", "svc~g1~abcdefgh" }, { found[1].name, found[2].name })
    end)

    it("finds nothing without failing", function()
      local text, errors = done { "keys", "find", "nobody" }
      assert.is_truthy(text:find "^ID")
      assert.is_truthy(errors:find "no key")
      assert.equal("[]\n", (done { "keys", "find", "nobody", "-o", "json" }))
      fails(2, { "keys", "find", "" })
    end)
  end)

  describe("get", function()
    it("shows one key", function()
      local key = command.json(done { "keys", "get", "1", "--project", project, "-o", "json" })
      assert.equal("1", key.id)
      assert.equal(project, key.project_id)
      assert.equal(1, #command.lines(done { "keys", "get", "1", "-o", "jsonl" }))
      assert.equal("1", command.csv(done { "keys", "get", "1", "-o", "csv" })[1].id)
      assert.is_truthy(done({ "keys", "get", "1" }):find "^ID +1\nNAME +manager\n")
    end)

    it("says that there is none", function()
      local err = command.json(fails(1, { "keys", "get", "99", "-o", "json" })).error
      assert.equal("api", err.kind)
      assert.equal(404, err.status)
      assert.is_truthy(err.next:find("keys list", 1, true))
    end)
  end)

  describe("disable and enable", function()
    it("change a key, and say when it was last used", function()
      local text, errors = done { "keys", "disable", "1", "-p", project, "-o", "json" }
      assert.is_false(command.json(text).valid)
      assert.is_truthy(errors:find "never used")
      assert.is_truthy(errors:find("keys enable 1 --project " .. project, 1, true))
      assert.is_false(assert(api_keys:get(1)).valid)
      assert.is_true(command.json(done { "keys", "enable", "1", "-p", project, "-o", "json" }).valid)
      assert.is_true(assert(api_keys:get(1)).valid)
    end)

    it("are quiet with --quiet", function()
      local _, errors = done { "keys", "disable", "1", "-p", project, "-q" }
      assert.equal("", errors)
    end)

    it("refuse a key that was used within a day, where nobody can be asked", function()
      local key = assert(support.client(service):organization().api_keys:create "busy")
      support.client(service, { api_key = key.value }):whoami()
      local id = ("%d"):format(key.id)
      local errors = fails(6, { "keys", "disable", id })
      assert.is_truthy(errors:find "last used")
      assert.is_truthy(errors:find "%-%-yes")
      assert.is_true(support.key_on_service(service, "organization", id).valid)
      done { "keys", "disable", id, "--yes" }
      assert.is_false(support.key_on_service(service, "organization", id).valid)
    end)

    it("refuse the key that the command itself uses, but with --force", function()
      for _, verb in ipairs { "disable", "delete" } do
        local err = command.json(fails(6, { "keys", verb, "1", "--yes", "-o", "json" }):match "{.*")
        assert.equal("guard", err.error.kind)
        assert.is_truthy(err.error.next:find("--force", 1, true))
      end
      done { "keys", "disable", "1", "--yes", "--force" }
      assert.is_false(support.key_on_service(service, "organization", 1).valid)
    end)
  end)

  describe("delete", function()
    it("wants --yes where nobody can be asked", function()
      fails(6, { "keys", "delete", "1", "-p", project })
      assert.is_table(support.key_on_service(service, "project", 1, project))
      local deleted = command.json(done { "keys", "delete", "1", "-p", project, "--yes", "-o", "json" })
      assert.same({ scope = "project", project_id = project, id = "1", name = "Default Key", deleted = true }, deleted)
      assert.is_nil(support.key_on_service(service, "project", 1, project))
    end)

    it("writes every format", function()
      for i, format in ipairs { "table", "jsonl", "csv" } do
        assert(api_keys:create("k" .. i))
        local text = done { "keys", "delete", tostring(i + 1), "-p", project, "--yes", "-o", format }
        assert.is_truthy(text:find("k" .. i, 1, true), text)
      end
    end)

    it("says that it is unclear when the answers are lost", function()
      service:fault { type = "lost_answer", method = "PUT", times = -1 }
      local result = run { "keys", "disable", "1", "-p", project, "--timeout", "5", "-o", "json" }
      assert.equal(5, result.status)
      local err = command.json(result.errors:match "{.*").error
      assert.equal("unknown", err.outcome)
      assert.is_truthy(err.next:find("keys get", 1, true))
    end)
  end)

  it("tells of each request with --verbose, and of no secret", function()
    local _, errors = done { "keys", "list", "--verbose" }
    assert.is_truthy(errors:find("> GET /v1/organization/api%-keys %(CONFIDENT_API_KEY: %*+%)\n< 200 in "))
    assert.is_nil(errors:find(service.api_key, 1, true))
  end)
end)

describe("confidentai projects and whoami", function()
  local service = support.service()

  it("list the projects", function()
    local listed = command.json(command.run(service, { "projects", "list", "-o", "json" }).output)
    assert.equal(service.projects[1].id, listed[1].id)
    assert.equal("web", listed[1].name)
    assert.equal(service.organization_id, listed[1].organization_id)
    assert.equal(2, #command.lines(command.run(service, { "projects", "list", "-o", "jsonl" }).output))
    assert.equal("research", command.csv(command.run(service, { "projects", "list", "-o", "csv" }).output)[2].name)
    assert.is_truthy(command.run(service, { "projects", "list" }).output:find "^ID +NAME +DESCRIPTION +CREATED\n")
  end)

  it("say who the credential is", function()
    local who = command.json(command.run(service, { "whoami", "-o", "json" }).output)
    assert.same({ service.organization_id, "1", "manager", service.base_url },
      { who.organization_id, who.key_id, who.key_name, who.base_url })
    assert.equal("***************" .. service.api_key:sub(-6), who.value)
    assert.is_truthy(command.run(service, { "whoami" }).output:find("ORGANIZATION +" .. service.organization_id))
    assert.equal("manager", command.csv(command.run(service, { "whoami", "-o", "csv" }).output)[1].key_name)
  end)
end)
