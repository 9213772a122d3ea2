-- SPDX-License-Identifier: Apache-2.0
-- One record of a list that cannot be read hid all others of its scope, so that a leaked key there could not be found.
-- The others are given, that one is told of, and nobody concludes from such a list that a key is not there.

local command = require "spec.cli.command"
local confidentai = require "confidentai"
local json = require "cjson"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check = confidentai.check

local GOOD = '{"id":1,"name":"Default Key","valid":true,"value":"%s","created_at":"%s","lastUsed":null}'

-- Records as a service may send them, by what is told of each.
local BROKEN = {
  { '{"id":7,"name":"x","valid":null,"value":"***************abcdef"}', id = 7, problem = "valid is no boolean" },
  { '{"id":7,"name":"x","value":"***************abcdef"}', id = 7, problem = "valid is no boolean" },
  { '{"id":7,"name":"x","valid":true,"value":"***************abcdef","lastUsed":1795442700}', id = 7,
    problem = "lastUsed is no string" },
  { '{"id":7,"name":5,"valid":true,"value":"***************abcdef"}', id = 7, problem = "name is no string" },
  { '{"id":7,"name":"x","valid":true}', id = 7, problem = "value is no string" },
  { '{"id":9007199254740993,"name":"x"}', id = "9007199254740993", problem = "value is no string" },
  { '{"id":9007199254740993.5,"name":"x","valid":true,"value":"***************abcdef"}', problem = "id is" },
  { '{"id":1e300,"name":"x","valid":true,"value":"***************abcdef"}', problem = "id is" },
  { '{"id":null,"name":"x","valid":true,"value":"***************abcdef"}', problem = "id is" },
  { '{"name":"x","valid":true,"value":"***************abcdef"}', problem = "id is" },
  { 'null', problem = "an api key is no object" }, { '"key"', problem = "an api key is no object" },
  { '[]', problem = "id is" },
}

