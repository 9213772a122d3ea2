-- SPDX-License-Identifier: Apache-2.0
-- What a store may hold when its secret is replaced: nothing, or one key and not a character more.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"

local check = confidentai.check

describe("a file that holds more than a key is not replaced as a whole:", function()
  local s = scene.register { projects = { "web" } }

  local function holds(text)
    s:write("app.env", text)
    return confidentai.store.file { path = s:path "app.env" }
  end

  local function provision(store, more)
    local options = s:options(more)
    options.soak, options.grace, options.store = nil, nil, store
    local key, err = s:keys():provision("svc", options)
    return key, err
  end

  -- The three that write stores, each with its own way to allow another content.
  local function rotate(store, more)
    local given = { store = store }
    for name, value in pairs(more or {}) do
      given[name] = value
    end
    local rotation, err = s:rotate(given)
    return rotation, err
  end

  local function ensure(store)
    local result, err = s:keys():ensure("svc", { store = store, adopt = 1, clock = s.clock, pause = s.pause,
      random = s.random })
    return result, err
  end

  local function assert_refused(act, text, words, more)
    local result, err = act(holds(text), more)
    assert.is_nil(result)
    assert.equal("guard", err.kind)
    assert.equal("not_applied", err.outcome)
    assert.matches(words, err.message, 1, true)
    s:assert_no_secret(tostring(err))
    assert.equal(text, s:read "app.env")
    assert.same({}, s:changes())
  end

  it("a .env file, by whatever verb, and the store that is meant is named", function()
    local secret = s.service.projects[1].api_key
    for _, text in ipairs {
      "PORT=80\nCONFIDENT_API_KEY=" .. secret, -- ends in the key's last characters
      "# app\nexport CONFIDENT_API_KEY='" .. secret .. "'\nPORT=80\n",
      "A=1\r\nCONFIDENT_API_KEY=" .. secret .. "\r\n",
    } do
      local words = ("looks like a .env file, which would be lost: use env_file:%s:CONFIDENT_API_KEY"):format(
        s:path "app.env")
      assert_refused(rotate, text, words)
      assert_refused(rotate, text, words, { replace_store = true })
      assert_refused(provision, text, words)
      assert_refused(provision, text, words, { replace_store = true })
      assert_refused(ensure, text, words)
    end
    assert_refused(provision, "A=1\nB=2\n", "app.env:A", { replace_store = true })
  end)

  it("one with a single variable, unless that is wished", function()
    local text = "CONFIDENT_API_KEY=" .. s.service.projects[1].api_key .. "\n"
    assert_refused(rotate, text, "looks like a .env file")
    assert_refused(ensure, text, "looks like a .env file")
    check(rotate(holds(text), { replace_store = true }))
    assert.equal("2", s:holder("app.env").id)
  end)

  it("any other text that ends in the key", function()
    for _, before in ipairs { "key: ", "old\n", "\t", "{\"x\":", "confident_us_proj_" } do
      local text = before .. s.service.projects[1].api_key
      assert_refused(rotate, text, "does not hold the secret of key 1")
      assert_refused(provision, text, "holds something already")
      assert_refused(ensure, text, "holds something that is not the secret of a key")
    end
  end)

  it("the secret of the old key that was given is that word and nothing else, too", function()
    local secret = s.service.projects[1].api_key
    assert_refused(function(store, more)
      local rotation, err = rotate(store, more)
      return rotation, err
    end, secret .. "\n", "must be that word and nothing else", { old_secret = "KEY=" .. secret })
  end)
end)

describe("what is empty holds nothing:", function()
  local s = scene.register { projects = { "web" } }

  local function options(store)
    local given = s:options()
    given.soak, given.grace, given.store = nil, nil, store
    return given
  end

  for what, text in pairs { ["an empty file"] = "", ["a line end"] = "\n", ["blanks"] = " \t\r\n" } do
    it(what, function()
      s:write("key", text)
      check(s:keys():provision("svc", options(confidentai.store.file { path = s:path "key" })))
      local _, by_id = s:on_service()
      assert.equal(by_id["2"].value, s:read "key":match "^%S+")
    end)
  end

  for _, line in ipairs { "KEY=", "KEY=''", 'export KEY=""' } do
    it("the variable in " .. line, function()
      s:write(".env", "A=1\n" .. line .. "\nB=2\n")
      local store = confidentai.store.env_file { path = s:path ".env", variable = "KEY" }
      check(s:keys():provision("svc", options(store)))
      assert.matches("A=1\n" .. line:gsub("['\"]*$", "") .. "['\"]?confident_us_proj_", s:read ".env")
      s:write(".env", "A=1\n" .. line .. "\nB=2\n")
      assert.equal("created", check(s:keys():ensure("job", { store = store, clock = s.clock, pause = s.pause,
        random = s.random })).action)
    end)
  end

  it("and a rollback leaves it as it was, not missing", function()
    s:write("key", "")
    local store = confidentai.store.callback { name = "broken", get = function() return false end,
      put = function() return nil, "no room", "failed" end }
    local given = options { confidentai.store.file { path = s:path "key" }, store }
    assert.is_nil((s:keys():provision("svc", given)))
    assert.equal("", s:read "key")
  end)
end)
