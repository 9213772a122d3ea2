-- SPDX-License-Identifier: Apache-2.0
-- Options of everything that rotates: what is wrong with one raises, at the line of whoever gave it, before anything is
-- asked of the service.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"

describe("options", function()
  local s = scene.register { projects = { "web" } }
  local keys, client, functions

  before_each(function()
    client = s:client()
    keys = s:keys("project", client)
    -- Each calls in this file, with an assignment behind it: a tail call would not show its line.
    functions = {
      rotate = function(options) local r = keys:rotate(1, options) return r end,
      provision = function(options) local r = keys:provision("new", options) return r end,
      ensure = function(options) local r = keys:ensure("new", options) return r end,
      open = function(options) local r = confidentai.rotation.open(client, options) return r end,
      doctor = function(options) local r = confidentai.rotation.doctor(client, options) return r end,
    }
  end)

  local function assert_raises(name, options, words)
    local ok, message = pcall(functions[name], options)
    assert.is_false(ok, ("%s: %s"):format(name, words))
    assert.matches("^[^:]*rotation/options_spec%.lua:%d+: bad argument #%d to '" .. name .. "' %(", message)
    assert.is_truthy(message:find(words, 1, true), message)
  end

  local function with_store(options)
    options.store = options.store or confidentai.store.file { path = s:path "key" }
    return options
  end

  after_each(function()
    assert.equal(0, #assert(s.service:log()))
    assert.same({}, s:state_files())
  end)

  it("are known", function()
    for _, name in ipairs { "rotate", "provision", "ensure" } do
      assert_raises(name, with_store { stor = 1 }, "unknown option 'stor'")
      assert_raises(name, with_store { stores = {} }, "unknown option 'stores'")
    end
    assert_raises("provision", with_store { soak = 1 }, "unknown option 'soak'")
    assert_raises("ensure", with_store { state_dir = "/x" }, "unknown option 'state_dir'")
    assert_raises("open", { store = {} }, "unknown option 'store'")
    assert_raises("doctor", { old_secret = "x" }, "unknown option 'old_secret'")
    assert_raises("doctor", { [1] = "x" }, "unknown option '1'")
  end)

  it("are a table", function()
    for name in pairs(functions) do
      assert_raises(name, "x", "table expected, got string")
    end
    for _, name in ipairs { "rotate", "provision", "ensure" } do
      assert_raises(name, nil, "option 'store' is missing")
      assert_raises(name, {}, "option 'store' is missing")
    end
  end)

  it("have the right types", function()
    local wrong = {
      soak = "1", soak_max = {}, grace = true, adoption = 1, state_dir = 7, base = 7, old_secret = {}, replace = 1,
      compromised = "yes", replace_store = 0, require_other_manager = true, dry_run = "x", settle = "60", on_step = {},
      clock = 7, pause = true, random = "x",
    }
    for option, value in pairs(wrong) do
      assert_raises("rotate", with_store { [option] = value }, ("option '%s': "):format(option))
    end
    for option, value in pairs { max_age = "1", adopt = true, manager_store = "x", soak = false } do
      assert_raises("ensure", with_store { [option] = value }, ("option '%s': "):format(option))
    end
    for option, value in pairs { stores = "x", old_secret = 7, on_step = 1 } do
      assert_raises("open", { [option] = value }, ("option '%s': "):format(option))
    end
    assert_raises("doctor", { fix = "all" }, "option 'fix': table expected, got string")
    assert_raises("provision", with_store { replace_store = "x" }, "option 'replace_store': boolean expected")
    assert_raises("rotate", with_store { state_dir = 7 }, "string or table expected, got number")
  end)

  it("have values that mean something", function()
    for _, option in ipairs { "soak", "soak_max", "grace", "settle" } do
      for _, value in ipairs { -1, 0 / 0, math.huge, 1e12 } do -- 1e12: found by fuzzing, no day could be named
        assert_raises("rotate", with_store { [option] = value }, ("option '%s': seconds from 0"):format(option))
      end
    end
    assert_raises("ensure", with_store { max_age = -1 }, "option 'max_age': seconds from 0")
    assert_raises("rotate", with_store { adoption = "never" }, [["observe", "time" or "confirm" is expected]])
    assert_raises("rotate", with_store { base = "" }, "option 'base'")
    assert_raises("rotate", with_store { base = "\255" }, "option 'base'")
  end)

  it("name stores", function()
    for _, name in ipairs { "rotate", "provision", "ensure" } do
      assert_raises(name, { store = "x" }, "option 'store': table expected")
      assert_raises(name, { store = {} }, "a store or an array of stores is expected")
      assert_raises(name, { store = { {} } }, "a store of confidentai.store is expected")
      assert_raises(name, { store = { confidentai.store.file { path = s:path "key" }, "x" } },
        "a store of confidentai.store is expected")
    end
    assert_raises("ensure", with_store { manager_store = {} }, "option 'manager_store'")
    assert_raises("open", { stores = { {} } }, "option 'stores'")
  end)

  it("never show what they hold", function()
    local secret = s.service.projects[1].api_key
    for _, option in ipairs { "adoption", "soak" } do
      local _, message = pcall(functions.rotate, with_store { [option] = secret })
      assert.is_nil(message:find(secret:sub(-24), 1, true))
    end
  end)

  it("come after a key that can be one", function()
    for _, id in ipairs { 0, -1, 1.5, "", "a/b", {}, false } do
      local ok, message = pcall(function() local r = keys:rotate(id, with_store {}) return r end)
      assert.is_false(ok)
      assert.matches("rotation/options_spec%.lua:%d+: bad argument #1 to 'rotate'", message)
    end
    for _, method in ipairs { "provision", "ensure" } do
      for _, name in ipairs { "", 7, "\255" } do
        local ok, message = pcall(function() local r = keys[method](keys, name, with_store {}) return r end)
        assert.is_false(ok)
        assert.matches("rotation/options_spec%.lua:%d+: bad argument #1 to '" .. method .. "'", message)
      end
    end
    assert.is_false((pcall(keys.rotate, client, 1, with_store {})))
    assert.is_false((pcall(confidentai.rotation.open, keys, {})))
    assert.is_false((pcall(confidentai.rotation.doctor, {}, {})))
  end)
end)
