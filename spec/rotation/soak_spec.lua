-- SPDX-License-Identifier: Apache-2.0
-- When the old key may go: what counts as evidence that the new one has been taken over, and what does not.

local confidentai = require "confidentai"
local http = require "spec.sandbox.support"
local scene = require "spec.rotation.scene"

local check, HOUR, DAY = confidentai.check, 3600, 86400

describe("the soak", function()
  local s = scene.register { projects = { "web" } }
  local secret

  -- Somebody uses a key.
  local function use(value)
    local answer = http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = value })
    assert.equal(200, answer.status)
  end

  local function begin(more)
    local options = { soak = DAY, grace = DAY }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    local rotation = check(s:rotate(options))
    assert.equal("soaking", rotation.state)
    secret = { old = s.service.projects[1].api_key, new = s:holder().value }
    return rotation
  end

  -- Advances once: the state, and why it is still that.
  local function look(rotation)
    local state, wait = rotation:advance()
    if state == "soaking" then
      assert.is_true(wait > 0 and wait <= HOUR, tostring(wait))
    end
    return state, rotation:status().evidence
  end

  local function assert_soaking(rotation, words)
    local state, evidence = look(rotation)
    assert.equal("soaking", state, tostring(rotation:status().reason))
    assert.is_truthy(evidence:find(words, 1, true), evidence)
  end

  -- Somebody has used the old key in the last weeks.
  local function in_use()
    use(s.service.projects[1].api_key)
    s:pass(HOUR)
  end

  describe("with observation", function()
    it("ends when the new key is used, and the old one has not been for so long", function()
      in_use()
      local rotation = begin()
      assert_soaking(rotation, "only this rotation has used the new key")
      s:pass(HOUR)
      use(secret.new)
      use(secret.old)
      s:pass(DAY - HOUR + 2)
      assert_soaking(rotation, "the old key was used less than 1 day ago")
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)

    it("goes on when the old key is used before it could be disabled", function()
      in_use()
      local rotation = begin()
      use(secret.new)
      s:fault { type = "status", method = "PUT", status = 503 }
      s:pass(DAY + 2)
      assert.is_nil((rotation:advance()))
      assert.equal("disabled", rotation.state)
      s:pass(5 * DAY)
      use(secret.old)
      assert_soaking(rotation, "the old key was used less than 1 day ago")
      local _, by_id = s:on_service()
      assert.is_true(by_id["1"].valid)
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)

    it("goes on as long as the old key is used", function()
      in_use()
      local rotation = begin()
      s:pass(10)
      use(secret.new)
      for _ = 1, 5 do
        s:pass(DAY / 2)
        use(secret.old)
        assert_soaking(rotation, "the old key was used")
      end
      s:pass(DAY + 10)
      assert.equal("grace", (look(rotation)))
    end)

    it("does not take its own proof for a use", function()
      in_use()
      local rotation = begin()
      s:pass(5 * DAY)
      use(secret.old)
      assert_soaking(rotation, "only this rotation has used the new key")
      rotation = s:open()
      assert_soaking(rotation, "only this rotation has used the new key")
    end)

    it("stalls at last, and says what to do", function()
      in_use()
      local rotation = begin { soak_max = 10 * DAY }
      s:pass(10 * DAY + 2)
      use(secret.old)
      assert.equal("stalled", (look(rotation)))
      local status = s:open():status()
      assert.equal("stalled", status.stop)
      assert.matches("nothing shows that the consumers use the new key", status.reason)
      assert.matches("find out who still uses the old key", status.text)
      assert.matches("rotate confirm %w+ && confidentai rotate advance .*rotate rollback", status.text)
      assert.equal("stalled", (look(rotation)))
      check(rotation:confirm())
      assert.equal("grace", (look(rotation)))
    end)

    it("that has stalled goes on when the evidence comes", function()
      in_use()
      local rotation = begin { soak_max = 2 * DAY }
      s:pass(2 * DAY + 2)
      assert.equal("stalled", (look(rotation)))
      s:pass(2) -- the look was a use by this rotation, which hides those of the same second
      use(secret.new)
      s:pass(5)
      assert.equal("grace", (look(rotation)))
    end)

    it("counts the time alone for a key that nobody had used", function()
      local rotation = begin()
      assert_soaking(rotation, "the old key had not been used for 30 days: the soak is not over")
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)

    it("does not count the time alone once that key is used", function()
      local rotation = begin()
      s:pass(DAY / 2)
      use(secret.old)
      s:pass(DAY / 2 + 2)
      assert_soaking(rotation, "only this rotation has used the new key")
      s:pass(2)
      use(secret.new)
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)

    it("counts the time alone for a key that was last used long ago", function()
      use(s.service.projects[1].api_key)
      s:pass(31 * DAY)
      local rotation = begin()
      assert_soaking(rotation, "the old key had not been used for 30 days")
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)
  end)

  describe("where lastUsed", function()
    -- Nothing but a person can end the soak: once it is over, the rotation stops and says so.
    local function assert_stalls(rotation, words, after)
      s:pass(after or DAY + 2)
      assert.equal("stalled", (look(rotation)))
      assert.is_truthy(rotation:status().reason:find(words, 1, true), rotation:status().reason)
      assert.same({}, s:changes_of "PUT 1 false")
      check(rotation:confirm())
      assert.equal("grace", (look(rotation)))
    end

    it("is never shown, does not count the time alone", function()
      in_use()
      local rotation = begin()
      assert(s.service:set { last_used = "never" })
      assert_soaking(rotation, "lastUsed does not show our own use of the new key yet")
      assert_stalls(rotation, "lastUsed does not show our own use of the new key")
    end)

    it("is never shown, does not count the time alone for a key that seems unused, either", function()
      assert(s.service:set { last_used = "never" })
      assert_stalls(begin(), "lastUsed does not show our own use of the new key")
    end)

    it("does not show our proof of the new key, does not count the time alone", function()
      in_use()
      assert(s.service:set { last_used = "late", last_used_delay = 10 * DAY })
      local rotation = begin()
      assert_soaking(rotation, "lastUsed does not show our own use of the new key yet")
      s:pass(700)
      assert_soaking(rotation, "lastUsed does not show our own use of the new key: only a person can confirm")
      assert_stalls(rotation, "lastUsed does not show our own use of the new key")
    end)

    it("comes a little late, is evidence", function()
      in_use()
      assert(s.service:set { last_used = "late", last_used_delay = 120 })
      local rotation = begin()
      s:pass(HOUR)
      use(secret.new)
      assert_soaking(rotation, "only this rotation has used the new key")
      s:pass(DAY)
      assert.equal("grace", (look(rotation)))
    end)

    it("lies in the future, does not count the time alone", function()
      in_use()
      assert(s.service:set { last_used = "future" })
      local rotation = begin()
      assert_soaking(rotation, "lastUsed lies in the future")
      s:pass(DAY + 2)
      assert_soaking(rotation, "only this rotation has used the new key") -- that was our own proof
      use(secret.new)
      assert_stalls(rotation, "lastUsed lies in the future", 0)
    end)

    it("of the new key is no evidence, still shows that the old one is in use", function()
      in_use()
      local rotation = begin()
      assert(s.service:set { last_used = "future" })
      s:pass(DAY + 2)
      use(secret.old)
      use(secret.new)
      assert_soaking(rotation, "the old key was used less than 1 day ago")
      s:pass(DAY / 2)
      use(secret.new)
      assert_soaking(rotation, "the old key was used less than 1 day ago")
      assert.same({}, s:changes_of "PUT 1 false")
    end)

    it("did not move between two looks, is not said to have moved", function()
      in_use()
      local rotation = begin()
      s:pass(60)
      look(rotation)
      for _, event in ipairs(rotation:status().history) do
        assert.is_nil(event.what:find("has moved", 1, true), event.what)
      end
      use(secret.old)
      look(rotation)
      local history = rotation:status().history
      assert.equal("the old key's lastUsed has moved", history[#history].what)
    end)

    it("was looked at only once, is no evidence", function()
      in_use()
      local rotation = begin()
      s:edit(function(record) record.old_use = nil end) -- killed before the first look
      s:pass(10)
      use(secret.new)
      s:pass(DAY + 2)
      assert_soaking(rotation, "the old key has not been watched for 1 day yet")
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)
  end)

  it("by time alone asks for no evidence", function()
    in_use()
    local rotation = begin { adoption = "time" }
    use(secret.old)
    assert_soaking(rotation, "the time alone counts: the soak is not over")
    s:pass(DAY + 2)
    use(secret.old)
    assert.equal("grace", (look(rotation)))
  end)

  it("by confirmation waits for nothing else", function()
    in_use()
    local rotation = begin { adoption = "confirm" }
    use(secret.new)
    s:pass(5 * DAY)
    assert_soaking(rotation, "a person must confirm it")
    check(s:open():confirm())
    assert.equal("grace", (look(rotation)))
  end)

  it("can be confirmed in any mode", function()
    in_use()
    local rotation = begin()
    check(rotation:confirm())
    assert.equal("grace", (look(rotation)))
  end)

  it("of the client's own key takes its own work for no evidence", function()
    local rotation = check(s:rotate_self { soak = DAY, grace = DAY })
    assert.equal("soaking", rotation.state)
    s:pass(HOUR)
    assert_soaking(rotation, "the new key does the rotation's own work, so its use is not evidence")
    s:pass(DAY)
    assert.equal("grace", (look(rotation)))
  end)

  it("is skipped after an incident", function()
    in_use()
    local rotation = check(s:rotate { soak = DAY, grace = 7 * DAY, compromised = true })
    assert.equal("done", rotation.state)
    assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
  end)

  describe("with clocks that disagree", function()
    it("counts the fewer seconds: the service's is ahead", function()
      local rotation = begin { adoption = "time" }
      assert(s.service:set_clock(s.ahead + 10 * DAY))
      assert_soaking(rotation, "the soak is not over")
      assert.matches("the fewer count", rotation:status().text)
      s:pass(0)
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
      assert.is_nil(rotation:status().doubt)
    end)

    it("counts the fewer seconds: this machine's is ahead", function()
      local rotation = begin { adoption = "time" }
      s.ahead = s.ahead + 10 * DAY -- and not the service's
      assert_soaking(rotation, "the soak is not over")
      assert.matches("by this machine's clock 86400%d s have passed, by the service's %d+ s", rotation:status().doubt)
      rotation = s:open()
      assert_soaking(rotation, "the soak is not over")
      assert(s.service:set_clock(DAY + 2))
      assert.equal("grace", (look(rotation)))
      s.ahead = s.ahead + DAY + 2
      assert(s.service:set_clock(2 * DAY + 4))
      assert.equal("done", (look(rotation)))
    end)

    it("does not stand still when this machine's was ahead at the start and is right now", function()
      s.ahead = 40 * DAY -- and not the service's
      local rotation = begin { adoption = "time" }
      s.ahead = 0
      assert_soaking(rotation, "the soak is not over")
      s:pass(DAY + 2)
      s.ahead = s.ahead + 40 * DAY -- wrong again, when the grace begins
      assert.equal("grace", (look(rotation)))
      s.ahead = s.ahead - 40 * DAY
      assert.equal("grace", (look(rotation)))
      assert.matches("the service's count", rotation:status().doubt)
      s:pass(DAY + 2)
      assert.equal("done", (look(rotation)))
    end)

    it("is not ended by a clock that goes backwards", function()
      local rotation = begin { adoption = "time" }
      s.ahead = -40 * DAY
      assert_soaking(rotation, "the soak is not over")
      s.ahead = 0
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
    end)
  end)

  describe("over, and the old key", function()
    it("is not deleted when somebody has used it after it was disabled", function()
      in_use()
      local rotation = begin { adoption = "time" }
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
      check(s:keys():enable(1))
      s:pass(600)
      use(secret.old)
      check(s:keys():disable(1))
      s:pass(DAY + 2)
      assert.equal("conflict", (look(rotation)))
      assert.matches("the old key was used after it was disabled",
        rotation:status().reason)
      check(rotation:confirm())
      assert.equal("done", (look(rotation)))
    end)

    it("is shown to be refused, where its secret is held", function()
      local rotation = begin { adoption = "time" }
      s:pass(DAY + 2)
      assert.equal("grace", (look(rotation)))
      local last = rotation:status().history
      assert.equal("disabled, and refused", last[#last].what)
      local refused = 0
      for _, entry in ipairs(assert(s.service:log())) do
        refused = refused + (entry.operation == "annotation_queues" and entry.status == 401 and 1 or 0)
      end
      assert.equal(1, refused)
    end)
  end)
end)
