-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local support = require "spec.support"

describe("a bad argument", function()
  local service = support.service()
  local client, org

  before_each(function()
    client = support.client(service)
    org = client:organization()
  end)

  -- Runs f, which must raise with these words, at this file's line, before anything is sent.
  local function raises(words, f)
    local ok, message = pcall(f)
    assert.is_false(ok)
    assert.is_string(message)
    assert.is_truthy(message:find(words, 1, true), ("%q lacks %q"):format(message, words))
    assert.matches("argument_spec", message, 1, true)
    assert.equal(0, #support.requests(service))
  end

  local bad_ids = {
    ["an empty string"] = "", ["a dot"] = ".", ["two dots"] = "..", ["a slash"] = "a/b",
      ["a way up"] = "../organization",
    ["an escape"] = "%2e%2e", ["a query"] = "7?x=1", ["a NUL"] = "7\0", ["a line end"] = "7\r\nX: y",
      ["a blank"] = "7 ",
    ["a fraction"] = 7.5, ["zero"] = 0, ["a negative number"] = -1, ["a number past 2^53"] = 2 ^ 53 + 2,
    ["infinity"] = math.huge, ["no number"] = 0 / 0, ["a boolean"] = true, ["a table"] = {},
    ["more than 128 characters"] = ("a"):rep(129), ["umlauts"] = "schlüssel",
    ["a secret"] = "confident_us_org_0123456789abcdef0123456789abcdef",
  }

  for what, id in pairs(bad_ids) do
    it("is refused as a key's id: " .. what, function()
      for _, name in ipairs { "get", "enable", "disable", "delete" } do
        raises(("bad argument #1 to '%s'"):format(name), function() org.api_keys[name](org.api_keys, id) end)
      end
      raises("bad argument #1 to 'update'", function() org.api_keys:update(id, { valid = true }) end)
    end)

    it("is refused as a project's id: " .. what, function()
      raises("bad argument #1 to 'project'", function() client:project(id) end)
    end)
  end

  it("is a missing id", function()
    raises("bad argument #1 to 'get' (an id or an ApiKey is expected)", function() org.api_keys:get() end)
    raises("bad argument #1 to 'project'", function() client:project() end)
  end)

  it("never quotes a secret that came as an id", function()
    local secret = "confident_us_org_0123456789abcdef0123456789abcdef"
    for _, f in ipairs {
      function() org.api_keys:get(secret) end, function() client:project(secret) end,
      function() org.api_keys:delete(secret .. "/x") end,
    } do
      local _, message = pcall(f)
      assert.is_nil(message:find("0123456789abcdef", 1, true))
    end
  end)

  it("never quotes a secret that came as the name of an option", function()
    local secret = "confident_us_org_0123456789abcdef0123456789abcdef"
    local given = { [secret] = true, store = { label = "x", get = function() end, put = function() end } }
    local keys, rotation, store = org.api_keys, confidentai.rotation, confidentai.store
    for what, f in pairs {
      new = function() confidentai.new(given) end, audit = function() client:audit(given) end,
      update = function() keys:update(7, { valid = true }, given) end, create = function() keys:create(given) end,
      disable = function() keys:disable(7, given) end, identify = function() client:identify(secret, given) end,
      contain = function() client:contain(secret, given) end, rotate = function() keys:rotate(7, given) end,
      provision = function() keys:provision("x", given) end, ensure = function() keys:ensure("x", given) end,
      open = function() rotation.open(client, given) end, list = function() rotation.list(given) end,
      history = function() rotation.history(given) end, doctor = function() rotation.doctor(client, given) end,
      file = function() store.file(given) end, env_file = function() store.env_file(given) end,
      exec = function() store.exec(given) end, callback = function() store.callback(given) end,
      start = function() client:start("GET", { "v1" }, nil, given) end,
      field = function() return client[secret] end, key = function() return org[secret] end,
      gather = function() confidentai.gather({}, given) end, scan = function() confidentai.scan("x", given) end,
    } do
      local ok, message = pcall(f)
      assert.is_true(ok or type(message) == "string", what)
      assert.is_nil(tostring(message):find("0123456789abcdef", 1, true), what)
      assert.is_true(not ok or what == "gather" or what == "scan", what .. " takes any option")
    end
  end)

  it("is the client's own credential, whatever its form", function()
    local odd = support.client(service, { api_key = "self-hosted-credential" })
    raises("this is a secret", function() odd:project("self-hosted-credential") end)
    raises("this is a secret", function() odd:organization().api_keys:get("self-hosted-credential") end)
  end)

  it("accepts ids at their limits", function()
    for _, id in ipairs { 999, 2 ^ 53, ("a"):rep(128), "A-Z_az09" } do
      local key, err = org.api_keys:get(id)
      assert.is_nil(key)
      assert.equal(404, err.status)
    end
    assert.equal(("p"):rep(128), client:project(("p"):rep(128)).id)
  end)

  it("is a name that is no text", function()
    raises("bad argument #1 to 'create' (name: a non-empty string is expected)", function() org.api_keys:create("") end)
    raises("bad argument #1 to 'create' (name: string expected, got nil)", function() org.api_keys:create() end)
    raises("bad argument #1 to 'create' (name: string expected, got number)", function() org.api_keys:create(7) end)
    raises("bad argument #1 to 'create' (field 'name' is missing)", function() org.api_keys:create {} end)
    raises("bad argument #1 to 'create' (field 'name': string expected, got number)",
      function() org.api_keys:create { name = 7 } end)
    raises("bad argument #1 to 'create' (unknown field 'nmae')", function() org.api_keys:create { nmae = "x" } end)
    raises("bad argument #1 to 'find' (name: string expected", function() org.api_keys:find(nil) end)
  end)

  it("is a name of broken UTF-8", function()
    for _, name in ipairs { "\255", "a\128", "\192\175", "\237\160\128", "\244\144\128\128", "cut \226\130" } do
      raises("valid UTF-8 is expected", function() org.api_keys:create(name) end)
    end
  end)

  it("is a change that is none", function()
    raises("bad argument #2 to 'update' (table expected, got nil)", function() org.api_keys:update(7) end)
    raises("bad argument #2 to 'update' (field 'valid' is missing)", function() org.api_keys:update(7, {}) end)
    raises("bad argument #2 to 'update' (field 'valid': boolean expected, got string)",
      function() org.api_keys:update(7, { valid = "no" }) end)
    raises("bad argument #2 to 'update' (unknown field 'name')",
      function() org.api_keys:update(7, { valid = true, name = "x" }) end)
  end)

  it("is an option that is none", function()
    raises("bad argument #3 to 'update' (unknown field 'forced')",
      function() org.api_keys:update(7, { valid = false }, { forced = true }) end)
    raises("bad argument #2 to 'disable' (field 'force': boolean expected, got number)",
      function() org.api_keys:disable(7, { force = 1 }) end)
    raises("bad argument #2 to 'delete' (table expected, got boolean)", function() org.api_keys:delete(7, true) end)
  end)

  it("is a self of another kind", function()
    for _, f in ipairs {
      function() org.api_keys.list(org) end, function() org.api_keys.get({}, 7) end,
      function() client.organization(org) end, function() client.projects.list(client) end,
      function() org.get(client) end, function() client.whoami("x") end,
    } do
      raises("on a bad self", f)
    end
    assert.equal(0, #support.requests(service))
  end)

  it("is an assignment to an object", function()
    for _, object in ipairs { client, org, org.api_keys, client.projects, client:project("p") } do
      assert.is_false((pcall(function() object.name = "x" end)))
    end
  end)

  it("raises through check on every Lua", function()
    assert.same({ 1, nil, 3 }, { confidentai.check(1, nil, 3) })
    local _, err = org.api_keys:get(999)
    local ok, message = pcall(confidentai.check, nil, err)
    assert.is_false(ok)
    assert.is_truthy(message:find(tostring(err), 1, true))
  end)
end)
