-- SPDX-License-Identifier: Apache-2.0
-- What Lua sees of running programs (core.process). What becomes of them in odd hosts: spec/core/process_host_test.c.

local core = require "confidentai.core"
local uv = require "luv"

describe("a process", function()
  local function finish(process)
    local deadline = core.now() + 10
    while not process:step() and core.now() < deadline do
      uv.sleep(1)
    end
    assert.is_true(process:done())
    return process
  end

  local function sh(script, options)
    return finish(assert(core.process({ "sh", "-c", script }, options)))
  end

  it("reads its input and says what it says", function()
    local process = sh("cat; echo wrong >&2", { input = "in\0put" })
    assert.equal(0, process:status())
    assert.same({ "in\0put", false }, { process:output() })
    assert.same({ "wrong\n", false }, { process:errors() })
  end)

  it("tells how it ended", function()
    local running = assert(core.process { "sleep", "0.2" })
    assert.same({ nil, "running" }, { running:status() })
    assert.equal(0, finish(running):status())
    assert.equal(3, sh("exit 3"):status())
    assert.same({ nil, "signal 15" }, { sh("kill -TERM $$"):status() })
    assert.same({ nil, "timeout" }, { sh("sleep 10", { timeout = 0.1 }):status() })
    local killed = assert(core.process { "sleep", "10" })
    killed:kill()
    assert.same({ nil, "signal 9" }, { finish(killed):status() })
  end)

  it("says why it cannot start", function()
    assert.same({ nil, "No such file or directory" }, { core.process { "no-such-program" } })
    assert.same({ nil, "Permission denied" }, { core.process { "/etc/passwd" } })
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("no program")
    file:close()
    assert(uv.fs_chmod(path, 448))
    local process = finish(assert(core.process { path }))
    assert.same({ nil, "unstarted", "Exec format error" }, { process:status() })
    os.remove(path)
  end)

  it("says when it kept less than there was", function()
    local output, cut = sh("head -c 70000 /dev/zero"):output()
    assert.equal(65536, #output)
    assert.is_true(cut)
    local errors
    errors, cut = sh("head -c 70000 /dev/zero >&2; echo end >&2"):errors()
    assert.equal(4096, #errors)
    assert.equal("\0end\n", errors:sub(-5))
    assert.is_true(cut)
  end)

  it("runs in the folder that it is given, and nowhere when that is gone", function()
    assert.equal("/usr\n", (sh("pwd", { folder = "/usr" }):output()))
    assert.same({ nil, "unstarted", "No such file or directory" },
      { sh("pwd", { folder = "/no/such/folder" }):status() })
    assert.is_nil((core.process({ "./sh" }, { folder = "/bin" }))) -- of which folder?
  end)

  it("is killed when it is collected", function()
    local process = assert(core.process { "sh", "-c", "echo $$; sleep 10" })
    local pid
    while not pid do
      process:step()
      pid = tonumber((process:output():match "^(%d+)\n"))
      uv.sleep(1)
    end
    process = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    local deadline = core.now() + 5
    while uv.kill(pid, 0) == 0 and core.now() < deadline do
      uv.sleep(5)
    end
    assert.is_true(core.now() < deadline)
  end)

  it("raises about arguments that are none", function()
    for _, f in ipairs {
      function() core.process() end, function() core.process {} end, function() core.process { 7 } end,
      function() core.process { "a\0b" } end, function() core.process({ "true" }, 7) end,
      function() core.process({ "true" }, { input = 7 }) end, function() core.process({ "true" }, { timeout = 0 }) end,
      function() core.process({ "true" }, { folder = true }) end, function() core.program() end,
    } do
      local ok, message = pcall(f)
      assert.is_false(ok)
      assert.matches("bad argument", message, 1, true)
    end
  end)
end)

describe("a program", function()
  it("is found as the system finds it", function()
    assert.matches("/bin/sh$", assert(core.program "sh"))
    assert.equal("/bin/sh", core.program "/bin/sh")
    assert.same({ nil, "No such file or directory" }, { core.program "no-such-program" })
    assert.same({ nil, "Permission denied" }, { core.program "/etc" })
  end)
end)

describe("redact", function()
  it("covers a secret, the service's secrets, and what is no text", function()
    assert.equal("a ********** b", core.redact("a s3cret-one b", "s3cret-one"))
    assert.equal("a ***************************abcdef b", core.redact("a confident_us_org_0123456789abcdef b"))
    assert.equal("one two three", core.redact("one\0two\nthree"))
    assert.equal("ab", core.redact("ab", "ab")) -- too short to be one
    assert.equal("", core.redact(""))
    assert.is_false(pcall(core.redact, {}))
  end)
end)
