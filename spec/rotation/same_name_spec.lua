-- SPDX-License-Identifier: Apache-2.0
-- A person makes a key that has the very name of a rotation's new key: it is the person's, and is never changed. And
-- how long a late create of our own is waited for.

local confidentai = require "confidentai"
local job = require "confidentai.rotation.job"
local memory = require "spec.rotation.memory"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("a key that a person made with the name of the new key", function()
  local s = scene.register { projects = { "web" } }

  -- Makes it right after an event of the rotation: an observer's time to act.
  local function namesake_after(what)
    local made
    return function(event)
      if event.what == what and not made then
        s:pass(5)
        made = check(s:keys():create(s:record().new.name))
      end
    end
  end

  local function assert_untouched(id)
    local _, by_id = s:on_service()
    assert.is_table(by_id[id])
    assert.is_true(by_id[id].valid)
    for _, change in ipairs(s:changes()) do
      assert.is_nil(change:find("^%u+ " .. id .. " ") or change:find("^DELETE " .. id .. "$"), change)
    end
    assert.is_true(by_id["1"].valid) -- the rotation waits for somebody to decide
  end

  for _, what in ipairs { "created", "counted", "proven", "published" } do
    it("after '" .. what .. "' is never disabled or deleted", function()
      s:rotate { soak = DAY, adoption = "time", on_step = namesake_after(what) }
      local rotation = s:open()
      for _ = 1, 4 do
        s:pass(DAY)
        rotation:advance()
        assert_untouched "3"
      end
      assert.equal("conflict", rotation.state)
      check(s:keys():disable(3))
      assert.equal("done", (rotation:advance()))
      local _, by_id = s:on_service()
      assert.is_table(by_id["3"])
    end)

    it("after '" .. what .. "' stays when the rotation goes back", function()
      s:rotate { soak = DAY, adoption = "time", on_step = namesake_after(what) }
      local rotation = s:open()
      rotation:rollback()
      for _ = 1, 10 do
        s:pass(DAY)
        rotation:advance()
        assert_untouched "3"
      end
    end)
  end
end)

describe("a time that has passed", function()
  it("is a second longer than what it is compared with, as clocks show whole seconds only", function()
    local now = 1000
    local subject = job.reader({}, "records/x", {}, { clock = function() return now end })
    local mark = subject:mark()
    for _, seconds in ipairs { 1, 10, 60 } do
      now = 1000 + seconds
      assert.is_false(subject:has_passed(mark, seconds), seconds)
      now = now + 1
      assert.is_true(subject:has_passed(mark, seconds), seconds)
    end
    assert.is_true(subject:has_passed(mark, 0))
  end)
end)

