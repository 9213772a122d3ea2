-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("an edit by somebody else", function()
  local service = support.service()
  local project_path

  setup(function() project_path = "/v1/projects/" .. service.projects[1].id .. "/api-keys" end)

  local function get(id)
    return request(service, { path = list_path .. "/" .. id })
  end

  local function list(path)
    return request(service, { path = path or list_path }).data.apiKeys
  end

  local function edit(fields)
    fields.type = "edit"
    assert(service:fault(fields))
  end

  it("comes before the request, which then goes on", function()
    edit { change = "disable", operation = "get", skip = 1 }
    assert.is_true(get(2).data.apiKey.valid)
    assert.is_false(get(2).data.apiKey.valid)
    edit { change = "enable", operation = "get" }
    assert.is_true(get(2).data.apiKey.valid)
    edit { change = "delete", operation = "get" }
    assert.equal(404, get(2).status)
    assert.equal(1, #list())
    assert.same({}, service:faults())
  end)

  it("can come after it, before its answer", function()
    edit { change = "disable", operation = "create", when = "after" }
    local answer = request(service, { method = "POST", path = list_path, body = { name = "new" } })
    assert.is_true(answer.data.apiKey.valid)
    assert.is_false(get(answer.data.apiKey.id).data.apiKey.valid)
    local log = service:log()
    assert.is_true(log[2].change.revision > log[1].change.revision)
  end)

  it("is in the log, as nobody's request", function()
    edit { change = "disable", target = 2 }
    list()
    local log = service:log()
    assert.equal(2, #log)
    local entry = log[2]
    assert.equal("somebody", entry.by)
    assert.equal(1, entry.during)
    assert.equal("edit", entry.fault)
    assert.equal("update", entry.operation)
    assert.equal("organization", entry.scope)
    assert.equal("2", entry.key_id)
    assert.is_true(entry.applied)
    assert.equal(2, entry.change.key_id)
    assert.is_false(entry.change.valid)
    assert.is_nil(entry.connection)
    assert.is_nil(entry.credential)
    assert.is_nil(log[1].fault)
    assert.is_nil(log[1].change)
  end)

  it("finds the newest key of a name", function()
    for _, name in ipairs { "app~g1~x", "app~g2~x", "other" } do
      request(service, { method = "POST", path = list_path, body = { name = name } })
    end
    edit { change = "delete", target_name = "^app~g%d+" }
    local names = {}
    for index, key in ipairs(list()) do names[index] = key.name end
    assert.same({ "manager", "legacy-ci", "app~g1~x", "other" }, names)
  end)

  it("stays in the request's scope, or goes where it is sent", function()
    edit { change = "create", name = "rival" }
    assert.equal("rival", list(project_path)[2].name)
    edit { change = "create", name = "rival", target_scope = "organization" }
    list(project_path)
    assert.equal("rival", list()[3].name)
    edit { change = "disable", target = 1, target_project_id = service.projects[2].id }
    list()
    local second = "/v1/projects/" .. service.projects[2].id .. "/api-keys"
    assert.is_false(list(second)[1].valid)
    assert.is_true(list(project_path)[1].valid)
  end)

  it("can disable the key that makes the request", function()
    edit { change = "disable", target = 1 }
    assert.equal(401, get(2).status)
  end)

  it("is one of several, and leaves room for a fault", function()
    service:fault { type = "lost_answer", operation = "create" }
    edit { change = "disable", target = 2, operation = "create" }
    edit { change = "delete", operation = "create", when = "after" }
    assert.is_nil((request(service, { method = "POST", path = list_path, body = { name = "new" } })))
    local keys = list()
    assert.equal(2, #keys)
    assert.is_false(keys[2].valid)
    local log = service:log()
    assert.equal("lost_answer", log[1].fault)
    assert.equal("create", log[1].operation)
    assert.equal("delete", log[3].operation)
    assert.equal(3, log[3].change.key_id)
  end)

  it("comes once, whatever becomes of the request", function()
    for _, fault in ipairs {
      { type = "drop" }, { type = "status", status = 500 }, { type = "late_commit", seconds = 60 },
      { type = "duplicate" }, { type = "stale_list" },
    } do
      assert(service:reset())
      service:fault(fault)
      edit { change = "create", name = "new", when = "after" }
      request(service, { path = list_path })
      assert.equal(3, #list(), fault.type)
    end
  end)

  it("that finds no key is in the log as not applied", function()
    edit { change = "delete", target_name = "nothing" }
    edit { change = "delete", target = 99 }
    edit { change = "delete" }
    edit { change = "disable", target = 1, target_project_id = "nowhere" }
    list()
    local log = service:log()
    assert.equal(5, #log)
    for index = 2, 5 do
      assert.is_false(log[index].applied)
      assert.is_nil(log[index].change)
    end
    assert.equal(2, #list())
  end)

  it("is refused when it is not well formed", function()
    for _, case in ipairs {
      { {}, "change" }, { { change = "rename" }, "change" }, { { change = "create" }, "name" },
      { { change = "create", name = "n", target = 2 }, "target" }, { { change = "delete", name = "n" }, "name" },
      { { change = "delete", target_scope = "project" }, "elsewhere" },
      { { change = "delete", target_name = "[" }, "pattern" }, { { change = "delete", when = "never" }, "when" },
    } do
      case[1].type = "edit"
      local ok, message = pcall(service.fault, service, case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
    end
  end)
end)
