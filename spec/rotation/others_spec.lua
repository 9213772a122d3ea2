-- SPDX-License-Identifier: Apache-2.0
-- Others at work while a rotation is: more processes, more state folders, people who edit keys, other organizations.

local confidentai = require "confidentai"
local process = require "spec.process"
local sandbox = require "confidentai.sandbox"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

-- A process that begins the rotation of the scene, and says so when its create is about to be sent.
local PROGRAM = [[
  local confidentai = require "confidentai"
  local client = confidentai.check(confidentai.new {
    api_key = os.getenv "API_KEY", base_url = os.getenv "BASE_URL", timeout = 20, max_retries = 0 })
  io.stdout:setvbuf "no"
  local rotation, err = client:project(os.getenv "PROJECT").api_keys:rotate(1, {
    store = confidentai.store.file { path = os.getenv "STORE" }, state_dir = os.getenv "STATE", soak = 0, grace = 0,
    settle = 3, on_step = function(event)
      if event.what == "creating" then
        print "creating"
      end
    end })
  print(rotation and rotation.state or tostring(err))
]]

describe("beside a rotation", function()
  local s = scene.register { projects = { "web" } }

  -- Keys that a rotation has made, and that no store holds.
  local function orphans(...)
    local held, found = {}, {}
    for _, name in ipairs { ... } do
      held[(s:holder(name) or {}).id or ""] = true
    end
    for _, key in ipairs((s:on_service())) do
      if key.name:find("~g", 1, true) and not held[key.id] then
        found[#found + 1] = key.name
      end
    end
    return found
  end

  describe("another process of the same folder", function()
    local function start()
      s:store()
      s:fault { type = "delay", operation = "create", seconds = 3 }
      local child = process.lua(PROGRAM, {
        API_KEY = s.service.api_key, BASE_URL = s.service.base_url, PROJECT = s.service.projects[1].id,
        STORE = s:path "key", STATE = s:path "state",
      })
      child:wait_for "creating"
      return child
    end

    it("is told who goes on", function()
      local child = start()
      local rotation, err = s:rotate { store = s:store(nil, false) }
      assert.is_nil(rotation)
      support.assert_error({ kind = "state" }, err)
      assert.matches("process " .. child.pid .. " on host .* has this rotation locked", err.message)
      local other = s:open()
      local state
      state, err = other:advance()
      assert.is_nil(state)
      assert.matches("process " .. child.pid .. " on host .* has this rotation locked", err.message)
      assert.equal("creating", other:status().state)
      assert.equal(0, (child:wait(30000)))
      assert.matches("done\n$", child.output)
      assert.equal("done", (other:advance()))
      assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
    end)

    it("goes on when that one is killed", function()
      local child = start()
      child:kill "sigkill"
      child:wait(5000)
      local rotation = check(s:rotate { store = s:store(nil, false) })
      assert.equal("done", rotation.state)
      assert.is_true(s:holder().valid)
      s:pass(2 * DAY)
      check(rotation:run())
      assert.is_true(rotation:status().settled)
      assert.same({}, orphans "key")
      assert.equal(1, #s:on_service())
    end)
  end)

  describe("another state folder", function()
    -- Both at once, then each until it ends or stops for good.
    local function both(first, second, more)
      local names, options, tasks = { first, second }, {}, {}
      for i, folder in ipairs { "a", "b" } do
        options[i] = s:options { store = s:store(names[i], i == 1 and s.service.projects[1].api_key
          or first ~= second and s.service.projects[1].api_key or false), state_dir = s:path(folder) }
        for name, value in pairs(more or {}) do
          options[i][name] = value
        end
        local keys = s:keys()
        tasks[i] = function()
          local rotation, err = keys:rotate(1, options[i])
          return rotation, err
        end
      end
      -- Both have listed the keys before either makes one. On Lua 5.1 a rotation gives way to no other after that.
      s:fault { type = "delay", operation = "list", when = "after", seconds = 1, times = 2 }
      confidentai.gather(tasks)
      for round = 1, 3 do
        for _, folder in ipairs { "a", "b" } do
          local opening = s:opening { state_dir = s:path(folder) }
          for _, rotation in ipairs(check(confidentai.rotation.open(s:client(), opening))) do
            local state, err = rotation:run()
            assert.is_truthy(state or err)
            if state == "superseded" and round == 2 and not rotation:status().finished then
              check(rotation:confirm()) -- both keys stay, each in its store
            end
          end
        end
        s:pass(DAY + 2)
      end
    end

    it("with a store of its own ends with a key of its own", function()
      both("key", "other")
      assert.is_true(s:holder "key".valid)
      assert.is_true(s:holder "other".valid)
      assert.same({}, orphans("key", "other"))
      assert.is_false(s:on_service()[1].id == "1" and s:on_service()[1].valid)
    end)

    it("with the same store ends with one key", function()
      both("key", "key")
      assert.is_true(s:holder "key".valid)
      assert.same({}, orphans "key")
      for _, key in ipairs((s:on_service())) do
        assert.is_true(key.id ~= "1", "the old key is gone")
      end
    end)

    it("with the same store leaves consumers of its key a soak", function()
      local keys = s:keys()
      local options = { soak = DAY, grace = DAY, adoption = "time", state_dir = s:path "a" }
      local other
      options.on_step = function(event)
        if event.what == "writing a store" then -- the other one has read the store already, and writes it later
          other = check(keys:create "Default Key~g1~zzzzzzzz")
        end
      end
      local rotation = check(s:rotate(options))
      s:write("key", other.value)
      s:pass(60)
      assert.equal("superseded", (rotation:advance()))
      local _, by_id = s:on_service()
      assert.is_true(by_id["2"].valid) -- a consumer has read it, and not used it yet
      s:pass(DAY + 2)
      check(rotation:advance())
      s:pass(DAY + 2)
      check(rotation:advance())
      assert.same({ "POST 2", "POST 3", "PUT 2 false", "DELETE 2" }, s:changes())
    end)

    it("one after the other has the first give way to a newer key", function()
      local first = check(s:rotate { soak = DAY, grace = DAY, adoption = "time", state_dir = s:path "a" })
      local second = check(s:rotate { soak = DAY, grace = DAY, adoption = "time", state_dir = s:path "b",
        store = s:store "other" })
      assert.equal("conflict", check(first:run())) -- key 3 is newer than its own
      assert.equal("done", check(second:run()))
      assert.is_true(s:holder "key".valid)
      assert.is_true(s:holder "other".valid)
      assert.same({ "POST 2", "POST 3", "PUT 1 false", "DELETE 1" }, s:changes())
      assert.equal("done", check(first:run()))
    end)
  end)

  describe("somebody who edits keys", function()
    local function assert_conflict(rotation, words)
      assert.equal("conflict", (rotation:advance()))
      local status = rotation:status()
      assert.is_truthy(status.reason:find(words, 1, true), status.reason)
      assert.equal("conflict", s:open():status().stop)
      assert.equal("conflict", (rotation:advance())) -- again: it stays on record
      assert.equal("conflict", s:open():status().stop)
    end

    local function soaking()
      return check(s:rotate { soak = DAY, grace = DAY, adoption = "time" })
    end

    it("and disables the new one is asked to enable it", function()
      local rotation = soaking()
      check(s:keys():disable(2))
      assert_conflict(rotation, "another process or person has disabled the new key")
      check(s:keys():enable(2))
      assert.equal("soaking", (rotation:advance()))
      assert.equal("done", check(rotation:run()))
    end)

    it("and deletes the new one can go back", function()
      local rotation = soaking()
      check(s:keys():delete(2))
      assert_conflict(rotation, "another process or person has deleted the new key")
      assert.equal("aborted", check(rotation:rollback()))
      assert.equal("1", s:holder().id)
      assert.is_true(s:holder().valid)
    end)

    it("and deletes the new one while the old one is disabled can go back", function()
      local rotation = soaking()
      s:pass(DAY + 2)
      assert.equal("grace", (rotation:advance()))
      check(s:keys():delete(2))
      s:pass(DAY + 2)
      assert_conflict(rotation, "")
      assert.equal("aborted", check(rotation:rollback()))
      assert.equal("1", s:holder().id)
      assert.is_true(s:holder().valid)
    end)

    it("and ends the old one ends the soak", function()
      for _, how in ipairs { "disable", "delete" } do
        s.service:reset()
        s:pass(0)
        local rotation = soaking()
        check(s:keys()[how](s:keys(), 1))
        assert.equal(how == "delete" and "done" or "grace", (rotation:advance()))
        assert.equal("done", check(rotation:run()))
        assert.is_true(s:holder().valid)
        assert.equal(1, #s:on_service())
        os.remove(s:record_path())
      end
    end)

    it("and enables the old one in its grace is asked why", function()
      local rotation = soaking()
      s:pass(DAY + 2)
      assert.equal("grace", (rotation:advance()))
      check(s:keys():enable(1))
      assert_conflict(rotation, "another process or person has enabled the old key again")
      check(s:keys():disable(1))
      assert.equal("grace", (rotation:advance()))
      assert.equal("done", check(rotation:run()))
    end)

    it("and writes the store is asked about that", function()
      local rotation = soaking()
      local secret = s:read "key"
      s:write("key", "confident_us_proj_by_hand")
      s:pass(DAY + 2)
      assert_conflict(rotation, "another process or person has written the store")
      assert.same({ "POST 2" }, s:changes())
      s:write("key", secret)
      assert.equal("grace", (rotation:advance()))
    end)

    it("and puts back what the store held is asked about that, also where a rotation has made the old key", function()
      local first = check(s:rotate { base = "svc" })
      local old = s:read "key"
      local rotation = check(s:rotate { id = first.new_id, store = s:store("key", false), soak = DAY,
        adoption = "time" })
      local new = s:read "key"
      s:write("key", old)
      s:pass(60)
      assert_conflict(rotation, "another process or person has written the store")
      assert.is_true(s:holder().valid)
      s:write("key", new) -- or it had shown what it held before, as one that is replicated may
      assert.is_true(s:holder().valid)
      s:pass(DAY + 2)
      assert.equal("done", (rotation:advance()))
    end)

    it("and puts another key in the place of the new one gets nothing touched", function()
      local rotation = soaking()
      local _, by_id = s:on_service()
      s:fault { type = "body", operation = "get", times = 3, body = ([[{"success":true,"data":{"apiKey":{"id":1,
        "name":"something else","valid":true,"value":"%s","created_at":"%s","lastUsed":null}}}]]):format(
        ("*"):rep(15) .. by_id["1"].value:sub(-6), by_id["1"].created_at), key_id = 1 }
      s:pass(DAY + 2)
      assert.equal("conflict", (rotation:advance()))
      assert.matches("not the one on record", rotation:status().reason)
      assert.same({ "POST 2" }, s:changes())
    end)
  end)

  describe("another manager", function()
    local function waiting()
      return check(s:rotate_self { soak = DAY, grace = DAY, adoption = "time" })
    end

    it("of the same organization goes on", function()
      waiting()
      local _, by_id = s:on_service "organization"
      local other = s:client { api_key = by_id["2"].value }
      s:pass(DAY + 2)
      local rotation = s:open(other)
      assert.equal("grace", (rotation:advance()))
      s:pass(DAY + 2)
      assert.equal("done", (rotation:advance()))
      assert.equal("legacy-ci", check(other:whoami()).key.name)
      assert.equal("3", s:holder("manager", "organization").id)
    end)

    it("is the new key, for a client that still has the old one", function()
      waiting()
      s:pass(DAY + 2)
      local client = s:client() -- with the old key, as its environment has it
      local rotation = s:open(client)
      assert.equal("grace", (rotation:advance()))
      client = s:client()
      rotation = s:open(client)
      assert.equal("grace", (rotation:advance())) -- though the old key is refused
      assert.equal("3", ("%.0f"):format(check(client:whoami()).key.id))
      client = s:client()
      assert.equal("grace", check(s:rotate_self({ store = s:store("manager", false) }, client)).state)
      s:pass(DAY + 2)
      assert.equal("done", (rotation:advance()))
    end)

    it("is missing when both keys are refused", function()
      waiting()
      s:pass(DAY + 2)
      local client = s:client()
      local rotation = s:open(client)
      local _, by_id = s:on_service "organization"
      local other = s:client { api_key = by_id["2"].value }
      for id = 1, 3, 2 do
        check(other:organization().api_keys:disable(id))
      end
      local before = #s:changes()
      local state, err = rotation:advance()
      assert.is_nil(state)
      support.assert_error({ kind = "guard" }, err)
      assert.matches("nothing was changed", err.message)
      assert.equal(before, #s:changes())
      local list
      list, err = confidentai.rotation.open(s:client(), s:opening())
      assert.is_nil(list)
      support.assert_error({ status = 401 }, err)
    end)

    it("of another organization is refused", function()
      local rotation = check(s:rotate { soak = DAY, adoption = "time" })
      local elsewhere = assert(sandbox.start { projects = { "web" } })
      local client = support.client(elsewhere)
      assert.same({}, check(confidentai.rotation.open(client, s:opening())))
      s:fault { type = "body", operation = "organization",
        body = [[{"success":true,"data":{"organization":{"id":"somewhere-else","name":"x"}}}]] }
      local state, err = rotation:advance()
      assert.is_nil(state)
      support.assert_error({ kind = "guard" }, err)
      assert.matches("nothing was changed", err.message)
      client:close()
      elsewhere:stop()
    end)
  end)
end)
