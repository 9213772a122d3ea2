-- SPDX-License-Identifier: Apache-2.0
-- `confidentai keys create`: the secret reaches where it was to go, and no key is left behind without it.

local command = require "spec.cli.command"
local core = require "confidentai.core"
local tools = require "spec.sandbox.support"
local support = require "spec.support"

describe("confidentai keys create", function()
  local service = support.service()
  local folder, state

  before_each(function()
    folder = tools.temporary_folder()
    state = folder .. "/state"
    assert(core.file.make_folder(state))
  end)
  after_each(function() tools.remove_folder(folder) end)

  local function run(words, options)
    options = options or {}
    options.variables = options.variables or { STATE_DIRECTORY = state }
    local all = { "keys", "create" }
    for i, word in ipairs(words) do
      all[i + 2] = word
    end
    return command.run(service, all, options)
  end

  local function keys_like(name)
    local found = {}
    for _, key in ipairs(assert(service:state()).keys) do
      if key.name == name or key.name:find(name .. "~g", 1, true) == 1 then
        found[#found + 1] = key
      end
    end
    return found
  end

  local function created(name)
    local found = keys_like(name)
    assert.equal(1, #found)
    return found[1]
  end

  it("creates nothing when nobody would get the secret", function()
    local result = run { "ci" }
    assert.equal(6, result.status)
    assert.is_truthy(result.errors:find("--secret-file", 1, true))
    assert.equal(0, #support.requests(service, "POST"))
  end)

  it("prints the secret alone into a pipe when asked", function()
    local result = run { "ci", "--print-secret" }
    assert.equal(0, result.status, result.errors)
    assert.equal(created("ci").value .. "\n", result.output)
  end)

  it("has a field for it in the other formats", function()
    for format, read in pairs { json = command.json, jsonl = command.json, csv = command.csv } do
      local result = run { format, "--print-secret", "--output", format }
      local record = read(result.output)
      record = record[1] or record
      local key = created(format)
      assert.equal(key.value, record.secret)
      assert.equal("***************" .. key.value:sub(-6), record.value)
    end
  end)

  it("writes it to a descriptor, and the record without it to standard output", function()
    local project = service.projects[1].id
    local result = run({ "ci", "--secret-fd", "3", "--project", project, "-o", "json" },
      { shell = "$command 3>" .. folder .. "/fd" })
    assert.equal(0, result.status, result.errors)
    local key = created "ci"
    assert.equal(project, key.project_id)
    assert.equal(key.value .. "\n", tools.read_file(folder .. "/fd"))
    assert.is_nil((result.output .. result.errors):find(key.value, 1, true))
    assert.is_nil(command.json(result.output).secret)
  end)

  it("refuses descriptors that cannot be written to", function()
    for _, words in ipairs { { "3", "$command 3>&-" }, { "3", "$command 3</dev/null" }, { "1", "$command" },
      { "0", "$command" }, { "3.5", "$command" }, { "x", "$command" } } do
      local result = run({ "ci", "--secret-fd", words[1] }, { shell = words[2] })
      assert.equal(2, result.status, result.errors)
    end
    assert.equal(0, #support.requests(service, "POST"))
  end)

  it("makes a file for it, which only its owner can read, and provisions", function()
    local path = folder .. "/key"
    local result = run { "ci", "--secret-file", path, "-o", "json" }
    assert.equal(0, result.status, result.errors)
    local key = created "ci"
    assert.equal(key.value, tools.read_file(path))
    assert.equal(384, core.file.facts(path).mode) -- 0600
    assert.is_truthy(command.json(result.output).name:find "^ci~g1~[a-z2-7]+$")
    assert.is_truthy(result.errors:find(path, 1, true))
  end)

  it("overwrites no file, but fills one that it has made", function()
    local path = folder .. "/key"
    assert(core.file.create(path, "mine"))
    local result = run { "ci", "--secret-file", path }
    assert.equal(6, result.status, result.errors)
    assert.equal("mine", tools.read_file(path))
    assert(core.file.replace(path, ""))
    assert.equal(0, run({ "ci", "--secret-file", path }).status)
    assert.equal(created("ci").value, tools.read_file(path))
  end)

  it("makes the file before the key, and takes it away when there is no key", function()
    local result = run { "ci", "--secret-file", folder .. "/nowhere/key" }
    assert.equal(1, result.status)
    assert.equal(0, #support.requests(service))
    service:fault { type = "status", status = 403, operation = "list" }
    result = run { "ci", "--secret-file", folder .. "/key" }
    assert.equal(4, result.status)
    assert.is_nil(core.file.facts(folder .. "/key"))
    assert.equal(0, #keys_like "ci")
  end)

  it("goes on with what a signal has broken off, when it is run again", function()
    local words = { "keys", "create", "ci", "--secret-file", folder .. "/key" }
    service:fault { type = "delay", seconds = 5, when = "after", operation = "create" }
    local child = command.start(service, words, { variables = { STATE_DIRECTORY = state } })
    assert.is_true(tools.eventually(function() return #support.requests(service, "POST") > 0 end))
    child:kill "sigint"
    local status, _, _, errors = child:finish()
    assert.equal(130, status)
    assert.is_truthy(errors:find "the same command again")
    local result = run { "ci", "--secret-file", folder .. "/key" }
    assert.equal(0, result.status, result.errors)
    local held = tools.read_file(folder .. "/key")
    for _, key in ipairs(keys_like "ci") do -- the other one, whose secret got nowhere, is disabled until it goes
      assert.equal(key.value == held, key.valid)
    end
    assert.equal(2, #keys_like "ci")
  end)

  it("writes it to stores", function()
    local result = run { "ci", "--store", "env_file:" .. folder .. "/.env:API_KEY", "--store",
      "exec:sh -c 'cat >" .. folder .. "/copy'" }
    assert.equal(0, result.status, result.errors)
    local key = created "ci"
    assert.is_truthy(tools.read_file(folder .. "/.env"):find("API_KEY=['\"]?" .. key.value:gsub("%p", "%%%0")))
    assert.equal(key.value, tools.read_file(folder .. "/copy"))
    assert.is_nil((result.output .. result.errors):find(key.value, 1, true))
  end)

  it("leaves a store alone that holds something, but with --replace-store", function()
    local path = folder .. "/key"
    assert(core.file.create(path, "mine"))
    local result = run { "ci", "--store", "file:" .. path }
    assert.equal(6, result.status)
    assert.is_truthy(result.errors:find("--replace-store", 1, true))
    assert.is_nil(result.errors:find("= true", 1, true))
    assert.equal("mine", tools.read_file(path))
    assert.equal(0, run({ "ci", "--store", "file:" .. path, "--replace-store" }).status)
    assert.equal(created("ci").value, tools.read_file(path))
  end)

  it("refuses a name that is there, but with --allow-duplicate", function()
    assert.equal(0, run({ "ci", "--print-secret" }).status)
    local result = run { "ci", "--print-secret" }
    assert.equal(6, result.status)
    assert.is_truthy(result.errors:find("a key named 'ci' exists (id 3); nothing was created", 1, true))
    assert.is_truthy(result.errors:find("rotate start 3", 1, true))
    assert.equal(1, #keys_like "ci")
    assert.equal(0, run({ "ci", "--print-secret", "--allow-duplicate" }).status)
    assert.equal(2, #keys_like "ci")
  end)

  it("refuses two places for the secret", function()
    for _, words in ipairs {
      { "ci", "--print-secret", "--secret-fd", "3" }, { "ci", "--secret-file", "/x", "--store", "file:/y" },
    } do
      local result = run(words, { shell = "$command 3>/dev/null" })
      assert.equal(2, result.status)
      assert.is_truthy(result.errors:find "use only one of")
    end
  end)

  it("refuses names that cannot be", function()
    assert.equal(2, run({ "", "--print-secret" }).status)
    assert.equal(2, run({ "\255", "--print-secret" }).status)
    assert.equal(2, run({}).status)
  end)

  it("deletes the key again when the secret cannot be delivered", function()
    for _, case in ipairs {
      { { "ci", "--print-secret" }, "$command >/dev/full" }, { { "ci", "--secret-fd", "3" }, "$command 3>/dev/full" },
      { { "ci", "--print-secret" }, "$command >&-" },
      { { "ci", "--print-secret", "-o", "json" }, "$command >/dev/full" },
    } do
      local result = run(case[1], { shell = case[2] })
      assert.equal(1, result.status, result.errors)
      assert.is_truthy(result.errors:find "deleted again")
      assert.equal(0, #keys_like "ci")
    end
  end)

  it("does so when the reader of a pipe has gone", function()
    local result = run({ "ci", "--print-secret" },
      { shell = "{ sleep 0.1; $command; echo status $? >&2; } | exec 0<&-" })
    assert.is_truthy(result.errors:find "status 1")
    assert.is_truthy(result.errors:find "deleted again")
    assert.equal(0, #keys_like "ci")
  end)

  it("says what to do when even that fails", function()
    service:fault { type = "status", status = 500, method = "DELETE", times = -1 }
    local result = run({ "ci", "--print-secret", "-o", "json", "--timeout", "2" }, { shell = "$command >/dev/full" })
    assert.equal(5, result.status)
    local err = command.json(result.errors).error
    assert.is_truthy(err.message:find "its secret is lost")
    assert.equal("confidentai keys delete 3", err.next)
  end)

  it("keeps the key whose secret has arrived, when only the record cannot be written", function()
    local result = run({ "ci", "--secret-fd", "3" }, { shell = "$command 3>" .. folder .. "/fd >/dev/full" })
    assert.equal(1, result.status)
    assert.equal(created("ci").value .. "\n", tools.read_file(folder .. "/fd"))
  end)

  it("says that a key may exist when the answer is lost", function()
    service:fault { type = "lost_answer", operation = "create" }
    local result = run { "c i", "--print-secret", "-o", "json" }
    assert.equal(5, result.status)
    local err = command.json(result.errors).error
    assert.equal("unknown", err.outcome)
    assert.is_truthy(err.next:find("keys find 'c i'", 1, true))
    assert.equal("", result.output)
  end)
end)
