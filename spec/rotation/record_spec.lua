-- SPDX-License-Identifier: Apache-2.0
-- Records, pending secrets and stores that cannot be used as they are: of a newer version, damaged, of another machine.
-- Each is told of, changes no key, and keeps no other rotation from going on.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local files = require "spec.files"
local scene = require "spec.rotation.scene"
local sealed = require "confidentai.rotation.sealed"
local state_folder = require "confidentai.state"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("what lies in the state folder", function()
  local s = scene.register { projects = { "web" } }

  -- The file of the only pending secret.
  local function escrow_path()
    for _, path in ipairs(s:state_files()) do
      if path:find("/escrows", 1, true) then
        return path
      end
    end
  end

  local function states_of(list)
    local found = {}
    for _, rotation in ipairs(list) do
      found[rotation.base] = (rotation:advance())
    end
    return found
  end

  -- A second rotation, which has to go on whatever the first one's record holds.
  local function begin_another()
    local key = check(s:keys():create "other")
    s:write("other", key.value)
    check(s:keys():rotate(key.id, s:options { store = s:store("other", false), soak = DAY, adoption = "time" }))
  end

  local function edit_first(change)
    local state = assert(state_folder.find(s:path "state"))
    local key = assert(state.list "records/")[1]
    local bytes, version = state.get(key)
    local content = assert(sealed.decode("record", bytes))
    change(content)
    assert(state.cas(key, sealed.encode("record", content), version))
    return function() assert(state.cas(key, bytes, select(2, state.get(key)))) end
  end

  it("a record of an unknown state, or with a field missing or of another kind, raises nothing and stops no other",
    function()
      check(s:rotate { soak = DAY, adoption = "time" })
      begin_another()
      s:pass(DAY + 1)
      local since = #assert(s.service:log())
      local changes = {
        ["'confirming', which this version does not know"] = function(r) r.state = "confirming" end,
        ["'paused', which this version does not know"] = function(r) r.stop = "paused" end,
        ["'migration', which"] = function(r) r.kind = "migration" end,
        ["'new%.last6' is missing"] = function(r) r.new.last6 = nil end,
        ["'options%.soak' is missing"] = function(r) r.options.soak = "1d" end,
        ["'options%.grace' is missing"] = function(r) r.options.grace = nil end,
        ["'stores%.1%.label'"] = function(r) r.stores[1].label = 7 end,
        ["'history%.1%.at'"] = function(r) r.history[1].at = nil end,
        ["'quarantine%.1' is missing"] = function(r) r.quarantine = { "7" } end,
        ["'suspects' is not a list"] = function(r) r.suspects = { name = "x" } end,
        ["'published%.here'"] = function(r) r.published = {} end,
      }
      for _, field in ipairs { "id", "state", "kind", "base", "base_url", "organization", "scope", "project_id",
        "options", "stores", "history", "quarantine", "suspects", "generation", "attempt", "new", "published",
        "escrowed", "our_use", "old_id" } do
        changes["'" .. field .. "' is missing"] = function(r) r[field] = nil end
      end
      for words, change in pairs(changes) do
        local restore = edit_first(change)
        local list, err, problems = confidentai.rotation.open(s:client(), s:opening())
        assert.is_table(list, tostring(err))
        assert.equal(1, #list, words)
        assert.equal("other", list[1].base)
        assert.equal(1, #problems)
        assert.matches(words, problems[1].message)
        local _, problem = s:rotate { store = s:store("key", false) }
        support.assert_error({ kind = "state" }, problem)
        assert.matches(words, problem.message)
        restore()
      end
      assert.same({}, s:changes(since))
      assert.same({ ["Default Key"] = "done", other = "done" },
        states_of(check(confidentai.rotation.open(s:client(), s:opening()))))
    end)

  it("a record of a newer version is left to the newer program", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    local state = assert(state_folder.find(s:path "state"))
    local key = assert(state.list "records/")[1]
    local bytes, version = state.get(key)
    assert(state.cas(key, (bytes:gsub("^confidentai record 1 ", "confidentai record 2 ")), version))
    local list, _, problems = confidentai.rotation.open(s:client(), s:opening())
    assert.same({}, list)
    assert.matches("it has version 2, and this program reads version 1", problems[1].message)
  end)

  describe("of a damaged pending secret", function()
    -- Begins a rotation that stops right after it has entered a state.
    local function reach(state)
      local reached
      s:rotate { soak = state == "soaking" and DAY or 0, grace = DAY, settle = 4, adoption = "time",
        on_step = function(event)
          if event.state == state and not reached then
            reached = true
            s:fault { type = "drop", times = -1 }
          end
        end }
      reached = true
      s.service:clear_faults()
    end

    for _, state in ipairs { "escrowed", "proven", "published", "soaking", "disabled", "grace" } do
      it(("the rotation stays visible, and changes no key until it is taken away: %s"):format(state), function()
        reach(state)
        local path = escrow_path()
        local content = assert(files.read(path))
        files.write(path, content:sub(1, -20) .. "x" .. content:sub(-18))
        local before = #assert(s.service:log())
        local rotation = s:open()
        assert.equal("conflict", (rotation:advance()))
        local status = s:open():status()
        assert.equal("conflict", status.stop)
        assert.is_truthy(status.reason:find(path .. " is damaged", 1, true), status.reason)
        assert.same({}, s:changes(before))
        os.remove(path)
        local result = rotation:advance() or rotation:rollback()
        for _ = 1, 3 do
          s:pass(2 * DAY)
          result = result ~= "aborted" and rotation:advance() or result
        end
        assert.is_truthy(result == "done" or result == "aborted", result)
        assert.is_true(s:holder().valid)
        if rotation:status().settled == false then
          s:clean_up(rotation, 2 * DAY)
        end
        assert.equal(1, #s:on_service())
      end)
    end
  end)

  it("a pending secret of a newer version is not lost: nothing is done, and it stays", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    local state = assert(state_folder.find(s:path "state"))
    local key = assert(state.list "escrows/")[1]
    local bytes, version = state.get(key)
    local newer = bytes:gsub("^confidentai escrow 1 ", "confidentai escrow 2 ")
    version = assert(state.cas(key, newer, version))
    s:pass(DAY + 1)
    local before = #assert(s.service:log())
    local rotation = s:open()
    for _, verb in ipairs { "advance", "rollback" } do
      local result, err = rotation[verb](rotation)
      assert.is_nil(result)
      support.assert_error({ kind = "state" }, err)
      assert.matches("it has version 2, and this program reads version 1: use the newer program", err.message)
    end
    assert.same({}, s:changes(before))
    assert.equal(newer, (state.get(key)))
    assert(state.cas(key, bytes, version))
    assert.equal("done", (rotation:advance())) -- no rollback was begun
    assert.equal("2", s:holder().id)
  end)

  it("stores of another machine are neither read nor written, and no key is disabled for what they hold", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    assert.equal(core.host(), s:record().stores[1].host)
    s:edit(function(record) record.stores[1].host = "web-7.example" end)
    os.remove(s:path "key") -- as it is on this machine
    s:pass(DAY + 1)
    local before = #assert(s.service:log())
    local rotation = s:open()
    assert.equal("needs_store", (rotation:advance()))
    assert.matches("file:%S+ is on the machine web%-7%.example, and this is %S+: nothing was read or written here",
      rotation:status().reason)
    assert.same({}, s:changes(before))
    assert.is_nil(s:read "key")
    s:write("key", s:on_service()[2].value .. "\n") -- the folder has moved with its machine's disk
    rotation = s:open(nil, { stores = { s:store("key", false) } })
    assert.equal("done", (rotation:advance()))
  end)

  it("an error of advance, which is gone after a success", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    local rotation = s:open()
    s:fault { type = "status", status = 500, times = -1, body = s.service.api_key }
    for count = 1, 3 do
      assert.is_nil((rotation:advance()))
      local trouble = s:record().trouble
      assert.equal(count, trouble.count)
      assert.is_true(math.abs(trouble.at - s.clock()) <= 2)
      assert.matches("500", trouble.message)
      assert.same(trouble, rotation:status().trouble)
      assert.is_truthy(rotation:status().text:find(trouble.message, 1, true))
      s:assert_no_secret(trouble)
    end
    s.service:clear_faults()
    assert.equal("soaking", (rotation:advance()))
    assert.is_nil(s:record().trouble)
    assert.is_nil(rotation:status().trouble)
  end)

  it("a stop that was resolved is so on record, too, though nothing else has happened", function()
    check(s:rotate { soak = 0, grace = DAY })
    local keys = s:keys()
    check(keys:disable(2))
    assert.equal("conflict", (s:open():advance()))
    assert.equal("conflict", confidentai.rotation.list({ state_dir = s:path "state" })[1].stop)
    check(keys:enable(2))
    assert.equal("grace", (s:open():advance()))
    assert.is_nil(confidentai.rotation.list({ state_dir = s:path "state" })[1].stop)
    assert.equal("never used", s:open():status().text:match "Old key[^\n]*; (never used)")
    s:pass(2000)
    check(s:open():advance())
    assert.is_true(s.clock() - s:record().seen.new.at < 10)
  end)

  it("an error of the very first run", function()
    s:store()
    s:fault { type = "drop", method = "POST", times = -1 }
    s:fault { type = "status", status = 500, method = "GET", skip = 2, times = -1 }
    local rotation = s:rotate { soak = DAY }
    assert.is_nil(rotation)
    assert.matches("500", s:record().trouble.message)
  end)
end)

describe("records of others", function()
  local s = scene.register { projects = { "web" } }

  it("are told of, each with its address, and what is ours goes on: another spelling of the URL is the same service",
    function()
      check(s:rotate { soak = DAY, adoption = "time" })
      s:edit(function(record) record.base_url = record.base_url:gsub("127.0.0.1", "localhost") .. "/" end)
      s:pass(DAY + 1)
      assert.equal("done", (s:open():advance()))
      s.service:reset()
      os.remove(s:record_path())
      check(s:rotate { soak = DAY, adoption = "time" })
      s:edit(function(record) record.base_url = "http://localhost:1" end)
      assert.equal("soaking", (check(s:rotate { store = s:store("key", false), soak = DAY })).state)
    end)

  it("are told of when they are of another organization, or the service refuses the key", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    local organization = s:record().organization
    s:edit(function(record) record.organization = "somewhere-else" end)
    local list, _, problems = confidentai.rotation.open(s:client(), s:opening())
    assert.same({}, list)
    assert.matches("is of the organization somewhere%-else at http%S+: it was left alone, as this key is of the "
      .. "organization " .. organization, problems[1].message)
    local refused, err = confidentai.rotation.open(s:client { api_key = "confident_us_org_" .. ("x"):rep(40) },
      s:opening())
    assert.is_nil(refused)
    support.assert_error({ status = 401 }, err)
    assert.equal(s:record().id, check(confidentai.rotation.list { state_dir = s:path "state" })[1].id)
  end)

  it("are ours, though the client's own key was replaced, and only a record knows its successor", function()
    check(s:rotate { soak = DAY, adoption = "time" })
    check(s:rotate_self { soak = 0, grace = DAY })
    assert.is_false(s:on_service("organization")[1].valid)
    local list, _, problems = confidentai.rotation.open(s:client(), s:opening { ended = true })
    assert.same({}, problems)
    assert.equal(2, #list)
    s:pass(DAY + 1)
    for _, rotation in ipairs(list) do
      assert.equal("done", (check(rotation:advance())))
    end
  end)

  it("are read without a key and without a network", function()
    local rotation = check(s:rotate { soak = DAY, adoption = "time" })
    local requests = #assert(s.service:log())
    local list, err, problems = confidentai.rotation.list { state_dir = s:path "state", clock = s.clock }
    assert.is_nil(err)
    assert.same({}, problems)
    assert.same({ rotation.id, "soaking", "Default Key" }, { list[1].id, list[1].state, list[1].base })
    assert.is_true(math.abs(list[1].due - DAY) < 60)
    s:pass(2 * DAY)
    assert.equal("overdue", confidentai.rotation.list({ state_dir = s:path "state", clock = s.clock })[1].attention)
    assert.equal(requests, #assert(s.service:log()))
    check(rotation:rollback { now = true })
    s:clean_up(rotation, DAY + 60)
    assert.same({}, (confidentai.rotation.list { state_dir = s:path "state" }))
    assert.equal("aborted", confidentai.rotation.list({ state_dir = s:path "state", ended = true })[1].state)
  end)
end)

describe("rotations that have ended", function()
  local s = scene.register { projects = { "web" } }

  it("are kept when the next one of the same key takes the record over, and hold no secret", function()
    local ids = {}
    for i = 1, 3 do
      ids[i] = check(s:rotate { id = i, store = i > 1 and s:store("key", false) or nil }).id
      s:pass(10)
    end
    local list, err, problems = confidentai.rotation.history { state_dir = s:path "state" }
    assert.is_nil(err)
    assert.same({}, problems)
    assert.equal(3, #list)
    for i, entry in ipairs(list) do
      assert.equal(ids[i], entry.id)
      assert.equal("done", entry.state)
      assert.equal(tostring(i), entry.old_id)
      assert.equal(tostring(i + 1), entry.new_id)
      assert.equal("planned", entry.history[1].what)
      assert.is_true(entry.began <= entry.ended)
    end
    s:assert_no_secret(list)
    for _, path in ipairs(s:state_files()) do
      s:assert_no_secret(files.read(path))
    end
  end)

  it("are bounded, and a damaged file of them is told of", function()
    local history = require "confidentai.rotation.history"
    local state = assert(state_folder.find(s:path "state"))
    check(s:rotate())
    local content = s:record()
    content.history[1].what = ("x"):rep(50000)
    for i = 1, 12 do
      content.id = "number" .. i
      check(history.keep(state, "records/7/organization/ci/1", content))
    end
    assert.is_true(#state.get "history/7/organization/ci" <= 262144)
    local list = confidentai.rotation.history { state_dir = s:path "state" }
    assert.is_true(#list > 3 and #list < 12)
    local _, version = state.get "history/7/organization/ci"
    assert(state.cas("history/7/organization/ci", "nonsense\n", version))
    local _, _, problems = confidentai.rotation.history { state_dir = s:path "state" }
    assert.matches("the history history/7/organization/ci is damaged", problems[1].message)
  end)
end)
