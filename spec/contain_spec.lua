-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check

describe("client:contain", function()
  local service = support.service()
  local client, project, folder

  before_each(function()
    client = support.client(service)
    project = client:project(service.projects[1].id)
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/contain-XXXXXX"))
  end)
  after_each(function()
    client:close()
    os.execute("rm -r " .. folder)
  end)

  -- No test waits for a minute.
  local function no_pause() end

  local function state_of(scope, id, project_id)
    local key = support.key_on_service(service, scope, id, project_id)
    return key and key.valid
  end

  local function words(report)
    local list = {}
    for i, step in ipairs(report.steps) do
      assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", step.at)
      list[i] = step.what
    end
    return table.concat(list, "\n")
  end

  it("disables the key that it has proven, and proves the secret dead", function()
    local secret, asked = service.projects[1].api_key, nil
    local report = check(client:contain(secret, { confirm = function(match, so_far)
      asked = { match.key.id, so_far.verdict, state_of("project", 1, service.projects[1].id) }
      return true
    end }))
    assert.same({ 1, "proven", true }, asked)
    assert.equal("contained", report.outcome)
    assert.is_false(state_of("project", 1, service.projects[1].id))
    assert.is_true(state_of("project", 1, service.projects[2].id))
    assert.is_true(report.refused_at >= report.contained_at)
    assert.matches("tried the secret: accepted.*disabling key 1.*disabled it.*tried the secret: refused", words(report))
    assert.equal(1, support.applied(service, "PUT"))
  end)

  it("contains an organization's key", function()
    local new = check(client:organization().api_keys:create "leaked")
    assert.equal("contained", check(client:contain(new.value)).outcome)
    assert.is_false(state_of("organization", new.id))
  end)

  it("has nothing to do about a dead one", function()
    local new = check(project.api_keys:create "leaked")
    check(project.api_keys:delete(new))
    assert.equal("dead", check(client:contain(new.value)).outcome)
    assert.equal(0, support.applied(service, "PUT"))
  end)

  local function refused(kind, ...)
    local report, err, partial = client:contain(...)
    assert.is_nil(report)
    support.assert_error({ kind = kind, outcome = "not_applied" }, err)
    assert.equal(0, #support.requests(service, "PUT"))
    assert.is_table(partial.steps)
    return err
  end

  it("touches nothing that is not proven", function()
    -- two keys that end alike, and nothing that tells them apart
    local image = check(service:snapshot())
    local other = image.projects[2].keys.list[1]
    other.secret = other.secret:sub(1, -7) .. service.projects[1].api_key:sub(-6)
    assert(service:restore(image))
    assert(service:set { last_used = "never" })
    assert.matches("2 keys", refused("guard", service.projects[1].api_key).message)
  end)

  it("touches nothing where the secret cannot be tried", function()
    service:fault { type = "status", status = 500, operation = "annotation_queues", times = -1 }
    local careful = support.client(service, { max_retries = 0 })
    client:close()
    client = careful
    refused("api", service.projects[1].api_key)
  end)

  it("touches nothing unless it is confirmed", function()
    refused("guard", service.projects[1].api_key, { confirm = function() return false end })
  end)

  it("does not lock its user out", function()
    assert.matches("--replace", refused("guard", service.api_key).next, 1, true)
  end)

  it("touches no key that has changed under its hands", function()
    refused("guard", service.projects[1].api_key, { confirm = function()
      local image = check(service:snapshot())
      image.projects[1].keys.list[1].name = "somebody else's"
      assert(service:restore(image))
      return true
    end })
  end)

  it("settles an unclear answer by a look", function()
    service:fault { type = "lost_answer", operation = "update" }
    client:close()
    client = support.client(service, { max_retries = 0 })
    assert.equal("contained", check(client:contain(service.projects[1].api_key)).outcome)
    service:fault { type = "drop", operation = "update" }
    local report, err, partial = client:contain(service.projects[2].api_key)
    assert.is_nil(report)
    assert.equal("unknown", err.outcome)
    assert.matches("not disabled", words(partial))
  end)

  it("waits until the change has spread, and says when it does not", function()
    local waits = {}
    local function pause(seconds)
      waits[#waits + 1] = seconds
    end
    -- A service whose old keys go on working: somebody enables it again.
    service:fault { type = "edit", change = "enable", when = "after", operation = "update" }
    local report, err, partial = client:contain(service.projects[1].api_key, { pause = pause })
    assert.is_nil(report)
    support.assert_error({ outcome = "unknown" }, err)
    assert.matches("still accepts", err.message)
    assert.same({ 1, 2, 4, 8, 15, 30 }, waits)
    assert.is_string(partial.contained_at)
    assert.is_nil(partial.refused_at)
    local tries = 0
    report = check(client:contain(service.projects[2].api_key, { pause = function()
      tries = tries + 1
    end }))
    assert.same({ "contained", 0 }, { report.outcome, tries })
  end)

  describe("with replace", function()
    local function replace(secret, path)
      local file = assert(io.open(path, "w"))
      file:write(secret)
      file:close()
      assert(uv.fs_chmod(path, 384)) -- 0600
      return client:contain(secret, { pause = no_pause,
        replace = { store = confidentai.store.file { path = path }, state_dir = folder .. "/state" } })
    end

    local function content(path)
      local file = assert(io.open(path))
      local text = file:read "*a"
      file:close()
      return (text:gsub("\n$", ""))
    end

    it("puts a new key in the place of the client's own", function()
      local path = folder .. "/key"
      local report = check(replace(service.api_key, path))
      assert.equal("replaced", report.outcome)
      assert.is_string(report.rotation.new_id)
      assert.is_nil(state_of("organization", 1)) -- a key that is known to others is not kept
      local new = content(path)
      assert.equal(new, support.key_on_service(service, "organization", report.rotation.new_id).value)
      assert.equal(new:sub(-6), client.api_key:sub(-6))
      assert.matches("replaced by key", words(report))
    end)

    it("puts a new key in the place of a project's", function()
      local path = folder .. "/key"
      local report = check(replace(service.projects[1].api_key, path))
      assert.equal("replaced", report.outcome)
      assert.is_nil(state_of("project", 1, service.projects[1].id))
      local new = support.key_on_service(service, "project", report.rotation.new_id, service.projects[1].id)
      assert.equal(content(path), new.value)
    end)

    it("says what stands in the way", function()
      local report, err = client:contain(service.projects[1].api_key,
        { replace = { store = confidentai.store.file { path = folder .. "/no/key" }, state_dir = folder .. "/state" } })
      assert.is_nil(report)
      assert.equal("not_applied", err.outcome)
      assert.is_true(state_of("project", 1, service.projects[1].id))
    end)
  end)

  it("raises about arguments that are none", function()
    for _, arguments in ipairs {
      { nil }, { "short" }, { "***************a1b2c3" }, { service.api_key, 7 }, { service.api_key, { yes = true } },
      { service.api_key, { replace = {} } }, { service.api_key, { confirm = true } },
    } do
      local ok, message = pcall(client.contain, client, arguments[1], arguments[2])
      assert.is_false(ok)
      assert.matches("bad argument #%d to 'contain'", message)
    end
    assert.equal(0, core.engine():in_flight())
  end)
end)
