-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate` that is ended in the middle, or meets another one: the next run goes on, and no key is lost.

local command = require "spec.cli.command"
local process = require "spec.process"
local rotating = require "spec.cli.rotating"
local support = require "spec.support"
local uv = require "luv"

describe("confidentai rotate, interrupted,", function()
  local r = rotating.register()
  local s = r.scene

  local function start(...)
    s:store()
    return command.start(s.service, r:words(r:starting(...)))
  end

  local function wait_for(condition, what)
    for _ = 1, 500 do
      if condition() then
        return
      end
      uv.run "nowait"
      uv.sleep(10)
    end
    error("it did not come: " .. what)
  end

  local function finish(child)
    local status, signal, output, errors = child:finish()
    s:assert_no_secret(output)
    s:assert_no_secret(errors)
    return status, signal, errors
  end

  local function assert_goes_on()
    s.service:clear_faults()
    local rows = r:json { "rotate", "advance" }
    assert.equal("soaking", rows[1].state)
    assert.equal(2, r:working())
    assert.equal(rows[1].new_id, s:holder().id)
  end

  for signal, status in pairs { sigterm = 143, sigint = 130, sighup = 129 } do
    it("goes on after " .. signal .. " in the middle of the create", function()
      s:fault { type = "delay", method = "POST", seconds = 20, when = "after" }
      local child = start()
      wait_for(function() return #support.requests(s.service, "POST") == 1 end, "the create")
      child:kill(signal)
      local ended, _, errors = finish(child)
      assert.equal(status, ended)
      local id = s:record().id
      assert.is_truthy(errors:find("confidentai: ended by " .. signal:upper() .. ": rotation " .. id, 1, true), errors)
      assert.is_truthy(errors:find("confidentai rotate advance " .. id .. " --state-dir", 1, true))
      assert_goes_on()
    end)
  end

  it("goes on after SIGKILL at any request", function()
    for request = 2, 5 do
      s.service:reset()
      s:fault { type = "hang", skip = request }
      local child = start()
      wait_for(function() return #assert(s.service:log()) > request end, "request " .. request)
      child:kill "sigkill"
      finish(child)
      if s:record_path() then
        assert_goes_on()
        r:json { "rotate", "rollback", "Default Key", "--now" }
      end
      assert.equal(1, r:working())
      for _, path in ipairs(s:state_files()) do
        os.remove(path)
      end
    end
  end)

  it("kills the command of --on-published, and runs it again", function()
    local child = start("--on-published", ("sh -c 'echo x >>%s/ran; test -e %s/fast || sleep 60'"):format(s.folder,
      s.folder))
    wait_for(function() return s:read "ran" == "x\n" end, "the command")
    child:kill "sigterm"
    assert.equal(143, (finish(child)))
    s:write("fast", "")
    assert.equal("succeeded", r:json({ "rotate", "advance" })[1].notice.state)
    assert.equal("x\nx\n", s:read "ran")
  end)

  it("sees a signal that comes between two short waits", function()
    local _, _, output, errors = process.run [[
      local interruption = require "confidentai.cli.interruption"
      local pause = require "confidentai.pause"
      local uv = require "luv"
      interruption.watch()
      uv.kill(uv.os_getpid(), "sigterm")
      local ok, caught = pcall(pause, interruption.driver, 0.001)
      print(ok, interruption.caught(caught))
    ]]
    assert.equal("false\ttrue\n", output, errors)
  end)

  it("says who is at it when another one works on the same rotation", function()
    local child = start("--on-published", ("sh -c 'echo x >>%s/ran; sleep 60'"):format(s.folder))
    wait_for(function() return s:read "ran" end, "the command")
    local errors = r:fails(1, { "rotate", "advance" })
    assert.matches(child.pid .. " on host .* has this rotation locked", errors)
    child:kill "sigterm"
    finish(child)
  end)

  it("ends a --wait, which others may shorten meanwhile", function()
    local child = start("--soak", "1h", "--adoption", "time", "--wait")
    wait_for(function() return s:record_path() and s:record().evidence end, "the soak")
    local id = s:record().id
    r:done { "rotate", "confirm", id }
    assert.equal("grace", r:json({ "rotate", "advance", id })[1].state)
    child:kill "sigint"
    local status, _, errors = finish(child)
    assert.equal(130, status)
    assert.matches("rotate advance " .. id, errors)
  end)

  it("does not mind a reader that has gone", function()
    r:start()
    local result = r:run({ "rotate", "list" }, { shell = "{ sleep 0.3; $command; echo $? >&2; } | true" })
    assert.equal("1\n", result.errors)
  end)
end)