describe("two keys of one name", function()
  local s = scene.register { projects = { "web" } }

  -- A second key of the name of the project's first. Each has a store: one, two.
  local function prepare()
    local second = check(s:keys():create "Default Key")
    assert.equal("2", ("%.0f"):format(second.id))
    s:store "one"
    s:store("two", second.value)
  end

  local function begin(id, more)
    local store = s:store(tonumber(id) % 2 == 1 and "one" or "two", false)
    local options = { id = id, store = store, soak = DAY, grace = DAY, adoption = "time" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    local rotation, err = s:rotate(options)
    return rotation, err
  end

  local function open(more)
    return check(confidentai.rotation.open(s:client(), s:opening(more)))
  end

  -- Lets time pass, and a little more: the service's Date has whole seconds.
  local function pass(seconds)
    s:pass(seconds + 2)
  end

  local function states(more)
    local found = {}
    for _, rotation in ipairs(open(more)) do
      found[rotation.old_id] = rotation.state
    end
    return found
  end

  local function advance_all(seconds, more)
    pass(seconds)
    for _, rotation in ipairs(open(more)) do
      assert.is_truthy(rotation:advance())
    end
  end

  local function assert_healthy()
    local report = check(confidentai.rotation.doctor(s:client(), s:opening()))
    assert.same({}, report.problems)
    for _, finding in ipairs(report.findings) do
      error(finding.message)
    end
  end

  -- The ids of the keys that work, and of the others.
  local function keys()
    local working, others = {}, {}
    for _, key in ipairs((s:on_service())) do
      table.insert(key.valid and working or others, key.id)
    end
    return working, others
  end

  before_each(prepare)

  it("are rotated side by side, each with its own record", function()
    local first, second = check(begin(1)), check(begin(2))
    assert.same({ ["1"] = "soaking", ["2"] = "soaking" }, states())
    assert.equal(2, #check(confidentai.rotation.list { state_dir = s:path "state" }))
    local _, by_id = s:on_service()
    assert.matches("^Default Key~g1~", by_id["3"].name)
    assert.matches("^Default Key~g2~", by_id["4"].name)
    assert_healthy()
    assert.equal(first.id, check(begin(1)).id) -- each goes on, and is not begun again
    assert.equal(second.id, check(begin(2)).id)
    pass(DAY)
    assert.equal("grace", (second:advance())) -- the later one is the first to disable
    assert.equal("grace", (first:advance()))
    assert_healthy()
    pass(DAY)
    assert.equal("done", (first:advance()))
    assert.equal("done", (second:advance()))
    assert_healthy()
    assert.same({ "3", "4" }, (keys()))
    assert.equal("3", s:holder("one").id)
    assert.equal("4", s:holder("two").id)
  end)

  it("are rotated again and again, each after its own, and the history has them all", function()
    for round = 0, 2 do
      for id = 1, 2 do
        check(begin(2 * round + id, { soak = 0, grace = 0 }))
        s:pass(1)
        assert_healthy()
      end
    end
    local olds = {}
    for i, entry in ipairs(check(confidentai.rotation.history { state_dir = s:path "state" })) do
      olds[i] = entry.old_id
      assert.equal(i, entry.generation)
    end
    assert.same({ "1", "2", "3", "4", "5", "6" }, olds)
    assert.equal(2, #open { ended = true }) -- what is known of the two keys that are there
    local working, others = keys()
    assert.same({ "7", "8" }, working)
    assert.same({}, others)
  end)

  it("one in grace: the other begins, and the way back stays", function()
    local first = check(begin(1))
    pass(DAY)
    assert.equal("grace", (first:advance()))
    local second = check(begin(2))
    assert.same({ ["1"] = "grace", ["2"] = "soaking" }, states())
    assert.same({}, s:changes_of "DELETE 1")
    check(first:rollback { now = true })
    assert.equal("1", s:holder("one").id)
    pass(DAY)
    assert.equal("grace", (second:advance()))
    advance_all(DAY)
    assert.same({}, states())
    assert.same({ "1", "4" }, (keys()))
    assert_healthy()
  end)

  it("one goes back and forth again while the other, which is newer, is under way", function()
    local first = check(begin(1))
    pass(DAY)
    assert.equal("grace", (first:advance()))
    check(begin(2))
    check(first:rollback())
    assert.equal("soaking", check(first:keep()))
    for _ = 1, 4 do
      advance_all(DAY)
    end
    assert.same({}, states())
    assert.same({ "3", "4" }, (keys()))
    assert.equal("3", s:holder("one").id)
  end)

  it("one is rolled back, and begun again, in the soak of both", function()
    local first = check(begin(1))
    local second = check(begin(2))
    check(first:rollback { now = true })
    pass(DAY)
    assert.equal("grace", (second:advance()))
    advance_all(DAY)
    assert.same({}, states())
    assert.same({ "1", "4" }, (keys()))
    assert.equal("soaking", check(begin(1)).state)
    assert.equal("5", s:holder("one").id)
    assert.equal("4", s:holder("two").id)
    assert.equal(2, #open { ended = true }) -- what was tried before is in the history
    assert.equal(3, #check(confidentai.rotation.history { state_dir = s:path "state" }) + 1)
  end)

  it("provision of the name is refused in a grace, and deletes nothing", function()
    local first = check(begin(1))
    pass(DAY)
    assert.equal("grace", (first:advance()))
    local before = s:changes()
    local key, err = s:keys():provision("Default Key", { store = s:store("three", false), state_dir = s:path "state",
      settle = 10, clock = s.clock, pause = s.pause, random = s.random })
    assert.is_nil(key)
    support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
    assert.matches("another rotation of 'Default Key' is under way: %w+, of key 1 %(grace%)", err.message)
    assert.same(before, s:changes())
    check(first:rollback())
    assert.equal("1", s:holder("one").id)
  end)

  it("the new key of one is not rotated while that is under way", function()
    local first = check(begin(1))
    local rotation, err = begin(3)
    assert.is_nil(rotation)
    assert.matches("another rotation of 'Default Key' is under way: " .. first.id, err.message)
    check(first:rollback()) -- in which it is to go
    rotation, err = begin(3)
    assert.is_nil(rotation)
    assert.matches("under way: " .. first.id, err.message)
  end)

  it("a base that was given is known when it is begun again", function()
    local first = check(begin(1, { base = "billing" }))
    assert.equal(first.id, check(begin(1)).id)
    local rotation, err = begin(1, { base = "other" })
    assert.is_nil(rotation)
    assert.matches("is being rotated under the name 'billing'", err.message)
    assert.equal(1, #s:changes_of "POST 3")
    assert.same({ "1", "2", "3" }, (keys()))
  end)

  it("of which the record of the newer one is damaged: the other waits before it disables", function()
    local first = check(begin(1))
    check(begin(2))
    local path
    for _, each in ipairs(s:state_files()) do
      path = each:find "/records,[^/]*,2$" and each:sub(#s.folder + 2) or path
    end
    local whole = s:read(path)
    s:write(path, (whole:gsub("soaking", "soakinq")))
    pass(DAY)
    assert.equal("conflict", (first:advance()))
    assert.matches("key 4 %('Default Key~g2~%w+'%) is newer", first:status().reason)
    local rotation, err = begin(check(s:keys():create "Default Key").id)
    assert.is_nil(rotation)
    assert.matches("is damaged", err.message)
    s:write(path, whole)
    assert.equal("grace", (first:advance()))
    assert.same({ "PUT 1 false" }, s:changes_of "PUT 1 false")
  end)

  describe("begun at the same time", function()
    local function begin_within(what)
      local other, problem, is_begun
      local first = check(begin(1, { on_step = function(event)
        if event.what == what and not is_begun then
          is_begun = true
          other, problem = begin(2)
        end
      end }))
      return first, other, problem
    end

    it("have each their generation", function()
      local first, other, problem = begin_within "creating"
      assert.is_table(other, tostring(problem))
      assert.equal("soaking", first.state)
      assert.equal("soaking", other.state)
      local found = {}
      for _, key in ipairs((s:on_service())) do
        found[#found + 1] = key.name:match "~g%d~"
      end
      table.sort(found)
      assert.same({ "~g1~", "~g2~" }, found)
      for _ = 1, 2 do
        advance_all(DAY)
      end
      assert.same({}, states())
      assert.equal(2, #keys())
    end)

    it("wait for each other until one is on record", function()
      local first, other, problem = begin_within "planned"
      assert.is_nil(other)
      assert.matches("has this rotation locked", problem.message)
      assert.equal("soaking", first.state)
      assert.equal("soaking", check(begin(2)).state)
    end)

    it("are told apart by the state alone, where it has no holds", function()
      local state, other, problem = memory.new(), nil, nil
      state.hold = nil
      local cas = state.cas
      state.cas = function(...)
        if not other then
          other = true
          other, problem = begin(2, { state_dir = state })
        end
        return cas(...)
      end
      local rotation, err = begin(1, { state_dir = state })
      assert.is_table(other, tostring(problem))
      assert.is_nil(rotation)
      support.assert_error({ kind = "state", outcome = "not_applied" }, err)
      assert.equal("soaking", check(begin(1, { state_dir = state })).state)
      assert.same({ ["1"] = "soaking", ["2"] = "soaking" }, states { state_dir = state })
      assert.same({ "1", "2", "3", "4" }, (keys()))
    end)
  end)

  -- Dies at the write of the given number; true when it came to its end before.
  local function die_at(number, state, work)
    local cas, count = state.cas, 0
    state.cas = function(...)
      count = count + 1
      if count == number then
        error "killed"
      end
      local version, problem, message = cas(...)
      return version, problem, message
    end
    local ok, err = pcall(work)
    state.cas = cas
    assert.is_true(ok or tostring(err):find("killed", 1, true) ~= nil, tostring(err))
    return ok
  end

  -- Runs `during` killed at each of its writes (or each so many), and what comes after. Returns how many there are.
  local function killed_everywhere(before, during, after, each)
    for number = 1, 100, each or 1 do
      s.service:reset()
      s:pass(-s.ahead)
      prepare()
      local state = memory.new()
      before(state)
      local is_over = die_at(number, state, function() during(state) end)
      after(state, number)
      local left = {}
      for key in pairs(state.contents) do
        left[#left + 1] = key:find "^escrows/" and key or nil
      end
      assert.same({}, left, number)
      if is_over then
        return number
      end
    end
  end

  local function finish(state)
    for _ = 1, 6 do
      advance_all(DAY, { state_dir = state })
    end
    assert.same({}, states { state_dir = state })
  end

  it("come to their ends wherever the beginning of the second is killed", function()
    local count = killed_everywhere(function(state)
      check(begin(1, { state_dir = state }))
    end, function(state)
      check(begin(2, { state_dir = state }))
    end, function(state, number)
      check(begin(2, { state_dir = state }))
      finish(state)
      local working, others = keys()
      assert.equal(2, #working, number)
      assert.same({}, others, number)
      assert.equal(working[1], s:holder("one").id)
      assert.equal(working[2], s:holder("two").id)
    end)
    assert.is_true(count > 5)
  end)

  it("come to their ends wherever the next rotation of the first, in its grace, is killed", function()
    local count = killed_everywhere(function(state)
      local first = check(begin(1, { state_dir = state }))
      check(begin(2, { state_dir = state }))
      pass(DAY)
      assert.equal("grace", (first:advance()))
    end, function(state)
      check(begin(3, { state_dir = state }))
    end, function(state, number)
      check(begin(3, { state_dir = state }))
      finish(state)
      local working, others = keys()
      assert.equal(2, #working, number)
      assert.same({}, others, number)
      assert.equal("4", s:holder("two").id)
      assert.equal(working[2], s:holder("one").id)
      local ended = {}
      for _, entry in ipairs(check(confidentai.rotation.history { state_dir = state })) do
        ended[entry.old_id] = (ended[entry.old_id] or 0) + 1
      end
      assert.same({ ["1"] = 1, ["2"] = 1, ["3"] = 1 }, ended, number)
      check(begin(working[2], { store = s:store("one", false), soak = 0, grace = 0, state_dir = state }))
      assert.equal(2, #open { ended = true, state_dir = state }, number) -- of what a dead process left, nothing
    end)
    assert.is_true(count > 8)
  end)

  it("come to their ends wherever the run that advances both is killed", function()
    local count = killed_everywhere(function(state)
      check(begin(1, { state_dir = state }))
      check(begin(2, { state_dir = state }))
    end, function(state)
      advance_all(DAY, { state_dir = state })
      advance_all(DAY, { state_dir = state })
    end, function(state, number)
      finish(state)
      local working, others = keys()
      assert.same({ "3", "4" }, working, number)
      assert.same({}, others, number)
      assert.equal("3", s:holder("one").id)
      assert.equal("4", s:holder("two").id)
    end, 3)
    assert.is_true(count > 20)
  end)
end)

describe("a record at the place that earlier versions had for all keys of a name", function()
  local s = scene.register { projects = { "web" } }

  it("is told of, and keeps other rotations of that name from beginning", function()
    check(s:rotate { soak = DAY })
    local state = assert(require("confidentai.state").find(s:path "state"))
    local key = assert(state.list "records/")[1]
    local former = key:match "^(.*)/1$"
    local bytes, version = state.get(key)
    assert(state.cas(former, bytes, nil))
    assert(state.cas(key, nil, version))
    local list, err, problems = confidentai.rotation.list { state_dir = s:path "state" }
    assert.same({}, list)
    assert.is_nil(err)
    assert.matches("an earlier version of this program wrote it", problems[1].message)
    assert.matches("move it away", problems[1].next)
    local rotation
    rotation, err = s:rotate { store = s:store(nil, false) }
    assert.is_nil(rotation)
    assert.matches("an earlier version of this program wrote it", err.message)
    assert.same({ "POST 2" }, s:changes())
  end)
end)
