-- SPDX-License-Identifier: Apache-2.0
-- The command that a rotation runs once its stores hold another secret.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local uv = require "luv"

local check, DAY = confidentai.check, 86400

describe("on_published", function()
  local s = scene.register { projects = { "web" } }

  -- It appends what the store's users would read now to a log; and fails while a file is there.
  local function command()
    -- A sanitizer that is preloaded is not for these programs.
    return { "env", "-u", "LD_PRELOAD", "sh", "-c",
      'test ! -e "$0/broken" || { echo "not today" >&2; exit 3; }; tail -c 7 "$0/key" >>"$0/log"', s.folder }
  end

  local function start(more)
    local options = { on_published = command(), soak = DAY, grace = DAY, adoption = "time" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return check(s:rotate(options))
  end

  local function ending(secret)
    return secret:sub(-6) .. "\n"
  end

  it("runs once, when the stores hold the new secret", function()
    local rotation = start()
    local log = s:read "log"
    assert.equal(s:read("key"):sub(-7), log)
    assert.not_equal(ending(s.service.projects[1].api_key), log)
    assert.same({ state = "succeeded", tries = 1 }, rotation:status().notice)
    assert.is_nil(rotation:status().attention)
    s:pass(DAY + 1)
    assert.equal("grace", (rotation:advance()))
    assert.equal(log, s:read "log")
  end)

  it("keeps the old key enabled until it has succeeded", function()
    s:write("broken", "")
    local rotation = start { soak = 0 }
    local status = rotation:status()
    assert.equal("soaking", status.state)
    assert.equal("failed", status.notice.state)
    assert.equal("command failed", status.attention)
    assert.matches("exited with status 3: not today", status.notice.problem)
    assert.matches("The command on_published has failed: [^\n]*not today", status.text)
    s:pass(2 * DAY)
    assert.equal("soaking", (rotation:advance()))
    assert.equal(2, rotation:status().notice.tries)
    assert.same({}, s:changes_of "PUT 1 false")
    os.remove(s:path "broken")
    assert.equal("grace", (s:open():advance()))
    assert.equal(s:read("key"):sub(-7), s:read "log")
    assert.same({ "PUT 1 false" }, s:changes_of "PUT 1 false")
  end)

  it("keeps nothing waiting when somebody confirms, or nobody shall use the old key", function()
    s:write("broken", "")
    local rotation = start { soak = 0 }
    check(rotation:confirm())
    assert.equal("grace", (rotation:advance()))
    assert.is_nil((rotation:rollback())) -- which has to tell of the old secret
    os.remove(s:path "broken")
    assert.equal("grace", (rotation:rollback()))
    s:pass(DAY + 1)
    assert.equal("aborted", (rotation:advance()))
    s:write("broken", "")
    assert.equal("done", start({ compromised = true }).state)
  end)

  it("runs again when a rollback has put the old secret back", function()
    local rotation = start()
    assert.equal("soaking", (rotation:rollback()))
    assert.equal(ending(s.service.projects[1].api_key), s:read("log"):sub(-7))
    assert.equal(2, #s:read("log") / 7)
  end)

  it("keeps the new key while the users cannot be told of the old one", function()
    local rotation = start()
    s:write("broken", "")
    local state, err = rotation:rollback()
    assert.is_nil(state)
    assert.matches("not today", err.message)
    assert.equal(2, #s:on_service())
    os.remove(s:path "broken")
    assert.equal("soaking", (s:open():advance()))
    s:pass(3602)
    assert.equal("grace", (s:open():advance()))
    s:pass(DAY + 1)
    assert.equal("aborted", (s:open():advance()))
    assert.equal(1, #s:on_service())
  end)

  it("is run again when the process died in the middle", function()
    local events = 0
    local rotation = start { on_step = function(event)
      events = events + (event.what == "running the command on_published" and 1 or 0)
    end }
    assert.equal(1, events)
    local recorded = command()
    recorded[1] = require("confidentai.core").program "env"
    assert.same(recorded, s:record().options.on_published)
    s:edit(function(record) record.notice.done = nil end) -- as it was before the end was written
    assert.equal("soaking", (rotation:advance()))
    assert.equal(2, #s:read("log") / 7)
  end)

  it("is the command that was meant, in the folder that it was meant in, where a later run is in another", function()
    local here = assert(uv.cwd())
    for _, name in ipairs { "begun", "later" } do
      assert(uv.fs_mkdir(s:path(name), 448))
      s:write(name .. "/reload", "#!/bin/sh\ntest -e ready && echo $0 >ran\n")
      assert(uv.fs_chmod(s:path(name .. "/reload"), 448))
    end
    assert(uv.chdir(s:path "begun"))
    local ok, rotation = pcall(start, { on_published = { "./reload" } })
    assert(uv.chdir(s:path "later"))
    s:write("begun/ready", "")
    s:write("later/ready", "")
    s:pass(61)
    local done, problem = pcall(function() check(s:open():advance()) end)
    assert(uv.chdir(here))
    assert(ok, rotation)
    assert(done, problem)
    assert.equal(s:path "begun/reload" .. "\n", s:read "begun/ran")
    assert.is_nil(uv.fs_stat(s:path "later/ran"))
  end)

  it("takes words, and no secret among them", function()
    for problem, words in pairs {
      ["a program is expected first"] = {}, ["cannot be started: No such file"] = { "no-such-program" },
      ["on_published': its program cannot be started: No such file"] = { "./no-such-program" },
 ["strings without NUL"] = { "a", 1 },
      ["looks like a secret"] = { "curl", "-H", "Key: " .. s.service.api_key },
    } do
      assert.error_matches(function() s:rotate { on_published = words } end, problem)
    end
  end)
end)
