-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("a change", function()
  local service = support.service()

  local function create(name)
    return request(service, { method = "POST", path = list_path, body = { name = name } }).data.apiKey
  end

  local function put(id, valid, key)
    return request(service, {
      method = "PUT", path = list_path .. "/" .. id, body = { valid = valid }, key = key,
    })
  end

  it("is in the log with the key as it was right after", function()
    local id = create("new").id
    put(id, false)
    put(id, true)
    request(service, { method = "DELETE", path = list_path .. "/" .. id })
    local valid, last = {}, 0
    for index, entry in ipairs(service:log()) do
      local change = entry.change
      assert.equal(id, change.key_id)
      assert.equal("new", change.name)
      assert.is_true(change.revision > last)
      assert.is_true(math.abs(change.time - entry.time) < 1)
      valid[index], last = change.valid, change.revision
    end
    assert.same({ true, false, true, false }, valid)
  end)

  it("is only in the log when it took effect", function()
    service:fault { type = "drop", operation = "update" }
    put(2, false)
    put(99, false)
    put(2, "no")
    request(service, { path = list_path })
    for _, entry in ipairs(service:log()) do assert.is_nil(entry.change) end
    assert.equal(4, #service:log())
    service:fault { type = "lost_answer", operation = "update" }
    put(2, false)
    assert.is_false(service:log(4)[1].change.valid)
  end)

  it("has the time of the service's clock", function()
    service:set_clock(86400)
    create("tomorrow")
    local entry = service:log()[1]
    assert.is_true(math.abs(entry.time - entry.at - 86400) < 1)
    assert.is_true(math.abs(entry.change.time - entry.at - 86400) < 1)
  end)

  it("can be made by a key to itself, which proves that it may write", function()
    local key = create("itself")
    local answer = put(key.id, true, key.value)
    assert.equal(200, answer.status)
    assert.is_true(answer.data.apiKey.valid)
    assert.same({ id = key.id, scope = "organization" }, service:log(1)[1].credential)
  end)
end)
