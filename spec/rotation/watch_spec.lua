-- SPDX-License-Identifier: Apache-2.0
-- While a rotation soaks, and while it keeps the old key: whatever others do to the new key or to a store is told at
-- the next look, not days later.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"

local check, HOUR, DAY = confidentai.check, 3600, 86400

describe("a look at a rotation", function()
  local s = scene.register { projects = { "web" } }

  local function reach(state)
    local rotation = check(s:rotate { soak = 10 * DAY, grace = 10 * DAY, adoption = "time" })
    if state == "grace" then
      s:pass(10 * DAY + 2)
      assert.equal("grace", (rotation:advance()))
    end
    return rotation
  end

  local function assert_told(rotation, words)
    local state, wait = rotation:advance()
    assert.equal("conflict", state)
    assert.is_nil(wait)
    assert.is_truthy(rotation:status().reason:find(words, 1, true), rotation:status().reason)
    assert.equal("stopped", s:open():status().attention)
  end

  for _, state in ipairs { "soaking", "grace" } do
    describe("in its " .. state, function()
      local rotation, secret

      before_each(function()
        rotation = reach(state)
        secret = s:read "key"
      end)

      it("tells that the new key was disabled", function()
        check(s:keys():disable(2))
        assert_told(rotation, "another process or person has disabled the new key, which the stores hold")
        check(s:keys():enable(2))
        assert.equal(state, (rotation:advance()))
      end)

      it("tells that the new key was deleted", function()
        check(s:keys():delete(2))
        assert_told(rotation, "another process or person has deleted the new key, which the stores hold")
      end)

      it("tells that a store holds something else", function()
        local old = s.service.projects[1].api_key
        for _, content in ipairs { old .. "\n", "confident_us_proj_byhand\n", "" } do
          s:write("key", content)
          assert_told(rotation, "the store file:")
        end
        os.remove(s:path "key")
        assert_told(rotation, "the store file:")
        s:write("key", secret)
        assert.equal(state, (rotation:advance()))
      end)

      it("tells that the new key is refused, within the hour", function()
        s:fault { type = "status", operation = "annotation_queues", status = 401, times = -1 }
        s:pass(HOUR + 1)
        assert_told(rotation, "the service refuses the new key")
        s.service:clear_faults()
        assert.equal(state, (rotation:advance()))
      end)

      it("is one of many: it fills neither the history nor the service's log", function()
        local events = #rotation:status().history
        for _ = 1, 20 do
          s:pass(900)
          assert.equal(state, (rotation:advance()))
        end
        assert.equal(events, #rotation:status().history)
        local proofs = 0
        for _, entry in ipairs(assert(s.service:log())) do
          proofs = proofs + (entry.operation == "annotation_queues" and 1 or 0)
        end
        assert.is_true(proofs < 15, proofs)
      end)
    end)
  end
end)
