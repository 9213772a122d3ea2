-- SPDX-License-Identifier: Apache-2.0
-- Answers that no honest service gives. Whatever they are, the caller gets a value of the right shape or an error: the
-- same run under sanitizers shows that nothing undefined happened.

local cjson = require "cjson"
local support = require "spec.support"

describe("a hostile answer", function()
  local service = support.service()
  local client, org, project

  before_each(function()
    client = support.client(service, { max_retries = 0 })
    org = client:organization()
    project = client:project("p")
  end)

  local good = {
    key = { id = 7, name = "n", valid = true, value = "***************abcdef", created_at = "t",
      lastUsed = cjson.null },
    project = { id = "p", name = "n", description = "d", organizationId = "o", created_at = "t" },
    organization = { id = "o", name = "n", plan = "p", created_at = "t" },
  }

  -- Where a record goes, and who reads it.
  local readers = {
    { record = "key", data = function(k) return { apiKeys = { k } } end,
      read = function() return org.api_keys:list() end },
    { record = "key", data = function(k) return { apiKey = k } end, read = function() return org.api_keys:get(7) end },
    { record = "key", data = function(k) return { apiKey = k } end,
      read = function() return org.api_keys:create("n") end },
    { record = "key", data = function(k) return { apiKey = k } end,
      read = function() return org.api_keys:enable(7) end },
    { record = "project", data = function(p) return { projects = { p } } end,
      read = function() return client.projects:list() end },
    { record = "project", data = function(p) return { project = p } end, read = function() return project:get() end },
    { record = "organization", data = function(o) return { organization = o } end,
      read = function() return org:get() end },
  }

  local wrong = {
    "7", '"x"', "true", "false", "null", "{}", "[]", "[1,2]", '{"a":{"b":[]}}', "-1", "0", "1.5", "1e400", "-1e400",
    "9007199254740993", "1e308", "123456789012345678901234567890", '""', '"\\u0000"', '"../x"', '"\\ud800"',
    '"' .. ("x"):rep(300) .. '"', '"\255\254"', "NaN", "Infinity", "0x10", "nul", "'",
  }

  local function answer(body)
    service:fault { type = "body", body = body }
  end

  local function assert_sound(result, err)
    if result == nil then
      assert.is_true(err.kind == "protocol" or err.kind == "api", tostring(err))
    else
      assert.is_true(type(result) == "table" or type(result) == "userdata")
    end
  end

  for _, reader in ipairs(readers) do
    for field in pairs(good[reader.record]) do
      it(("has any type in %s of a %s"):format(field, reader.record), function()
        for _, value in ipairs(wrong) do
          local record = {}
          for name, content in pairs(good[reader.record]) do
            record[name] = content
          end
          record[field] = "@@"
          local body = cjson.encode { success = true, data = reader.data(record) }
          answer((body:gsub('"@@"', function() return value end)))
          assert_sound(reader.read())
        end
        assert.equal(0, #assert(service:faults()))
      end)
    end

    it("lacks any field of a " .. reader.record, function()
      for field in pairs(good[reader.record]) do
        local record = {}
        for name, content in pairs(good[reader.record]) do
          if name ~= field then record[name] = content end
        end
        answer(cjson.encode { success = true, data = reader.data(record) })
        assert_sound(reader.read())
      end
    end)
  end

  it("has any type where the envelope has its fields", function()
    for _, value in ipairs(wrong) do
      for _, body in ipairs {
        value, ('{"success":%s}'):format(value), ('{"success":true,"data":%s}'):format(value),
        ('{"success":true,"data":{"apiKeys":%s}}'):format(value),
        ('{"success":true,"data":{"apiKeys":[%s]}}'):format(value),
        ('{"success":true,"data":{"apiKeys":[]},"deprecated":%s,"link":%s}'):format(value, value),
        ('{"success":false,"error":%s,"link":%s}'):format(value, value),
      } do
        answer(body)
        assert_sound(org.api_keys:list())
      end
    end
  end)

  it("is an object where an array is due", function()
    answer '{"success":true,"data":{"apiKeys":{"a":1}}}'
    local _, err = org.api_keys:list()
    support.assert_error({ kind = "protocol" }, err)
    assert.matches("apiKeys is no array", err.message, 1, true)
  end)

  it("is of any wrong type at delete", function()
    for _, value in ipairs(wrong) do
      for _, data in ipairs { '{"id":%s,"deleted":true}', '{"id":7,"deleted":%s}', "%s" } do
        answer(('{"success":true,"data":%s}'):format(data:format(value)))
        local result, err = project.api_keys:delete(7)
        if result then
          assert.is_true(result.deleted)
          assert.equal("7", tostring(result.id))
        else
          support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
        end
      end
    end
  end)

  it("nests as deep as it likes", function()
    for _, depth in ipairs { 31, 33, 1000, 100000 } do
      for _, text in ipairs {
        ("["):rep(depth) .. ("]"):rep(depth), ('{"a":'):rep(depth) .. "1" .. ("}"):rep(depth), ("["):rep(depth),
      } do
        answer(('{"success":true,"data":{"apiKeys":[]},"x":%s}'):format(text))
        assert_sound(org.api_keys:list())
      end
    end
  end)

  it("has names of ten megabytes", function()
    local name = ("n"):rep(10 * 2 ^ 20)
    local record = cjson.encode(good.key):gsub('"n"', function() return '"' .. name .. '"' end)
    service:fault { type = "body", body = ('{"success":true,"data":{"apiKeys":[%s]}}'):format(record) }
    local keys, err = org.api_keys:list()
    assert.is_nil(err)
    assert.equal(#name, #keys[1].name)
    assert.is_true(#tostring(keys[1]) < 250)
  end)

  it("keeps names of broken UTF-8 as they came", function()
    local record = cjson.encode(good.key):gsub('"n"', '"a\255\254b"')
    answer(('{"success":true,"data":{"apiKeys":[%s]}}'):format(record))
    assert.equal("a\255\254b", assert(org.api_keys:list())[1].name)
  end)

  it("is cut anywhere", function()
    local body = cjson.encode { success = true, data = { apiKeys = { good.key } } }
    for length = 0, #body - 1, 3 do
      answer(body:sub(1, length))
      local result, err = org.api_keys:list()
      assert.is_nil(result)
      support.assert_error({ kind = "protocol" }, err)
    end
  end)

  it("mutates anywhere", function()
    local body = cjson.encode { success = true, data = { apiKeys = { good.key, good.key } } }
    local seed = 20261123
    local function random(n) -- the same on every Lua
      seed = (seed * 16807) % 2147483647
      return seed % n
    end
    for _ = 1, 300 do
      local text = body
      for _ = 1, 1 + random(3) do
        local at = random(#text) + 1
        text = text:sub(1, at - 1) .. string.char(random(256)) .. text:sub(at + random(2))
      end
      answer(text)
      assert_sound(org.api_keys:list())
    end
  end)

  -- Found by fuzzing: the error had no message.
  it("fails with empty words", function()
    for _, words in ipairs { "", "\\u0000", "\\u0000hidden" } do
      answer(('{"success":false,"error":"%s"}'):format(words))
      local _, err = org.api_keys:list()
      support.assert_error({ kind = "api", message = "the service reported a failure" }, err)
      service:fault { type = "status", status = 403, body = { success = false, error = (words:gsub("\\u0000", "\0")) } }
      _, err = org.api_keys:list()
      support.assert_error({ kind = "api", message = "the answer has status 403" }, err)
    end
  end)

  it("has headers that lie", function()
    local lies = {
      { ["Retry-After"] = "-1" }, { ["Retry-After"] = ("9"):rep(400) }, { ["Retry-After"] = "soon" },
      { ["Content-Type"] = ("x"):rep(5000) }, { Date = "never" }, { ["X-Y"] = ("z"):rep(60000) },
    }
    for _, headers in ipairs(lies) do
      service:fault { type = "status", status = 503, headers = headers }
      local _, err = org.api_keys:list()
      support.assert_error({ kind = "api", status = 503 }, err)
    end
  end)
end)