describe("a record that cannot be read", function()
  local s = scene.register()

  local function list(records, more)
    local fault = { type = "body", times = -1, operation = "list", project_id = s.service.projects[1].id,
      body = ('{"success":true,"data":{"apiKeys":[%s]}}'):format(table.concat(records, ",")) }
    for name, value in pairs(more or {}) do
      fault[name] = value
    end
    s:fault(fault)
  end

  local function good()
    return GOOD:format("***************" .. s.service.projects[1].api_key:sub(-6), s:on_service()[1].created_at)
  end

  it("is told by its id or place, and the others are given", function()
    for _, broken in ipairs(BROKEN) do
      list { broken[1], good(), broken[1] }
      local keys = check(s:keys():list())
      assert.equal(1, #keys, broken[1])
      assert.equal("Default Key", keys[1].name)
      assert.equal(2, #keys.unreadable)
      for i, place in ipairs { 1, 3 } do
        assert.equal(place, keys.unreadable[i].place)
        assert.equal(broken.id, keys.unreadable[i].id)
        assert.is_truthy(keys.unreadable[i].problem:find(broken.problem, 1, true), keys.unreadable[i].problem)
      end
      assert.same(keys.unreadable, check(s:keys():find "nothing").unreadable)
      assert(s.service:clear_faults())
    end
    assert.is_nil(check(s:keys():list()).unreadable)
  end)

  it("is an error where it is the only one", function()
    for _, broken in ipairs(BROKEN) do
      list { broken[1] }
      local keys, err = s:keys():list()
      assert.is_nil(keys)
      support.assert_error({ kind = "protocol" }, err)
      assert(s.service:clear_faults())
    end
  end)

  it("is none when only half of a surrogate pair, or digits beyond 2^53, are in it", function()
    local value = "***************" .. s.service.projects[1].api_key:sub(-6)
    list { good(), '{"id":9007199254740993,"name":"x\\ud83d","valid":true,"value":"' .. value .. '"}',
      '{"id":9007199254740992,"name":"\\ude00\\ud83d\\ude00","valid":true,"value":"' .. value .. '"}' }
    local keys = check(s:keys():list())
    assert.is_nil(keys.unreadable)
    assert.same({ "9007199254740993", "x\239\191\189" }, { keys[2].id, keys[2].name })
    assert.same({ 2 ^ 53, "\239\191\189\240\159\152\128" }, { keys[3].id, keys[3].name })
  end)

  it("is no other key, when its number is beyond what the Lua holds", function()
    if _VERSION ~= "Lua 5.1" then
      assert.has_error(function() s:keys():get(load "return 9007199254740993" ()) end)
    end
    local _, err = s:keys():get "9007199254740993"
    assert.equal(404, err.status)
  end)

  describe("leaves a leaked key", function()
    it("found, and contained", function()
      local secret = s.service.projects[1].api_key
      list { good(), BROKEN[1][1] }
      local report = check(s:client():contain(secret))
      assert.equal("contained", report.outcome)
      assert.equal(1, #report.unreadable)
      assert.is_truthy(report.unreadable[1].err.message:find("1 of the keys could not be read (7: ", 1, true),
        report.unreadable[1].err.message)
    end)

    it("possible, where no other ends so", function()
      list { BROKEN[1][1], good() }
      local other = "confident_us_org_" .. ("0"):rep(32)
      local report = check(s:client():identify(other))
      assert.equal("unclear", report.verdict)
      assert.matches("1 of 3 scopes could not be read, or not as a whole", report.message, 1, true)
      local result = command.run(s.service, { "identify", "--output", "json" }, { input = other })
      assert.equal("unclear", json.decode(result.output).verdict)
      result = command.run(s.service, { "identify", "--scan", "--fail" }, { input = "x " .. other .. "\n" })
      assert.equal(3, result.status)
      assert.is_truthy(result.errors:find("7: ", 1, true), result.errors)
    end)
  end)

  it("is told by the audit and by the command", function()
    list { BROKEN[1][1], good() }
    local report = check(s:client():audit())
    assert.equal(1, #report.unreadable)
    assert.equal(4, report.totals.keys)
    assert.is_truthy(report.unreadable[1].err.message:find("(7: unexpected answer: valid is no boolean)", 1, true))
    local result = command.run(s.service, { "audit", "--fail" })
    assert.equal(3, result.status)
    for _, verb in ipairs { { "list" }, { "find", "x" } } do
      for _, where in ipairs { { "--project", s.service.projects[1].id }, { "--all-projects" } } do
        local words = { "keys", verb[1], verb[2] }
        for _, word in ipairs(where) do
          words[#words + 1] = word
        end
        result = command.run(s.service, words)
        assert.equal(1, result.status)
        assert.is_truthy(result.errors:find("1 of the keys could not be read (7: ", 1, true), result.errors)
        assert.is_truthy(verb[2] or result.output:find("Default Key", 1, true), result.output)
      end
    end
  end)

  it("stops ensure, which concludes from absence", function()
    list { BROKEN[1][1], good() }
    local result, err = s:keys():ensure("svc", { store = s:store("key", false), max_age = 86400 })
    assert.is_nil(result)
    assert.is_truthy(err.message:find("1 of the keys could not be read (7: ", 1, true), err.message)
    assert.same({}, s:changes())
  end)

  it("is a project's, too, whose keys are looked for by its id", function()
    local id, other = s.service.projects[1].id, s.service.projects[2].id
    s:fault { type = "body", times = -1, operation = "projects", body =
      ('{"success":true,"data":{"projects":[{"id":"%s","name":7},{"id":"%s","name":"research"},{"name":"lost"}]}}')
        :format(id, other) }
    local projects = check(s:client().projects:list())
    assert.equal(1, #projects)
    assert.same({ id = id, place = 1, problem = projects.unreadable[1].problem }, projects.unreadable[1])
    local secret = s.service.projects[1].api_key
    local report = check(s:client():identify(secret, { probe = true }))
    assert.same({ "proven", id }, { report.verdict, report[1].project_id })
    assert.equal(1, #report.unreadable)
    assert.equal("the project at place 3 of the list", report.unreadable[1].project_name)
    report = check(s:client():audit())
    assert.equal(1, #report.unreadable)
    for _, words in ipairs { { "projects", "list" }, { "keys", "list", "--all-projects" }, { "audit", "--fail" } } do
      local result = command.run(s.service, words)
      assert.not_equal(0, result.status)
      assert.is_nil(result.errors:find "traceback")
    end
  end)
end)
