-- SPDX-License-Identifier: Apache-2.0
-- A state folder that is restored from before a rollback, where no store can be read: the record says that the store
-- holds the new secret, and it holds the old one.

local confidentai = require "confidentai"
local http = require "spec.sandbox.support"
local memory = require "spec.rotation.memory"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("a state folder from before a rollback of a store that can only be written", function()
  local s = scene.register { projects = { "web" } }
  local held, state, rotation

  local function vault()
    return confidentai.store.callback { name = "vault", put = function(secret)
      held = secret
      return true
    end }
  end

  local function begin(adoption)
    held, state = s.service.projects[1].api_key, memory.new()
    rotation = check(s:rotate { store = vault(), old_secret = held, soak = DAY, grace = 7 * DAY, adoption = adoption,
      state_dir = state })
  end

  -- Uses the secret in the store, as its consumer does.
  local function use()
    local answer = http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = held })
    assert.equal(200, answer.status)
  end

  local function copy()
    local made = memory.new()
    for key, bytes in pairs(state.contents) do
      made.cas(key, bytes)
    end
    return made
  end

  -- Advances the restored record, while the consumer continues.
  local function assert_harmless(restored, cause)
    local opening = s:opening { state_dir = restored, stores = { vault() } }
    local old = check(confidentai.rotation.open(s:client(), opening))[1]
    for _, seconds in ipairs { 0, 3600, DAY, 3 * DAY, 8 * DAY } do
      s:pass(seconds)
      use()
      check(old:advance())
      use()
    end
    assert.equal(cause, old:status().cause)
    assert.same({}, s:changes_of "DELETE 1")
  end

  it("does not disable the old key, which is in use, where lastUsed decides", function()
    begin "observe"
    local before = copy()
    check(rotation:rollback())
    use()
    assert_harmless(before, nil)
    assert.same({}, s:changes_of "PUT 1 false")
  end)

  for what, seconds in pairs { disabled = 3602, deleted = 7 * DAY + 2 } do
    it(("does nothing where the rollback has %s the new key"):format(what), function()
      begin "time"
      local before = copy()
      check(rotation:rollback())
      s:pass(3602)
      check(rotation:advance())
      s:pass(seconds)
      check(rotation:advance())
      assert_harmless(before, what == "deleted" and "new_gone" or "new_disabled")
      assert.same({}, s:changes_of "PUT 1 false")
    end)
  end

  it("does nothing where the rollback has enabled the old key", function()
    begin "time"
    s:pass(DAY + 2)
    assert.equal("grace", (rotation:advance()))
    local before = copy()
    check(rotation:rollback())
    assert_harmless(before, "old_enabled")
  end)
end)
