-- SPDX-License-Identifier: Apache-2.0
-- What an answer to the create means (rotation page): each row of its table, by what is sent after it and by what is
-- there at the end.

local confidentai = require "confidentai"
local sandbox = require "confidentai.sandbox"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("the answer to the create", function()
  local s = scene.register { projects = { "web" } }

  -- The names that were sent, in order.
  local function sent()
    local names = {}
    for _, event in ipairs(s.events) do
      if event.what == "creating" then
        names[#names + 1] = event.name
      end
    end
    return names
  end

  local function posts()
    return #support.requests(s.service, "POST")
  end

  -- Ends with one working key in the store and nothing else, after so many creates under so many names.
  local function assert_done(rotation, err, creates, names)
    assert.is_table(rotation, tostring(err))
    assert.equal("done", rotation.state)
    assert.equal(creates, posts())
    local different, count = {}, 0
    for _, name in ipairs(sent()) do
      count = count + (different[name] and 0 or 1)
      different[name] = true
    end
    assert.equal(names, count)
    s:pass(2 * DAY)
    assert.equal("done", (rotation:advance()))
    assert.is_true(rotation:status().settled)
    local list = s:on_service()
    assert.equal(1, #list)
    assert.equal(list[1].id, s:holder().id)
    assert.is_true(list[1].valid)
  end

  local function create(fault)
    fault.operation = "create"
    s:fault(fault)
  end

  describe("that says it certainly did not happen", function()
    it("is waited for under the same name", function()
      create { type = "status", status = 429, headers = { ["Retry-After"] = "7" }, times = 2 }
      local before = s.ahead
      local rotation, err = s:rotate()
      assert.is_true(s.ahead - before >= 10 and s.ahead - before < 20, s.ahead - before) -- real time counts, too
      assert_done(rotation, err, 3, 1)
    end)

    it("is waited for when the service is busy", function()
      create { type = "status", status = 503, headers = { ["Retry-After"] = "3" } }
      local rotation, err = s:rotate()
      assert_done(rotation, err, 2, 1)
    end)

    for _, busy in ipairs { { 429, 61 }, { 503, 300 }, { 429, 4000 } } do
      it(("is given back when a %d asks for %d seconds, and gone on with later"):format(busy[1], busy[2]), function()
        create { type = "status", status = busy[1], headers = { ["Retry-After"] = tostring(busy[2]) }, times = -1 }
        local before = s.ahead
        local rotation, err = s:rotate()
        assert.is_nil(rotation)
        support.assert_error({ kind = "api", status = busy[1], state = "creating", retry_after = busy[2] }, err)
        assert.equal(1, posts())
        assert.is_true(s.ahead - before < 60, s.ahead - before)
        s.service:clear_faults()
        rotation, err = s:rotate { store = s:store(nil, false) }
        assert_done(rotation, err, 2, 1)
      end)
    end

    it("and happened all the same has its key removed", function()
      create { type = "status", status = 503, apply = true }
      local rotation, err = s:rotate()
      assert_done(rotation, err, 2, 1)
    end)

    it("is tried a few times only", function()
      create { type = "status", status = 429, times = -1 }
      local rotation, err = s:rotate()
      assert.is_nil(rotation)
      support.assert_error({ kind = "api", status = 429, state = "creating" }, err)
      assert.equal(6, posts())
      s.service:clear_faults()
      rotation, err = s:rotate { store = s:store(nil, false) }
      assert_done(rotation, err, 7, 1)
    end)

    it("is sent again when there was no connection", function()
      local options = { projects = { "web" }, state = s:path "service", port = 0, control_port = 0 }
      local service = assert(sandbox.start(options))
      options.port = tonumber(service.base_url:match ":(%d+)")
      local client = support.client(service, { max_retries = 0 })
      local project, stopped = service.projects[1], 0
      local store, waits = s:store("key", project.api_key), 0
      local rotation, err = client:project(project.id).api_keys:rotate(1, s:options {
        store = store,
        on_step = function(event)
          s.events[#s.events + 1] = event
          if event.what == "creating" and stopped < 1 then
            stopped = stopped + 1
            service:stop()
          end
        end,
        pause = function()
          waits = waits + 1
          if waits == 3 then
            service = assert(sandbox.start(options))
          end
        end,
      })
      client:close()
      local count = 0
      for _, entry in ipairs(assert(service:log())) do
        count = count + (entry.method == "POST" and 1 or 0)
      end
      service:stop()
      assert.is_table(rotation, tostring(err))
      assert.equal("done", rotation.state)
      assert.equal(1, count)
      assert.equal(4, #sent())
      assert.equal(sent()[1], sent()[4])
      assert.equal("2", rotation.new_id)
    end)
  end)

  describe("that is no", function()
    for _, status in ipairs { 400, 401, 403, 409, 422 } do
      it(("with %d ends it once it is certain that there is no key"):format(status), function()
        create { type = "status", status = status }
        local rotation, err = s:rotate()
        assert.is_nil(rotation)
        support.assert_error({ kind = "guard", state = "aborted" }, err)
        assert.matches("the service refused to create a key", err.message)
        assert.equal(1, posts())
        assert.equal(1, #s:on_service())
        assert.equal("1", s:holder().id)
        rotation, err = s:rotate()
        assert_done(rotation, err, 2, 2)
      end)
    end

    it("removes the key that it made all the same", function()
      create { type = "status", status = 422, apply = true }
      local rotation, err = s:rotate()
      assert.is_nil(rotation)
      support.assert_error({ state = "aborted" }, err)
      assert.same({ "POST 2", "PUT 2 false" }, s:changes())
      s:pass(60)
      check(s:open():advance())
      assert.same({ "POST 2", "PUT 2 false", "DELETE 2" }, s:changes())
    end)

    it("removes the key that it makes later", function()
      create { type = "late_commit", clock_seconds = 3600 }
      create { type = "status", status = 400 }
      local _, err = s:rotate()
      support.assert_error({ state = "aborted" }, err)
      s:pass(3600)
      local rotation = s:open()
      check(rotation:advance())
      s:pass(60)
      check(rotation:advance())
      assert.equal(1, #s:on_service())
    end)
  end)

  describe("that is unclear", function()
    local SECRET_KEPT = { { type = "truncate", bytes = 100000 } } -- all but the last byte
    local APPLIED = {
      { type = "lost_answer" }, { type = "hang", apply = true }, { type = "truncate" },
      { type = "truncate", bytes = 1 },
      { type = "status", status = 500, apply = true }, { type = "status", status = 502, apply = true,
        body = "<html></html>", content_type = "text/html" },
      { type = "status", status = 503, apply = true, body = "" },
      { type = "status", status = 429, apply = true, body = {} },
      { type = "garbage" }, { type = "body", body = [[{"success":false,"error":"no"}]] }, { type = "body", body = "" },
      { type = "body", body = "{}", status = 201 }, { type = "huge", bytes = 200000 },
    }
    local NOT_APPLIED = {
      { type = "drop" }, { type = "reset" }, { type = "hang" }, { type = "redirect", location = "/v1/elsewhere" },
      { type = "redirect", location = "/v1/elsewhere", status = 302 }, { type = "status", status = 500 },
      { type = "status", status = 503, body = "" }, { type = "status", status = 408 },
      { type = "status", status = 204, body = "" },
    }

    local function run(fault)
      local copy = {}
      for name, value in pairs(fault) do
        copy[name] = value
      end
      create(copy)
      local rotation, err = s:rotate(nil, s:client { timeout = 0.3, max_response_bytes = 100000 })
      return rotation, err
    end

    it("is settled by the list: what nobody holds goes, and another is made", function()
      for _, fault in ipairs(APPLIED) do
        s.service:reset()
        s.events, s.ahead = {}, 0
        local rotation, err = run(fault)
        assert.same({ "POST 2", "PUT 2 false", "POST 3", "PUT 1 false", "DELETE 1" }, s:changes(), fault.type)
        assert_done(rotation, err, 2, 2) -- and the key that nobody holds was watched, and is gone
        os.remove(s:record_path())
      end
    end)

    it("is settled by the list: what is not there is looked for, and another is made", function()
      for _, fault in ipairs(NOT_APPLIED) do
        s.service:reset()
        s.events, s.ahead = {}, 0
        local before = s.ahead
        local rotation, err = run(fault)
        assert.is_true(s.ahead - before >= 4, s.ahead - before) -- settle, 10 s, of which some really pass
        assert.equal(1, #rotation:status().suspects)
        assert_done(rotation, err, 2, 2)
        assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes(), fault.type)
        os.remove(s:record_path())
      end
    end)

    it("goes on with the key whose secret has arrived whole", function()
      for _, fault in ipairs(SECRET_KEPT) do
        local rotation, err = run(fault)
        assert_done(rotation, err, 1, 1)
      end
    end)

    it("has its key found when it comes late", function()
      create { type = "late_commit", clock_seconds = 5 } -- within settle
      local rotation, err = s:rotate()
      assert.same({ "POST 2", "PUT 2 false", "POST 3", "PUT 1 false", "DELETE 1" }, s:changes())
      assert_done(rotation, err, 2, 2)
    end)

    it("has its key found when it comes within a day", function()
      create { type = "late_commit", clock_seconds = 20 * 3600 }
      local rotation = check(s:rotate())
      assert.equal("done", rotation.state)
      assert.is_false(rotation:status().settled)
      assert.same({ sent()[1] }, rotation:status().suspects)
      s:pass(10 * 3600)
      local state, wait = rotation:advance()
      assert.equal("done", state)
      assert.is_true(wait > 0 and wait <= 3600)
      s:pass(11 * 3600)
      assert.equal(2, #s:on_service())
      assert.equal("done", (s:open():advance()))
      assert.is_false(s:on_service()[2].valid) -- it is watched before it is deleted
      s:pass(4 * 3600)
      rotation = s:open()
      state, wait = rotation:advance()
      assert.same({ "done" }, { state, wait })
      assert.equal(1, #s:on_service())
      assert.same({}, check(confidentai.rotation.open(s:client(), s:opening())))
    end)

    it("has its key found by the next rotation", function()
      create { type = "late_commit", clock_seconds = 3600 }
      check(s:rotate())
      s:pass(3600)
      local id = s:holder().id
      local rotation = check(s:rotate { id = tonumber(id), store = s:store(nil, false) })
      assert.equal("done", rotation.state)
      s:pass(60)
      assert.equal("done", (rotation:advance()))
      assert.equal(1, #s:on_service())
    end)

    it("is given up after two more names", function()
      create { type = "drop", times = -1 }
      local rotation, err = s:rotate()
      assert.is_nil(rotation)
      support.assert_error({ kind = "guard", state = "ambiguous" }, err)
      assert.equal(3, #sent())
      assert.equal(3, posts())
      local list = check(confidentai.rotation.open(s:client(), s:opening()))
      assert.equal(3, #list[1]:status().suspects)
      assert.equal("1", s:holder().id)
      s.service:clear_faults()
      s:pass(2 * DAY)
      assert.equal("ambiguous", (list[1]:advance()))
      assert.is_true(list[1]:status().settled)
      rotation = check(s:rotate())
      assert.equal("done", rotation.state)
    end)

    it("is not settled by a list that leaves keys out", function()
      create { type = "drop" }
      s:fault { type = "short_list", operation = "list", hide = 1, skip = 1, times = 4 }
      local rotation, err = s:rotate()
      assert_done(rotation, err, 2, 2)
      s.service:reset()
      os.remove(s:record_path())
      create { type = "lost_answer" }
      s:fault { type = "short_list", operation = "list", hide = { 1, 2 }, skip = 1, times = -1 }
      rotation, err = s:rotate()
      assert.is_nil(rotation)
      support.assert_error({ kind = "api", state = "creating" }, err)
      assert.matches("is incomplete", err.message)
      assert.equal(1, posts())
      s.service:clear_faults()
      rotation = check(s:rotate { store = s:store(nil, false) })
      assert.equal("done", rotation.state)
      s:pass(60)
      check(rotation:advance())
      assert.equal(1, #s:on_service())
    end)

    it("is not settled by a list that is late", function()
      create { type = "lost_answer" }
      s:fault { type = "stale_list", operation = "list", changes = 1, skip = 1, times = 3 }
      local rotation, err = s:rotate()
      assert_done(rotation, err, 2, 2)
      s.service:reset()
      os.remove(s:record_path())
      s.events = {}
      create { type = "lost_answer" }
      assert(s.service:set { list_delay = 60 }) -- longer than settle
      rotation, err = s:rotate()
      assert.is_table(rotation, tostring(err))
      assert_done(rotation, err, 2, 2)
    end)
  end)

  it("does not tell which key was made: its address does", function()
    -- Of the key that was made, and of the one that is rotated: what the service shows there is not what is answered.
    for id = 1, 2 do
      s.service:reset()
      s:fault { type = "body", operation = "create", status = 201, body = ([[{"success":true,"data":{"apiKey":{"id":%d,
        "name":"other","valid":true,"value":"confident_us_proj_0123456789abcdef0123456789abcdef",
        "created_at":"2026-01-01T00:00:00.000Z","lastUsed":null}}}]]):format(id) }
      local rotation, err = s:rotate()
      assert.same({ "POST 2", "PUT 2 false", "POST 3", "PUT 1 false", "DELETE 1" }, s:changes())
      s.events = {}
      assert_done(rotation, err, 2, 0)
      assert.equal("3", s:holder().id)
      os.remove(s:record_path())
    end
  end)

  it("keeps looking for a key that neither a late list nor its address shows", function()
    s:fault { type = "stale_list", operation = "list", changes = 1, skip = 1, times = 7 }
    s:fault { type = "status", status = 404, operation = "get", key_id = 2 }
    local rotation, err = s:rotate()
    assert_done(rotation, err, 1, 1)
  end)

  it("removes the second key when the create was delivered twice", function()
    for _, answer in ipairs { "first", "second" } do
      s.service:reset()
      s.events = {}
      create { type = "duplicate", answer = answer }
      local rotation, err = s:rotate()
      assert_done(rotation, err, 2, 1)
      os.remove(s:record_path())
    end
  end)

  it("is safe before it is looked at", function()
    local held
    s:rotate { on_step = function(event)
      if event.state == "escrowed" and not held then
        for _, path in ipairs(s:state_files()) do
          held = held or path:find("/escrows", 1, true) and path
        end
        s:fault { type = "drop", times = -1 }
      end
    end }
    assert.is_truthy(held)
    s.service:clear_faults()
    local rotation = check(s:rotate { store = s:store(nil, false) })
    assert.equal("done", rotation.state)
    assert.equal(1, posts())
  end)
end)
