-- SPDX-License-Identifier: Apache-2.0
-- The newer API, as docs/platform.md has it.
local cjson = require "cjson"
local files = require "spec.files"
local support = require "spec.sandbox.support"

local request = support.request
local list_path, first_path = "/v2/organization/api-keys", "/v1/organization/api-keys"

describe("the sandbox of generation 2", function()
  local folder = support.temporary_folder()
  local service = support.service { generation = 2, witness_folder = folder, seed = 11 }
  teardown(function() support.remove_folder(folder) end)

  before_each(function() service:stop_clock(1800000000) end)

  local function ask(method, path, body)
    local answer = request(service, { method = method, path = path, body = body })
    return answer.data, answer.status, answer
  end

  local function status_with(secret)
    return request(service, { path = "/v2/organization", key = secret }).status
  end

  it("answers with bare keys, and the id alone for one that is deleted", function()
    local key, status = ask("POST", list_path, { name = "n", expiresInDays = 2 })
    assert.equal(200, status)
    assert.same({ 3, "n", true, cjson.null, cjson.null, cjson.null }, { key.id, key.name, key.valid, key.shadowValue,
      key.rotatesAt, key.lastUsed })
    assert.equal("2027-01-15T08:00:00.000000+00:00", key.created_at)
    assert.equal("2027-01-17T08:00:00.000000+00:00", key.expiresAt)
    local got = ask("GET", list_path .. "/3")
    assert.equal(("*"):rep(15) .. key.value:sub(-6), got.value)
    assert.is_false(ask("PUT", list_path .. "/3", { valid = false }).valid)
    assert.same({ id = 3 }, (ask("DELETE", list_path .. "/3")))
    assert.equal(422, select(2, ask("POST", list_path, { name = "n", expiresInDays = 0 })))
  end)

  it("lists the newest first", function()
    ask("POST", list_path, { name = "new" })
    local keys = ask("GET", list_path).apiKeys
    assert.same({ 3, 2, 1 }, { keys[1].id, keys[2].id, keys[3].id })
    assert.equal(1, ask("GET", first_path).apiKeys[1].id)
  end)

  it("refuses a key that has expired", function()
    local key = ask("POST", list_path, { name = "n", expiresInDays = 1 })
    assert.equal(200, status_with(key.value))
    service:advance(86400)
    assert.equal(401, status_with(key.value))
  end)

  it("keeps the first API's answers below /v1, with the newer fields and times", function()
    local key = ask("GET", first_path .. "/1").apiKey
    assert.equal(1, key.id)
    assert.equal(cjson.null, key.expiresAt)
    assert.matches("%+00:00$", key.lastUsed)
    assert.same({ id = 2, deleted = true }, (ask("DELETE", first_path .. "/2")))
    assert.equal(404, select(2, ask("POST", first_path .. "/1/rotate", {})))
    service:set { v1_answers = "newer" }
    assert.equal(1, ask("GET", first_path .. "/1").id)
  end)

  it("rotates at once without a grace: another secret under the same id", function()
    local old = ask("POST", list_path, { name = "n" })
    local key = ask("POST", list_path .. "/3/rotate", {})
    assert.same({ 3, "n", cjson.null }, { key.id, key.name, key.shadowValue })
    assert.matches("^confident_us_org_", key.value)
    assert.same({ 401, 200 }, { status_with(old.value), status_with(key.value) })
  end)

  it("rotates with a grace: both secrets work, until a list after its end", function()
    local old = ask("POST", list_path, { name = "n" })
    local key = ask("POST", list_path .. "/3/rotate", { gracePeriodInHours = 2, expiresInDays = 3 })
    local new = key.shadowValue
    assert.matches("^confident_us_org_", new)
    assert.equal(("*"):rep(15) .. old.value:sub(-6), key.value)
    assert.same({ "2027-01-15T10:00:00.000000+00:00", "2027-01-18T08:00:00.000000+00:00" },
      { key.rotatesAt, key.expiresAt })
    local outgoing = request(service, { path = "/v2/organization", key = old.value })
    assert.equal("Fri, 15 Jan 2027 10:00:00 GMT", outgoing.headers.sunset)
    assert.is_string(outgoing.headers["x-api-key-warning"])
    local incoming = request(service, { path = "/v2/organization", key = new })
    assert.same({ 200, nil, nil }, { incoming.status, incoming.headers.sunset, incoming.headers["x-api-key-warning"] })
    assert.equal(("*"):rep(15) .. new:sub(-6), ask("GET", list_path .. "/3").shadowValue)
    assert.equal(409, select(2, ask("POST", list_path .. "/3/rotate", {})))
    service:advance(7200)
    assert.equal(200, status_with(old.value)) -- no list has completed it
    local listed = ask("GET", list_path).apiKeys[1]
    assert.same({ ("*"):rep(15) .. new:sub(-6), cjson.null, cjson.null },
      { listed.value, listed.shadowValue, listed.rotatesAt })
    assert.same({ 401, 200 }, { status_with(old.value), status_with(new) })
    local none = ask("POST", list_path .. "/3/rotate", "{\"expiresInDays\":null}")
    assert.equal(cjson.null, none.expiresAt)
  end)

  it("refuses a rotation that is not well formed", function()
    for _, body in ipairs { { gracePeriodInHours = 0 }, { gracePeriodInHours = "1" }, { expiresInDays = 1.5 } } do
      assert.equal(422, select(2, ask("POST", list_path .. "/2/rotate", body)))
    end
    assert.equal(404, select(2, ask("POST", list_path .. "/9/rotate", {})))
  end)

  it("keeps both secrets in a snapshot, and tells a witness which of them works", function()
    local path = folder .. "/key"
    local old = ask("POST", list_path, { name = "n" })
    files.write(path, old.value)
    assert(service:set { witness = { path } })
    ask("POST", list_path .. "/3/rotate", { gracePeriodInHours = 1 })
    local snapshot = service:snapshot()
    service:reset()
    service:restore(snapshot)
    service:advance(3600)
    ask("GET", list_path)
    ask("PUT", list_path .. "/3", { valid = true })
    local log = service:log()
    assert.same({ scope = "organization", id = 3 }, log[#log].witness[path].holds)
    assert.same({ before = false, after = false }, log[#log].witness[path].valid)
    ask("POST", list_path .. "/3/rotate", {})
    log = service:log()
    assert.equal("rotate", log[#log].operation)
    assert.equal(3, log[#log].change.key_id)
  end)

  it("can lose the answer to a rotation", function()
    service:fault { type = "lost_answer", operation = "rotate" }
    assert.is_nil((request(service, { method = "POST", path = list_path .. "/2/rotate", body = "{}" })))
    assert.is_true(service:log()[1].applied)
  end)
end)

describe("the sandbox of generation 1", function()
  local service = support.service()

  it("has no newer API", function()
    assert.equal(404, request(service, { path = list_path }).status)
    assert.is_nil(request(service, { path = first_path .. "/1" }).data.apiKey.expiresAt)
  end)
end)
