-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local sandbox = require "confidentai.sandbox"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("a snapshot", function()
  local service = support.service { seed = 5, witness_folder = "/" }

  local function create(name)
    return request(service, { method = "POST", path = list_path, body = { name = name or "new" } })
  end

  local function keys_now(path)
    return request(service, { path = path or list_path }).data.apiKeys
  end

  --- A service in which everything has happened.
  local function prepare()
    create("one")
    create("two")
    request(service, { method = "PUT", path = list_path .. "/2", body = { valid = false } })
    request(service, { method = "DELETE", path = list_path .. "/3" })
    service:set_clock(1000)
    service:set { propagation = 7, last_used = "late", last_used_delay = 100, witness = { "/nowhere" } }
    create("three")
  end

  it("brings everything back, as often as wanted", function()
    prepare()
    local before, settings = service:state(), service:settings()
    local snapshot = assert(service:snapshot())
    local following = {}
    for round = 1, 3 do
      following[round] = create("four").data.apiKey
      following[round].created_at = nil
      request(service, { method = "DELETE", path = list_path .. "/2" })
      service:set { last_used = "never", propagation = 0, witness = {} }
      service:set_clock(-5)
      service:fault { type = "drop" }
      assert.is_true(service:restore(snapshot))
      assert.same(before, service:state())
      assert.same(settings, service:settings())
      assert.same({}, service:log())
      assert.same({}, service:faults())
    end
    assert.same(following[1], following[2])
    assert.same(following[1], following[3])
    local again = service:snapshot()
    assert.same(snapshot, again)
  end)

  it("keeps the clock ahead and what new keys wait for", function()
    prepare()
    local key = service:state().keys[4]
    assert.equal("three", key.name)
    local snapshot = service:snapshot()
    service:reset()
    service:restore(snapshot)
    assert.equal(401, request(service, { path = list_path, key = key.value }).status)
    local entry = service:log()[1]
    assert.is_true(math.abs(entry.time - entry.at - 1000) < 1)
    service:set_clock(1010)
    assert.equal(200, request(service, { path = list_path, key = key.value }).status)
  end)

  it("keeps the history that stale lists show, and the secrets of deleted keys", function()
    prepare()
    local folder = support.temporary_folder()
    local file = assert(io.open(folder .. "/key", "wb"))
    file:write(create("held").data.apiKey.value)
    file:close()
    request(service, { method = "DELETE", path = list_path .. "/6" })
    local snapshot = service:snapshot()
    service:reset()
    service:restore(snapshot)
    local counts = {}
    for changes = 0, 6 do
      service:fault { type = "stale_list", changes = changes }
      counts[changes + 1] = #keys_now()
    end
    assert.same({ 4, 5, 4, 3, 4, 4, 3 }, counts)
    service:set { witness = { folder .. "/key" } }
    request(service, { method = "PUT", path = list_path .. "/2", body = { valid = true } })
    local log = service:log()
    assert.same({ scope = "organization", id = 6 }, log[#log].witness[folder .. "/key"].holds)
    support.remove_folder(folder)
  end)

  it("keeps commits that wait for the clock", function()
    service:fault { type = "late_commit", clock_seconds = 60 }
    create("late")
    local snapshot = service:snapshot()
    for _ = 1, 2 do
      service:set_clock(61)
      assert.equal("late", keys_now()[3].name)
      service:restore(snapshot)
      assert.equal(2, #keys_now())
    end
    service:set_clock(61)
    local log = service:log()
    assert.equal("late", log[2].change.name)
    assert.equal("create", log[2].operation)
    assert.equal(2, log[2].n)
    assert.equal("manager", keys_now()[3].createdBy)
  end)

  it("keeps commits that wait for real time, with the time that is left", function()
    service:fault { type = "late_commit", seconds = 0.2 }
    create("late")
    local snapshot = service:snapshot()
    assert.is_true(support.eventually(function() return #service:state().keys == 5 end))
    service:restore(snapshot)
    assert.equal(4, #service:state().keys)
    assert.is_true(support.eventually(function() return #service:state().keys == 5 end))
    service:restore(snapshot)
    service:reset()
    require("socket").sleep(0.3)
    assert.equal(4, #service:state().keys)
  end)

  it("can be kept as JSON and restored elsewhere", function()
    prepare()
    local text = cjson.encode(service:snapshot())
    local other = assert(sandbox.start())
    assert.is_true(other:restore(cjson.decode(text)))
    assert.same(service:state(), other:state())
    assert.equal(200, request(other, { path = list_path, key = service.api_key }).status)
    assert.is_true(other:reset())
    assert.equal(200, request(other, { path = list_path }).status)
    assert.equal("", other:errors())
    other:stop()
  end)

  it("works with ids that are strings", function()
    local other = assert(sandbox.start())
    assert(other:set { ids = "string", id_prefix = "k" })
    local snapshot = other:snapshot()
    local id = request(other, { method = "POST", path = list_path, body = { name = "n" } }).data.apiKey.id
    assert.is_true(other:restore(snapshot))
    assert.equal(404, request(other, { path = list_path .. "/" .. id }).status)
    assert.equal("k1", request(other, { path = list_path .. "/k1" }).data.apiKey.id)
    other:stop()
  end)

  it("that is none is refused, and nothing changes", function()
    create("kept")
    local snapshot = service:snapshot()
    for _, spoil in ipairs {
      function(image) image.version = 9 end,
      function(image) image.organization = nil end,
      function(image) image.late = nil end,
      function(image) image.organization.keys.list[1].secret = nil end,
      function(image) image.settings.nope = 1 end,
    } do
      local image = cjson.decode(cjson.encode(snapshot))
      spoil(image)
      local ok, message = pcall(service.restore, service, image)
      assert.is_false(ok)
      assert.truthy(message:find("not a snapshot", 1, true), message)
    end
    assert.has_error(function() service:restore({}) end)
    assert.same(snapshot.organization, service:snapshot().organization)
  end)
end)
