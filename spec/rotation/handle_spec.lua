-- SPDX-License-Identifier: Apache-2.0
-- What a person does with a rotation: advance, confirm, roll back, abort, and what status says before and after.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("with a rotation", function()
  local s = scene.register { projects = { "web" } }
  local states = { "planned", "creating", "escrowed", "proven", "published", "soaking", "disabled", "grace", "done" }

  -- Begins a rotation that loses its service as soon as it enters a state, and finds it again.
  local function reach(state, more, own)
    local reached
    local options = { soak = 0, grace = DAY, settle = 4, on_step = function(event)
      if event.state == state and not reached then
        reached = true
        s:fault { type = "drop", times = -1 }
      end
    end }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    local begin = own and s.rotate_self or s.rotate
    local rotation = begin(s, options)
    reached = true
    s.service:clear_faults()
    return rotation or s:open()
  end

  local function assert_status(status, fields)
    for name, value in pairs(fields) do
      if name == "due" then -- whole seconds go by meanwhile
        assert.is_true(status.due <= value and status.due >= value - 3, status.due)
      else
        assert.equal(value, status[name], name)
      end
    end
    assert.is_table(status.commands)
    assert.is_table(status.history)
    for _, command in ipairs(status.commands) do
      assert.matches("^confidentai rotate %l+ " .. status.id .. "$", command)
      assert.is_truthy(status.text:find(command, 1, true))
    end
    assert.is_truthy(status.text:find("Next: " .. status.next, 1, true), status.text)
    s:assert_no_secret(status)
  end

  it("status says what is next and when", function()
    local rotation = check(s:rotate { soak = DAY, grace = 7 * DAY, adoption = "time" })
    local status = rotation:status()
    assert_status(status, { state = "soaking", base = "Default Key", scope = "project", old_id = "1", new_id = "2",
      project_id = s.service.projects[1].id, finished = false, settled = false, due = DAY })
    assert.matches("Old key 1 ends in ...... and works; never used %(as of [%d-]+ [%d:]+ UTC%)%.\n", status.text)
    assert.matches("New key 2 ends in ...... and is published; last used [^\n]+, by this rotation only%.\n",
      status.text)
    local left = status.text:match "the old one is disabled, in ([^\n]+)%.\n"
    assert.is_true(left == "1 day" or left == "23 hours", left) -- a second may have passed
    assert.same({ "confidentai rotate advance " .. rotation.id, "confidentai rotate confirm " .. rotation.id,
      "confidentai rotate rollback " .. rotation.id }, status.commands)
    s:pass(DAY + 1)
    assert.equal(0, rotation:status().due)
    assert.equal("grace", (rotation:advance()))
    status = rotation:status()
    assert_status(status, { state = "grace", due = 7 * DAY })
    assert.matches("and is disabled and kept until [%d-]+ [%d:]+ UTC; ", status.text)
    assert.equal(2, #status.commands)
    s:pass(7 * DAY + 2)
    assert.equal("done", (rotation:advance()))
    assert_status(rotation:status(), { state = "done", next = "nothing", finished = true, settled = true })
    assert.same({}, rotation:status().commands)
    assert.matches("and is gone %(as of [%d-]+ [%d:]+ UTC%)%.\n", rotation:status().text)
    local what = {}
    for i, event in ipairs(rotation:status().history) do
      what[i] = event.what
      assert.is_number(event.at)
    end
    assert.equal("planned", what[1])
    assert.equal("settled", what[#what])
  end)

  it("status has words for every state", function()
    for _, state in ipairs(states) do
      s.service:reset()
      s:pass(0)
      local rotation = reach(state)
      if not rotation:status().finished then
        assert_status(rotation:status(), { finished = false })
      end
      check(rotation:run())
      assert.equal("done", rotation.state)
      assert.equal(1, #s:on_service())
      assert.is_true(s:holder().valid)
      os.remove(s:record_path())
    end
  end)

  it("confirm ends a soak that waits for it", function()
    local rotation = check(s:rotate { soak = DAY, adoption = "confirm" })
    s:pass(20 * DAY)
    local state, wait = rotation:advance()
    assert.equal("soaking", state)
    assert.is_true(wait > 0)
    assert.is_nil(rotation:status().due)
    check(rotation:confirm())
    assert.equal("done", (rotation:advance()))
  end)

  describe("rollback", function()
    for _, own in ipairs { false, true } do
      for _, state in ipairs(states) do
        it(("goes back from %s%s"):format(state, own and " of the client's own key" or ""), function()
          local scope, name = own and "organization" or "project", own and "manager" or "key"
          local before = s:on_service(scope)
          local rotation = reach(state, { grace = DAY }, own)
          if state == "done" then
            s:pass(2 * DAY)
            s:fault { type = "drop", times = -1, method = "DELETE" }
            local _, problem = rotation:advance()
            support.assert_error({ kind = "network", state = "done" }, problem)
            s.service:clear_faults()
          end
          local result, err = rotation:rollback()
          if state == "done" then
            assert.is_nil(result)
            support.assert_error({ kind = "guard" }, err)
            assert.matches("the delete of the old key is on record", err.message)
            assert.equal("done", (rotation:advance()))
            return
          end
          if result == "grace" then -- the new key is kept, disabled, as it was published
            local _, by_id = s:on_service(scope)
            assert.is_true(by_id["1"].valid)
            assert.is_false(by_id[rotation.new_id].valid)
            s:pass(DAY + 2)
            result = rotation:advance()
          end
          assert.equal("aborted", result, tostring(err))
          assert.is_nil(err)
          s:clean_up(rotation, DAY + 2)
          local after = s:on_service(scope)
          assert.equal(#before, #after)
          assert.equal("1", s:holder(name, scope).id)
          assert.is_true(s:holder(name, scope).valid)
          assert_status(rotation:status(), { state = "aborted", finished = true })
          for _, path in ipairs(s:state_files()) do
            assert.is_nil(path:find("escrow", 1, true), path)
          end
          assert.equal("aborted", check(rotation:rollback())) -- again
          local client = s:client()
          assert.equal("manager", check(client:whoami()).key.name)
          rotation = check((own and s.rotate_self or s.rotate)(s, { store = s:store(name, false) }, client))
          assert.equal("done", rotation.state)
        end)
      end
    end

    it("waits for a disable that may come late", function()
      s:fault { type = "late_commit", method = "PUT", clock_seconds = 8 }
      local rotation, err = s:rotate { grace = DAY, settle = 10 }
      assert.is_nil(rotation)
      support.assert_error({ kind = "network", state = "disabled" }, err)
      rotation = s:open()
      assert.equal("grace", (rotation:advance())) -- disabled by another request
      assert.equal("grace", check(rotation:rollback()))
      s:pass(60)
      assert.equal("1", s:holder().id)
      assert.is_true(s:holder().valid)
      s:pass(DAY)
      assert.equal("aborted", (rotation:advance()))
      assert.equal("1", s:holder().id)
      assert.is_true(s:holder().valid)
      assert.equal(1, #s:on_service())
    end)

    it("leaves a store alone that somebody has written since", function()
      local rotation = reach("grace")
      s:store("key", "something else")
      assert.equal("grace", check(rotation:rollback()))
      assert.equal("something else\n", s:read "key")
    end)

    it("does not go back to a key that leaked", function()
      local rotation = reach("disabled", { compromised = true })
      local _, err = rotation:rollback()
      support.assert_error({ kind = "guard" }, err)
      assert.matches("compromised", err.message)
      assert.equal(1, #rotation:status().commands)
      assert.equal("done", check(rotation:run()))
    end)
  end)

  describe("abort", function()
    for _, state in ipairs { "planned", "creating", "escrowed", "proven", "published" } do
      it("ends one in " .. state, function()
        local rotation = reach(state)
        if state == "published" then
          return -- its stores are written, below
        end
        assert.equal("aborted", check(rotation:abort()))
        s:clean_up(rotation, DAY + 2)
        assert.same({ "1" }, { s:on_service()[1].id, (s:on_service()[2] or {}).id })
        assert.equal("1", s:holder().id)
      end)
    end

    it("is not for what is published", function()
      for _, state in ipairs { "soaking", "grace" } do
        local rotation = reach(state)
        local _, err = rotation:abort()
        support.assert_error({ kind = "guard" }, err)
        assert.matches("rollback goes back", err.message)
      end
    end)
  end)

  it("advance says why it cannot", function()
    local rotation = check(s:rotate { soak = DAY, adoption = "time" })
    s:fault { type = "status", status = 500, times = -1 }
    local state, err = rotation:advance()
    assert.is_nil(state)
    support.assert_error({ kind = "api", status = 500, state = "soaking" }, err)
    s.service:clear_faults()
    assert.equal("soaking", (rotation:advance()))
  end)
end)
