-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local confidentai = require "confidentai"
local pretty = require "pl.pretty"
local support = require "spec.support"

local check = confidentai.check

-- What people look into values with: inspect (not packaged for every Lua), Penlight, and luassert itself.
local has_inspect, inspect_library = pcall(require, "inspect")
local function inspect(value)
  local shown = { pretty.write({ value }), assert:format({ value, n = 1 })[1] }
  shown[3] = has_inspect and inspect_library(value) or nil
  for name, field in pairs(type(value) == "table" and value or {}) do
    shown[#shown + 1] = tostring(name) .. tostring(field)
  end
  return table.concat(shown, "\n")
end

describe("an ApiKey", function()
  local service = support.service()
  local client, key, secret

  before_each(function()
    client = support.client(service)
    key = check(client:project(service.projects[1].id).api_keys:create("ci"))
    secret = key.value
  end)

  local function assert_hidden(text)
    assert.is_nil(text:find(secret, 1, true), text)
    assert.is_nil(text:find(secret:sub(-12), 1, true), text)
  end

  it("has its fields and no others", function()
    assert.equal("userdata", type(key))
    assert.equal("ci", key.name)
    assert.equal("project", key.scope)
    assert.equal(service.projects[1].id, key.project_id)
    assert.is_true(key.has_secret)
    assert.is_nil(key.rotates_at)
    assert.is_nil(key.replacement)
  end)

  it("tells when the service itself will rotate it", function()
    service:fault { type = "body", operation = "get", body = cjson.encode { success = true, data = { apiKey = {
      id = key.id, name = "ci", valid = true, value = ("*"):rep(15) .. "abcdef",
      rotatesAt = "2030-01-01T00:00:00.000Z",
    } } } }
    local found = check(client:project(service.projects[1].id).api_keys:get(key))
    assert.equal("2030-01-01T00:00:00.000Z", found.rotates_at)
    assert.equal("2030-01-01T00:00:00.000Z", found:to_table().rotates_at)
  end)

  it("shows a mask in tostring, inspect, errors and tracebacks", function()
    assert_hidden(tostring(key))
    assert.matches(("*"):rep(15) .. secret:sub(-6), tostring(key), 1, true)
    assert_hidden(inspect(key))
    assert_hidden(inspect({ key = key }))
    local _, message = pcall(function() return key .. "" end)
    assert_hidden(message)
    _, message = pcall(function() return key.name.x.y end)
    assert_hidden(message)
    _, message = xpcall(function() error("with " .. tostring(key)) end, debug.traceback)
    assert_hidden(message)
    assert_hidden(pcall(cjson.encode, { key }) and cjson.encode({ key }) or select(2, pcall(cjson.encode, { key })))
  end)

  it("makes a plain table, masked unless told otherwise", function()
    local plain = key:to_table()
    assert.same({
      id = key.id, name = "ci", valid = true, value = ("*"):rep(15) .. secret:sub(-6), created_at = key.created_at,
      scope = "project", project_id = service.projects[1].id, has_secret = true,
    }, plain)
    assert_hidden(inspect(plain))
    assert_hidden(cjson.encode(plain))
    assert.equal(plain.value, key:to_table({ reveal = false }).value)
    assert.equal(secret, key:to_table({ reveal = true }).value)
  end)

  it("refuses options of to_table that are none", function()
    assert.has_error(function() key:to_table({ revel = true }) end)
    assert.has_error(function() key:to_table({ reveal = 1 }) end)
    assert.has_error(function() key:to_table(true) end)
    assert.has_error(function() key:to_table({ true }) end)
  end)

  it("forgets its secret for good", function()
    key:forget()
    key:forget()
    assert.is_false(key.has_secret)
    assert.equal(("*"):rep(15) .. secret:sub(-6), key.value)
    assert.equal(key.value, key:to_table({ reveal = true }).value)
    assert.equal("ci", key.name)
  end)

  it("equals by scope, project and id", function()
    local api_keys = client:project(service.projects[1].id).api_keys
    assert.equal(key, check(api_keys:get(key.id)))
    assert.not_equal(key, check(api_keys:list())[1])
    local twin = check(client:project(service.projects[2].id).api_keys:create("ci"))
    assert.equal(key.id, twin.id)
    assert.not_equal(key, twin)
    assert.is_false(key == key:to_table())
    assert.is_false(key == client)
    assert.is_false(key == io.stdout)
  end)

  it("is of one kind, whether it ever had a secret or not", function()
    local listed = check(client:project(service.projects[1].id).api_keys:get(key.id))
    assert.is_false(listed.has_secret)
    listed:forget()
    assert.equal("confidentai.ApiKey", getmetatable(listed))
    assert.equal(tostring(key), tostring(listed))
    assert.equal(key.forget, listed.forget)
    assert.has_error(function() listed.name = "x" end)
    key:forget()
    assert.same(key:to_table(), listed:to_table())
    for _, other in ipairs { client, io.stdout, {} } do
      assert.has_error(function() key.forget(other) end)
      assert.has_error(function() debug.getmetatable(key).__index(other, "name") end)
      assert.has_error(function() debug.getmetatable(listed).__index(other, "name") end)
    end
  end)

  it("has ids up to 2^53, each in full", function()
    local api_keys = client:organization().api_keys
    for _, id in ipairs { "1", "9", "10", "1000000", "9007199254740991", "9007199254740992" } do
      service:fault {
        type = "body",
        body = ('{"success":true,"data":{"apiKey":{"id":%s,"name":"x","valid":true,"value":"****abc"}}}'):format(id),
      }
      local found = check(api_keys:get(tonumber(id)))
      assert.equal(tonumber(id), found.id)
      assert.matches("ApiKey " .. id .. " ", tostring(found), 1, true)
    end
  end)

  it("is read-only and keeps its metatable to itself", function()
    assert.has_error(function() key.name = "x" end)
    assert.equal("confidentai.ApiKey", getmetatable(key))
    assert.has_error(function() setmetatable(key, {}) end)
  end)

  it("outlives its client", function()
    client:close()
    client = nil
    collectgarbage()
    collectgarbage()
    assert.equal(secret, key.value)
    assert.matches("ci", tostring(key), 1, true)
  end)

  it("keeps terminals and logs whole, whatever it is called", function()
    local api_keys = client:organization().api_keys
    local odd = check(api_keys:create("\27[2J\r\n" .. ("x"):rep(1000)))
    assert.is_nil(tostring(odd):find("[%c]"))
    assert.is_true(#tostring(odd) < 250)
    assert_hidden(tostring(check(api_keys:create(secret))))
  end)

  it("masks a secret that an answer shows where none belongs", function()
    local record = ('{"id":%d,"name":"x","valid":true,"value":"%s","shadowValue":"%s"}'):format(key.id, secret, secret)
    local body = ('{"success":true,"data":{"apiKey":%s}}'):format(record)
    service:fault { type = "body", body = body }
    local shown = check(client:project(service.projects[1].id).api_keys:get(key.id))
    assert.is_false(shown.has_secret)
    assert.equal(("*"):rep(15) .. secret:sub(-6), shown.value)
    assert_hidden(inspect(shown:to_table({ reveal = true })))
  end)

  it("masks in its own way, whatever form a mask has", function()
    local api_keys = client:organization().api_keys
    local masks = { ["****abc"] = "abc", ["*"] = "", [""] = "", ["sk-****1234567"] = "234567",
      ["**a\\u001b[31m"] = "[31m" }
    for value, shown in pairs(masks) do
      service:fault {
        type = "body",
        body = ('{"success":true,"data":{"apiKey":{"id":7,"name":"x","valid":true,"value":"%s"}}}'):format(value),
      }
      local masked = check(api_keys:get(7))
      assert.equal(("*"):rep(15) .. shown, masked.value)
      assert.is_nil(tostring(masked):find("%c"))
    end
  end)

  if _VERSION == "Lua 5.4" then
    it("forgets when its block ends", function()
      assert(load("local k <close> = ...; assert(k.has_secret)"))(key)
      assert.is_false(key.has_secret)
      local listed = check(client:project(service.projects[1].id).api_keys:get(key.id))
      assert(load("local k <close> = ...; assert(not k.has_secret)"))(listed)
    end)
  end
end)
