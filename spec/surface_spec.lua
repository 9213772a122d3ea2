-- SPDX-License-Identifier: Apache-2.0
-- How methods and fields meet their users: a name that does not exist was nil, silently, and a call that succeeded gave
-- a second value to whatever it stood in.

local confidentai = require "confidentai"
local json = require "cjson"
local scene = require "spec.rotation.scene"

local check = confidentai.check

describe("a name that does not exist", function()
  local s = scene.register()

  local function raises(words, read)
    local ok, err = pcall(read)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find(words, 1, true), tostring(err))
  end

  it("raises, and names what is meant", function()
    local client = s:client()
    local created, listed = check(s:keys():create "x"), check(s:keys():list())[1]
    for _, key in ipairs { created, listed } do
      for name, meant in pairs { enabled = "valid", disabled = "valid", lastUsed = "last_used", secret = "value",
        createdAt = "created_at", projectId = "project_id", hasSecret = "has_secret", toTable = "to_table",
        shadowValue = "replacement", rotatesAt = "rotates_at" } do
        raises(("confidentai.ApiKey has no field or method '%s': '%s' is meant"):format(name, meant), function()
          return key[name]
        end)
      end
      raises("confidentai.ApiKey has no field or method 'colour'; it has: created_at, forget, has_secret, id,",
        function() return key.colour end)
      raises("confidentai.ApiKey has no field that is a number", function() return key[1] end)
    end
    raises("confidentai.Projects has no field or method 'find'; it has: list", function()
      return client.projects:find "web"
    end)
    raises("'api_keys' is meant", function() return client:organization().keys end)
    raises("'api_keys' is meant", function() return client:organization().apiKeys end)
    raises("confidentai.Organization has no field or method 'id'", function() return client:organization().id end)
    raises("'base_url' is meant", function() return client.baseUrl end)
    raises("confidentai.ApiKeys has no field or method 'remove'; it has:", function() return s:keys():remove(1) end)
  end)

  it("raises of a rotation, too, whose end is waited for by its state", function()
    local rotation = check(s:rotate { soak = 3600 })
    for _, name in ipairs { "done", "finished", "stop", 1 } do
      raises("confidentai.Rotation has no field or method of that name; it has: abandon, abort, advance, base,",
        function() return rotation[name] end)
    end
    assert.equal("soaking", rotation.state)
  end)

  it("is not repeated if it may be a secret that stands in the wrong place", function()
    local key, secret = check(s:keys():create "x"), "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9j=="
    for _, name in ipairs { key.value, secret, secret:sub(1, 36), "confident_x", "Zq8!wErTyUiOp", "a\27[2J", "x\0y" } do
      for _, object in ipairs { key, s:client(), s:keys() } do
        local ok, err = pcall(function() return object[name] end)
        assert.is_false(ok)
        assert.is_nil(tostring(err):find(name, 1, true))
        assert.is_truthy(tostring(err):find("has no field or method of that name; it has: ", 1, true), tostring(err))
      end
    end
  end)

  it("hides no field that has no value", function()
    local key = check(s:keys():get(1))
    assert.same({}, { key.rotates_at, key.replacement })
    assert.is_nil(s:keys("organization").project_id)
  end)

  it("does not disturb what inspects and compares objects", function()
    local client = s:client()
    local one, other = check(s:keys():get(1)), check(s:keys():get(1))
    assert.equal(one, other)
    assert.same({ one }, { other })
    assert.not_same({ one }, { client })
    for _, object in ipairs { one, client, client.projects, client:organization(), s:keys() } do
      assert.is_userdata(object)
      assert.is_string(assert:format({ object, n = 1 })[1])
    end
  end)
end)

describe("a method that succeeds", function()
  local s = scene.register()

  it("gives nil and the error when it fails, so that assert raises the error on every Lua", function()
    local keys = s:keys()
    for _, fail in ipairs { function() return keys:get(999) end, function() return keys:enable(999) end,
      function() return s:client():project("nobody"):get() end } do
      assert.equal(2, select("#", fail()))
    end
    if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then
      local ok, err = pcall(function() return _G.assert(keys:get(999)) end)
      assert.is_false(ok)
      assert.equal(404, err.status)
    end
  end)

  it("gives one value", function()
    local client, keys = s:client(), s:keys()
    local organization, project = client:organization(), client:project(s.service.projects[1].id)
    local options = { state_dir = s:path "state", soak = 100, grace = 0, clock = s.clock, pause = s.pause,
      store = s:store "a", random = s.random }
    local function provisioning()
      return { state_dir = s:path "state", clock = s.clock, pause = s.pause, store = s:store("b", false) }
    end
    local made = check(keys:create "x")
    local calls = {
      list = function() return keys:list() end, get = function() return keys:get(1) end,
      find = function() return keys:find "x" end, create = function() return keys:create "y" end,
      update = function() return keys:update(made, { valid = false }) end,
      enable = function() return keys:enable(made) end, disable = function() return keys:disable(made) end,
      provision = function() return keys:provision("p", provisioning()) end,
      ensure = function()
        return keys:ensure("e", { store = s:store("c", false), max_age = 1000, clock = s.clock, pause = s.pause })
      end,
      organization = function() return organization:get() end, project = function() return project:get() end,
      projects = function() return client.projects:list() end, whoami = function() return client:whoami() end,
      audit = function() return client:audit() end, identify = function() return client:identify(made.value) end,
      doctor = function()
        return confidentai.rotation.doctor(client, { state_dir = s:path "state", clock = s.clock })
      end,
      new = function()
        local other = select("#", confidentai.new { api_key = "x", base_url = client.base_url })
        return other == 1 or nil
      end,
    }
    for name, call in pairs(calls) do
      local function count(...)
        assert.is_truthy(..., name)
        assert.equal(1, select("#", ...), name)
      end
      count(call())
    end
    local rotation = check(keys:rotate(1, options))
    for _, name in ipairs { "confirm", "rollback", "status" } do
      assert.equal(1, select("#", rotation[name](rotation)), name)
    end
    assert.equal(1, select("#", keys:delete(made)))
    local list = {}
    table.insert(list, keys:list())
    assert.equal(1, #list)
    assert.is_string(json.encode(organization:get()))
  end)
end)
