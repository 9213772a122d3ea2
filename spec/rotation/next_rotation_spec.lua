-- SPDX-License-Identifier: Apache-2.0
-- The next rotation of a key ends the grace of the one before. One that failed to begin had ended it for good: the key
-- that is the way back was deleted, or the record said that it was not to be kept.

local confidentai = require "confidentai"
local memory = require "spec.rotation.memory"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("the next rotation of a key", function()
  local s = scene.register { projects = { "web" } }
  local state, rotation

  local function begin(id)
    local next_one, err = s:rotate { id = id, store = s:store("key", false), soak = DAY, grace = 7 * DAY,
      adoption = "time", state_dir = state }
    return next_one, err
  end

  local function fail(id, words)
    local before = s:changes()
    local next_one, err = begin(id)
    assert.is_nil(next_one)
    support.assert_error({ state = "planned", outcome = "not_applied" }, err)
    assert.matches(words, err.message)
    assert.same(before, s:changes())
  end

  -- The grace continues to its end.
  local function assert_kept(id)
    assert.equal(7 * DAY, rotation:status().options.grace)
    local current, wait = rotation:advance()
    assert.equal("grace", current, rotation:status().reason)
    assert.is_true(wait > 0)
    s:pass(6 * DAY)
    assert.equal("grace", (rotation:advance()))
    assert.same({}, s:changes_of("DELETE " .. id))
    s:pass(DAY + 2)
    local ended = rotation:advance()
    assert.is_true(ended == "done" or ended == "aborted", rotation:status().reason)
    assert.same({ "DELETE " .. id }, s:changes_of("DELETE " .. id))
  end

  before_each(function()
    state = memory.new()
    s:store()
    rotation = check(begin(1))
    s:pass(DAY + 2)
  end)

  describe("changes nothing of the one before, where it does not begin", function()
    before_each(function()
      assert.equal("grace", (rotation:advance()))
    end)

    it("as the old key was enabled", function()
      check(s:keys():enable(1))
      fail(2, "cannot be ended: another process or person has enabled the old key again")
      check(s:keys():disable(1))
      assert_kept "1"
    end)

    it("as the old key was used", function()
      s:fault { type = "record", target = 1, times = -1, fields = { lastUsed = '"2999-01-01T00:00:00Z"' } }
      fail(2, "cannot be ended: the old key was used after it was disabled")
      assert(s.service:clear_faults())
      assert_kept "1"
    end)

    it("as there is no room for its secret", function()
      local reserve = state.reserve
      state.reserve = function() return nil, "the disk is full" end
      fail(2, "the disk is full")
      state.reserve = reserve
      assert_kept "1"
    end)
  end)

  it("leaves nothing in the state folder, where it does not begin", function()
    state = s:path "state"
    s:store()
    check(begin(1))
    s:pass(DAY + 2)
    assert.equal("grace", (s:open():advance()))
    check(s:keys():enable(1))
    local before = s:state_files()
    assert.is_nil((begin(3)))
    assert.same(before, s:state_files())
  end)

  it("changes nothing of a rollback, where it does not begin", function()
    assert.equal("grace", (rotation:advance()))
    check(rotation:rollback { now = true })
    assert.equal("grace", (rotation:advance()))
    s:fault { type = "record", target = 2, times = -1, fields = { lastUsed = '"yesterday"' } }
    fail(1, "cannot be ended: key 2 is not deleted")
    assert(s.service:clear_faults())
    assert_kept "2"
  end)

  it("ends the grace, where it begins", function()
    assert.equal("grace", (rotation:advance()))
    assert.equal("soaking", check(begin(2)).state)
    assert.same({ "DELETE 1" }, s:changes_of "DELETE 1")
  end)
end)
