-- SPDX-License-Identifier: Apache-2.0
-- The instant at which the old key is disabled: the new one was proven within the last minute, is proven once more
-- after it, and it is on record who disabled the old one.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("disabling the old key", function()
  local s = scene.register { projects = { "web" } }

  -- Requests that ended with a status, by what they asked: "PUT", or "proof" with its seconds.
  local function puts()
    local count = 0
    for _, entry in ipairs(assert(s.service:log())) do
      count = count + ((entry.method == "PUT" and entry.by ~= "somebody") and 1 or 0)
    end
    return count
  end

  -- Each PUT of ours comes at most a minute after the new key was accepted.
  local function assert_proven_before_each()
    local proven
    for _, entry in ipairs(assert(s.service:log())) do
      if entry.operation == "annotation_queues" and entry.status == 200 and entry.credential.id ~= 1 then
        proven = entry.time
      elseif entry.method == "PUT" then
        assert.is_true(proven ~= nil and entry.time - proven <= 61, "a change without a fresh proof")
        proven = nil -- the next attempt needs one of its own
      end
    end
  end

  it("is sent once for each proof, though the client retries", function()
    s:fault { type = "status", method = "PUT", status = 503, times = 2 }
    local rotation = check(s:rotate({ grace = DAY }, s:client { max_retries = 3 }))
    assert.equal("grace", rotation.state)
    assert.equal(3, puts())
    assert_proven_before_each()
  end)

  it("is not sent once the proof is older than a minute", function()
    local late
    local rotation = check(s:rotate { grace = DAY, on_step = function(event)
      if event.what == "disabling the old key" and not late then
        late = puts()
        s:pass(120) -- a disk that takes its time
      end
    end })
    assert.equal("grace", rotation.state)
    assert.equal(0, late)
    assert.equal(1, puts())
    assert_proven_before_each()
  end)

  it("is taken back at once when the service refuses the new key then", function()
    s:fault { type = "edit", change = "disable", target_name = "~g1~", when = "after", method = "PUT" }
    local _, err = s:rotate { grace = DAY }
    assert.matches("the service refuses the new key, so that the old one was enabled again", err.message)
    local _, by_id = s:on_service()
    assert.same({ true, false }, { by_id["1"].valid, by_id["2"].valid })
    local rotation = s:open()
    assert.equal("conflict", (rotation:advance()))
    assert.same({ true, false }, { by_id["1"].valid, by_id["2"].valid })
    check(s:keys():enable(2))
    assert.equal("grace", (rotation:advance()))
    assert.same({ "PUT 1 false", "PUT 1 false" }, s:changes_of "PUT 1 false")
  end)

  it("is taken back when its answer is lost and the new key is refused", function()
    s:fault { type = "edit", change = "disable", target_name = "~g1~", when = "after", method = "PUT" }
    s:fault { type = "lost_answer", method = "PUT" }
    s:rotate { grace = DAY }
    local rotation = s:open()
    rotation:advance()
    assert.equal("conflict", (rotation:advance()))
    local _, by_id = s:on_service()
    assert.is_true(by_id["1"].valid)
  end)

  it("is taken back when it takes effect late and the new key is refused by then", function()
    s:fault { type = "late_commit", method = "PUT", clock_seconds = 8 }
    local _, err = s:rotate { grace = DAY }
    support.assert_error({ kind = "network" }, err)
    check(s:keys():disable(2))
    s:pass(9)
    local rotation = s:open()
    assert.equal("conflict", (rotation:advance()))
    local _, by_id = s:on_service()
    assert.is_true(by_id["1"].valid)
  end)

  it("never enables a key again that is compromised", function()
    s:fault { type = "edit", change = "disable", target_name = "~g1~", when = "after", method = "PUT" }
    local _, err = s:rotate { compromised = true }
    assert.matches("the old one stays disabled", err.message)
    local _, by_id = s:on_service()
    assert.is_false(by_id["1"].valid)
  end)

  it("never enables a key again that others disabled", function()
    local rotation = check(s:rotate { soak = DAY, grace = DAY, adoption = "time" })
    check(s:keys():disable(1))
    s:fault { type = "edit", change = "disable", target_name = "~g1~", operation = "get", when = "after", skip = 3 }
    assert.equal("conflict", (rotation:advance()))
    assert.matches("the old one stays disabled", rotation:status().reason)
    local _, by_id = s:on_service()
    assert.is_false(by_id["1"].valid)
  end)
end)
