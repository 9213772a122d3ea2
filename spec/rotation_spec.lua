-- SPDX-License-Identifier: Apache-2.0
-- Rotations that nobody disturbs: what they do, what they show, and what they leave behind.

local confidentai = require "confidentai"
local names = require "confidentai.rotation.names"
local scene = require "spec.rotation.scene"
local support = require "spec.support"
local uv = require "luv"

local DAY = 86400

describe("a rotation", function()
  local s = scene.register { projects = { "web" } }

  local function check(...)
    return confidentai.check(...)
  end

  describe("without soak and grace", function()
    it("replaces a project's key", function()
      local rotation = check(s:rotate())
      assert.equal("done", rotation.state)
      assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
      local list = s:on_service()
      assert.equal(1, #list)
      assert.equal(rotation.new_id, s:holder().id)
      assert.is_true(list[1].valid)
      assert.matches("^Default Key~g1~%w+$", list[1].name)
      assert.equal("Default Key", rotation.base)
      assert.equal("1", rotation.old_id)
      assert.same({ s:path "state/.lock" }, { s:state_files()[1] })
      assert.equal(2, #s:state_files()) -- and the record: no escrow
      local entries = support.requests(s.service, "POST")
      for _, entry in ipairs(assert(s.service:log())) do
        assert.is_true(entry.n == entries[1].n or entry.connection ~= entries[1].connection, "the create has its own")
      end
    end)

    it("replaces a key of the organization", function()
      s:store("legacy", (function()
        for _, key in ipairs((s:on_service "organization")) do
          if key.id == "2" then return key.value end
        end
      end)())
      local rotation = check(s:keys "organization":rotate(2, s:options {
        store = confidentai.store.file { path = s:path "legacy" },
      }))
      assert.equal("done", rotation.state)
      -- The new key proves that it can manage by a change of itself that is none.
      assert.same({ "POST 3", "PUT 3 true", "PUT 2 false", "DELETE 2" }, s:changes())
      assert.equal("legacy-ci", rotation.base)
      assert.equal("3", s:holder("legacy", "organization").id)
    end)

    it("replaces the key that the client itself uses", function()
      local client = s:client()
      local rotation = check(s:rotate_self(nil, client))
      assert.equal("done", rotation.state)
      assert.equal("3", s:holder("manager", "organization").id)
      assert.same({ "POST 3", "PUT 3 true", "PUT 1 false", "DELETE 1" }, s:changes())
      for _, entry in ipairs(assert(s.service:log())) do
        if entry.change and entry.change.key_id == 1 then
          assert.equal(3, entry.credential.id)
        end
      end
      assert.equal("3", ("%.0f"):format(check(client:whoami()).key.id))
      assert.is_true(client:owns(check(client:organization().api_keys:get(3))))
    end)

    it("goes on counting generations", function()
      check(s:rotate())
      local rotation = check(s:rotate { id = 2, store = s:store("key", s:holder().value) })
      assert.matches("^Default Key~g2~%w+$", s:holder().name)
      assert.equal("Default Key", rotation.base)
      assert.equal(1, #s:on_service())
    end)

    it("takes a base", function()
      local rotation = check(s:rotate { base = "a b/ü%~" })
      assert.equal("a b/ü%~", rotation.base)
      assert.equal("a b/ü%~", (names.parse(s:holder().name)))
      assert.equal(1, #check(s:keys():find "a b/ü%~"))
    end)

    it("writes all stores", function()
      s:write("app.env", "A=1\nCONFIDENT_API_KEY='" .. s.service.projects[1].api_key .. "' # ours\nB=2\n")
      check(s:rotate { store = {
        s:store(), s:store "other",
        confidentai.store.env_file { path = s:path "app.env", variable = "CONFIDENT_API_KEY" },
      } })
      local secret = s:holder().value
      assert.equal(secret .. "\n", s:read "other")
      assert.equal("A=1\nCONFIDENT_API_KEY='" .. secret .. "' # ours\nB=2\n", s:read "app.env")
    end)

    it("looks like itself in other hosts", function()
      local one, two = s:keys(), s:keys("organization")
      local results, errors = confidentai.gather {
        function()
          local rotation, err = one:rotate(1, s:options { store = s:store() })
          return rotation, err
        end,
        function()
          local _, by_id = s:on_service "organization"
          local rotation, err = two:rotate(2, s:options { store = s:store("legacy", by_id["2"].value) })
          return rotation, err
        end,
      }
      assert.is_nil(next(errors), tostring(errors[1] or errors[2]))
      assert.same({ "done", "done" }, { results[1].state, results[2].state })
      assert.equal("2", s:holder().id)
      assert.equal("3", s:holder("legacy", "organization").id)
    end)
  end)

  describe("with soak and grace", function()
    local options = { soak = DAY, grace = 7 * DAY, adoption = "time" }

    it("waits for both", function()
      local rotation = check(s:rotate(options))
      assert.equal("soaking", rotation.state)
      assert.same({ "POST 2" }, s:changes())
      assert.equal("2", s:holder().id)
      local state, wait = rotation:advance()
      assert.equal("soaking", state)
      assert.is_true(wait > 0 and wait <= 3600)
      s:pass(DAY - 60)
      state, wait = rotation:advance()
      assert.equal("soaking", state)
      assert.is_true(wait > 0 and wait <= 60)
      s:pass(60)
      state = rotation:advance()
      assert.equal("grace", state)
      assert.same({ "POST 2", "PUT 1 false" }, s:changes())
      s:pass(7 * DAY - 60)
      assert.equal("grace", (rotation:advance()))
      s:pass(60)
      state, wait = rotation:advance()
      assert.same({ "done" }, { state, wait })
      assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
    end)

    it("runs through", function()
      local rotation = check(s:rotate(options))
      local before = s.ahead
      assert.equal("done", check(rotation:run()))
      assert.is_true(s.ahead - before >= 8 * DAY - 600 and s.ahead - before < 8 * DAY + 7200, s.ahead - before)
    end)

    it("is found again", function()
      local first = check(s:rotate(options))
      local count = #assert(s.service:log())
      local again = s:open()
      for _, entry in ipairs(assert(s.service:log(count))) do
        assert.equal("GET", entry.method)
      end
      assert.same({ first.id, first.base, "soaking", "1", "2" },
        { again.id, again.base, again.state, again.old_id, again.new_id })
      s:pass(DAY)
      assert.equal("grace", (again:advance()))
      assert.equal("soaking", first.state) -- as it was last seen
      assert.equal("grace", (first:advance()))
      s:pass(7 * DAY)
      assert.equal("done", (first:advance()))
      assert.same({}, check(confidentai.rotation.open(s:client(), s:opening())))
      local state, err = again:advance()
      assert.equal("done", state, tostring(err))
    end)

    it("is returned when it is begun again though the old key is gone already", function()
      s:fault { type = "lost_answer", operation = "delete" }
      local rotation, err = s:rotate(nil, s:client { max_retries = 0 })
      assert.is_nil(rotation)
      assert.equal("done", err.state)
      assert.equal(1, #s:on_service())
      rotation = check(s:rotate { store = s:store(nil, false) })
      assert.equal("1", rotation.old_id)
      assert.is_true(rotation:status().finished)
      assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
    end)

    it("is returned when it is begun again", function()
      local first = check(s:rotate(options))
      local same = { store = s:store(nil, false) }
      for name, value in pairs(options) do
        same[name] = value
      end
      local again = check(s:rotate(same))
      assert.equal(first.id, again.id)
      assert.equal("soaking", again.state)
      assert.same({ "POST 2" }, s:changes())
      s:pass(DAY)
      check(s:rotate(same))
      assert.equal("grace", s:open().state)
    end)

    it("is not begun again with another soak", function()
      check(s:rotate(options))
      local rotation, err = s:rotate { soak = 1, store = s:store(nil, false) }
      assert.is_nil(rotation)
      support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
      assert.equal("soaking", s:open().state)
    end)

    it("ends with its grace as another of that base begins", function()
      local first = check(s:rotate(options))
      s:pass(DAY)
      assert.equal("grace", (first:advance()))
      local second = check(s:rotate { id = 2, store = s:store(nil, false), soak = DAY, adoption = "time" })
      assert.equal("soaking", second.state)
      assert.same({ "POST 2", "PUT 1 false", "DELETE 1", "POST 3" }, s:changes())
      local state, err = first:advance()
      assert.is_nil(state)
      assert.matches("another one of the same key has begun", err.message)
      assert.equal("3", s:holder().id)
    end)

    it("keeps its grace when the next one is only planned, or refused", function()
      check(s:rotate(options))
      s:pass(DAY)
      assert.equal("grace", (s:open():advance()))
      local plan = check(s:rotate { id = 2, store = s:store(nil, false), dry_run = true })
      assert.equal("planned", plan.state)
      local _, err = s:rotate { id = 2, store = s:store("wrong", "confident_us_proj_other") }
      support.assert_error({ kind = "guard", state = "planned" }, err)
      assert.same({ "POST 2", "PUT 1 false" }, s:changes())
      assert.equal("grace", s:open().state)
    end)

    it("excludes others of its base", function()
      check(s:rotate(options))
      local _, err = s:rotate { id = 2, store = s:store(nil, false) }
      support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
      assert.matches("another rotation of 'Default Key' is under way", err.message)
      assert.same({ "confidentai", "rotate", "advance", s:open().id }, err.ways[1].steps[1])
    end)

    it("is compared by the organization, however the address is spelled", function()
      local first = check(s:rotate(options))
      local other = s:client { base_url = s.service.base_url:gsub("127%.0%.0%.1", "localhost") }
      local found = check(confidentai.rotation.open(other, s:opening()))
      assert.equal(1, #found)
      assert.equal(first.id, found[1].id)
      assert.same({ "POST 2" }, s:changes())
    end)
  end)

  describe("that is only planned", function()
    it("says what would be done and leaves nothing", function()
      local rotation = check(s:rotate { dry_run = true })
      assert.equal("planned", rotation.state)
      assert.is_nil(rotation.new_id)
      local status = rotation:status()
      assert.matches("a new key is created", status.text)
      assert.same({}, s:changes())
      assert.same({}, s:state_files())
      assert.equal(s.service.projects[1].api_key .. "\n", s:read "key")
      for _, method in ipairs { "advance", "run", "confirm", "rollback", "abort" } do
        local state, err = rotation[method](rotation)
        assert.is_nil(state)
        support.assert_error({ kind = "guard" }, err)
        assert.matches("without dry_run", err.message)
      end
      assert.same({}, check(confidentai.rotation.open(s:client(), s:opening())))
    end)
  end)

  describe("shows no secret", function()
    it("in events, record, handle, status and dumps", function()
      local seen = {}
      local rotation = check(s:rotate { soak = DAY, grace = DAY, adoption = "time",
        old_secret = s.service.projects[1].api_key,
        on_step = function(event)
          seen[#seen + 1] = event
          assert.is_table(event)
          error("an observer's error is its own: " .. s.service.projects[1].api_key)
        end })
      s:assert_no_secret(seen)
      assert.is_true(#seen > 5)
      for _, event in ipairs(seen) do
        assert.equal(rotation.id, event.rotation)
        assert.equal("Default Key", event.base)
        assert.is_string(event.state)
        assert.is_string(event.what)
      end
      s:assert_no_secret(tostring(rotation))
      s:assert_no_secret(rotation:status())
      s:assert_no_secret(s:record())
      local loaded, inspect = pcall(require, "inspect")
      if loaded then
        s:assert_no_secret(inspect(rotation))
        s:assert_no_secret(inspect(getmetatable(rotation)))
      end
      assert.equal("confidentai.Rotation", getmetatable(rotation))
      assert.is_nil(next(rotation))
      assert.is_false((pcall(function() rotation.state = "done" end)))
      assert.is_false((pcall(rotation.advance, {})))
    end)

    it("in files that others can read", function()
      check(s:rotate { soak = DAY, adoption = "time" })
      local escrows = 0
      for _, path in ipairs(s:state_files()) do
        assert.equal(384, assert(uv.fs_stat(path)).mode % 512, path) -- 0600
        escrows = escrows + (path:find("/escrows", 1, true) and 1 or 0)
      end
      assert.equal(1, escrows)
      assert.equal(448, assert(uv.fs_stat(s:path "state")).mode % 512) -- 0700
      assert.equal(384, assert(uv.fs_stat(s:path "key")).mode % 512)
      s:pass(DAY)
      assert.equal("done", (s:open():advance()))
      for _, path in ipairs(s:state_files()) do
        assert.is_nil(path:find("escrows", 1, true))
      end
    end)
  end)
end)
