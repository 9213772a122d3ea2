-- SPDX-License-Identifier: Apache-2.0
-- A store whose command certainly stored nothing, and which nobody can read: no one has the new secret, so the new key
-- must not stay alive under a record that cannot be ended.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local scene = require "spec.rotation.scene"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check

-- Programs that a look finds executable, and the system cannot start; or what takes a good one away at the last moment.
local failures = {
  ["has no first line that names its interpreter"] = { text = "cat >/dev/null\n" },
  ["has that line ending in CR LF"] = { text = "#!/bin/sh\r\ncat >/dev/null\r\n" },
  ["has an interpreter that is missing"] = { text = "#!/no/such/interpreter\n" },
  ["has an interpreter that is a folder"] = { text = "#!/\n" },
  ["has been removed since"] = { text = "#!/bin/sh\ncat >/dev/null\n", before = os.remove },
  ["is not executable any more"] = { text = "#!/bin/sh\ncat >/dev/null\n", before = function(path)
    assert(uv.fs_chmod(path, 384))
  end },
  ["meets a process without free descriptors"] = { text = "#!/bin/sh\ncat >/dev/null\n", is_full = true },
}

describe("a store that took nothing, as its program", function()
  local s = scene.register { projects = { "web" } }
  local real = core.process

  after_each(function() core.process = real end)

  -- A store that cannot be read, of a program that fails in this way at each put.
  local function broken(failure)
    local path = s:write("put", failure.text)
    assert(uv.fs_chmod(path, 448))
    local store = confidentai.store.exec { command = { path } }
    return store, function(event)
      if event.what == "writing a store" then
        local _ = failure.before and failure.before(path)
        core.process = failure.is_full and function() return nil, "Too many open files" end or real
      end
    end
  end

  local function assert_one_key()
    assert.equal(1, #s:on_service())
    assert.is_true(s:on_service()[1].valid)
  end

  for what, failure in pairs(failures) do
    it(what .. ": the new key is removed when the rotation goes back, without a question", function()
      local store, on_step = broken(failure)
      local rotation, err = s:rotate { store = store, on_step = on_step }
      assert.is_nil(rotation)
      support.assert_error({ kind = "store", state = "published", outcome = "not_applied" }, err)
      rotation = s:open()
      local status = rotation:status()
      assert.matches("rotate rollback " .. rotation.id, table.concat(status.commands, "\n"), 1, true)
      assert.equal("aborted", check(rotation:rollback()))
      s:clean_up(rotation)
      assert_one_key()
      assert.same({ "POST 2", "PUT 2 false", "DELETE 2" }, s:changes())
      assert.is_true(rotation:status().settled)
    end)

    it(what .. ": a provisioning leaves nothing", function()
      local store, on_step = broken(failure)
      local key, err = s:keys():provision("svc", { store = store, state_dir = s:path "state", clock = s.clock,
        pause = s.pause, random = s.random, on_step = on_step, settle = 10 })
      assert.is_nil(key)
      support.assert_error({ kind = "store", state = "aborted", outcome = "not_applied" }, err)
      assert_one_key()
      assert.same({}, check(confidentai.rotation.open(s:client(), s:opening())))
    end)
  end

  it("cannot be started, is aborted in place of rolled back, too", function()
    local store, on_step = broken { text = "no program\n" }
    s:rotate { store = store, on_step = on_step }
    local rotation = s:open()
    assert.equal("aborted", check(rotation:abort()))
    s:clean_up(rotation)
    assert_one_key()
  end)

  it("cannot be started, has the others put back what they held", function()
    local store, on_step = broken { text = "no program\n" }
    s:rotate { store = { s:store(), store }, on_step = on_step }
    assert.equal("2", s:holder().id)
    local rotation = s:open()
    assert.equal("aborted", check(rotation:rollback()))
    assert.equal("1", s:holder().id)
    s:clean_up(rotation)
    assert_one_key()
  end)

  it("could not be started at a second try, may hold the secret of the first", function()
    local path = s:write("put", "#!/bin/sh\ncat >/dev/null; exit 3\n")
    assert(uv.fs_chmod(path, 448))
    local _, err = s:rotate { store = confidentai.store.exec { command = { path } } }
    support.assert_error({ kind = "store", state = "published", outcome = "unknown" }, err)
    s:write("put", "no program\n")
    local rotation = s:open()
    _, err = rotation:advance()
    support.assert_error({ kind = "store", outcome = "not_applied" }, err)
    _, err = rotation:rollback()
    assert.matches("put the old secret there by hand and confirm", err.message)
    assert.is_true(s:on_service()[2].valid)
  end)

  -- A first line such as `#!/usr/bin/env sh` with CR LF: env is started, and fails.
  it("may have been started by a provisioning, is asked about without a word of an old key, and ends", function()
    local path = s:write("put", "#!/bin/sh\ncat >/dev/null; exit 127\n")
    assert(uv.fs_chmod(path, 448))
    local key, err = s:keys():provision("svc", { store = confidentai.store.exec { command = { path } },
      state_dir = s:path "state", clock = s.clock, pause = s.pause, random = s.random, settle = 10 })
    assert.is_nil(key)
    assert.matches("may hold the new secret: if it does, take that out by hand and confirm", err.message, 1, true)
    local rotation = s:open()
    assert.same({ "confidentai", "rotate", "confirm", rotation.id }, err.ways[#err.ways].steps[1])
    local status = rotation:status()
    assert.is_nil((status.text .. err.message):find "%f[%a]old%f[%A]", status.text)
    assert.matches("svc: removing the new key again.", status.text, 1, true)
    assert.matches("Next: the stores are given back what they held before", status.text, 1, true)
    check(rotation:confirm())
    check(rotation:advance())
    s:clean_up(rotation)
    assert_one_key()
  end)
end)
