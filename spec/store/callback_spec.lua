-- SPDX-License-Identifier: Apache-2.0
local callback = require "confidentai.store.callback"

local SECRET = "confident_us_org_s3cr3t0123456789abcdef"
local HIDDEN = "s3cr3t0123456789"

describe("a callback store", function()
  local function nothing() end

  local function putting(put)
    return callback.new { name = "mine", put = put }
  end

  local function getting(get)
    return callback.new { name = "mine", put = nothing, get = get }
  end

  -- The message and certainty of a put that fails.
  local function fails(put)
    local stored, message, certainty = putting(put):put(SECRET)
    assert.is_nil(stored)
    assert.is_nil(message:find(HIDDEN, 1, true), message)
    return message, certainty
  end

  it("stores by its function, and gives back what was stored", function()
    local kept
    local store = callback.new { name = "mine", put = function(secret) kept = secret return true end,
      get = function() return kept or false end }
    assert.is_true(store:preflight())
    assert.is_false(store:get())
    assert.is_true(store:put(SECRET))
    assert.equal(SECRET, kept)
    assert.equal(SECRET, store:get())
    assert.is_true(store:put(false))
    assert.is_nil(kept)
    assert.is_false(store:get())
  end)

  it("hands on the message of a put that failed, and what that knows", function()
    assert.same({ "callback:mine: its put failed: disk full", "unknown" },
      { fails(function() return nil, "disk full" end) })
    assert.same({ "callback:mine: its put failed: no", "failed" },
      { fails(function() return false, "no", "failed" end) })
    assert.same({ "callback:mine: its put failed: no", "unknown" },
      { fails(function() return nil, "no", "perhaps" end) })
  end)

  it("takes only true for success", function()
    assert.same({ "callback:mine: its put failed: it returned neither true nor a message", "unknown" },
      { fails(nothing) })
    assert.same({ "callback:mine: its put returned a string, where true is expected", "unknown" },
      { fails(function(secret) return secret end) })
  end)

  it("catches what is raised, and covers the secret in it", function()
    local message, certainty = fails(function(secret) error("cannot store " .. secret, 0) end)
    assert.matches("^callback:mine: its put raised an error: cannot store %*+abcdef$", message)
    assert.equal("unknown", certainty)
    assert.matches("failed: %*+abcdef$", (fails(function(secret) return nil, secret end)))
    local odd = setmetatable({}, { __tostring = function() error "within" end })
    assert.equal("callback:mine: its put raised an error", (fails(function() error(odd) end)))
    assert.equal("callback:mine: its put raised an error", (fails(function() error() end)))
    local object = setmetatable({}, { __tostring = function() return "an object" end })
    assert.equal("callback:mine: its put failed: an object", (fails(function() return nil, object end)))
  end)

  it("shortens long messages", function()
    assert.is_true(#fails(function() return nil, ("ä"):rep(1000) end) < 450)
  end)

  it("cannot tell what its get does not", function()
    for words, get in pairs {
      ["its get failed: locked"] = function() return nil, "locked" end,
      ["its get failed"] = nothing,
      ["its get raised an error: no way"] = function() error("no way", 0) end,
      ["its get returned a number, where a string, false or nil is expected"] = function() return 7 end,
      ["its get returned a boolean, where a string, false or nil is expected"] = function() return true end,
    } do
      local store = getting(get)
      assert.same({ nil, "callback:mine: " .. words }, { store:get() })
      assert.same({ nil, "callback:mine: " .. words }, { store:preflight() })
    end
    assert.is_false(getting(function() return "" end):get())
    assert.same({ nil, "callback:mine: cannot be read, as it has no get" }, { putting(nothing):get() })
  end)

  it("lets its functions yield where the host can", function()
    if _VERSION == "Lua 5.1" and not jit then
      return -- nothing yields through pcall there
    end
    local store = callback.new { name = "mine", put = function() return coroutine.yield("put") end,
      get = function() return coroutine.yield("get") end }
    local co = coroutine.wrap(function()
      local stored = store:put(SECRET)
      local text = store:get()
      return stored, text
    end)
    assert.equal("put", co())
    assert.equal("get", co(true))
    assert.same({ true, "text" }, { co("text") })
  end)

  it("tells what it is, and cannot be written down", function()
    local store = getting(nothing)
    assert.equal("callback", store.kind)
    assert.equal("callback:mine", store.label)
    assert.is_true(store.readable)
    assert.is_nil(store.spec)
    assert.is_false(putting(nothing).readable)
    assert.equal("confidentai.store callback:mine", tostring(store))
  end)

  it("raises about options that are none, at the caller's line", function()
    for words, options in pairs {
      ["(field 'name' is missing)"] = { put = nothing },
      ["(field 'put' is missing)"] = { name = "mine" },
      ["(unknown field 'set')"] = { name = "mine", set = nothing },
      ["(field 'put': function expected, got string)"] = { name = "mine", put = "x" },
      ["(field 'get': function expected, got boolean)"] = { name = "mine", put = nothing, get = true },
      ["(field 'name': a text of one line is expected)"] = { name = "", put = nothing },
    } do
      local ok, message = pcall(function() callback.new(options) end)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'callback' " .. words, message, 1, true)
      assert.matches("store/callback_spec.lua", message, 1, true)
    end
  end)
end)
