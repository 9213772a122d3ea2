-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local blocking = require "confidentai.driver.blocking"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local exec = require "confidentai.store.exec"
local wait = require "confidentai.pause"
local uv = require "luv"

local SECRET = "confident_us_org_s3cr3t0123456789abcdef"
local HIDDEN = "s3cr3t0123456789"

describe("an exec store", function()
  local folder, context, pauses

  before_each(function()
    folder = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/exec-XXXXXX"))
    pauses = {}
    context = { pause = function(seconds)
      pauses[#pauses + 1] = seconds
      uv.sleep(math.ceil(seconds * 1e3))
    end }
  end)

  after_each(function()
    for name in uv.fs_scandir_next, assert(uv.fs_scandir(folder)) do
      os.remove(folder .. "/" .. name)
    end
    os.remove(folder)
  end)

  local function write(name, text, mode)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    assert(uv.fs_chmod(path, mode or 384))
    return path
  end

  local function read(name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end

  -- Scripts find the folder as $0.
  local function sh(script, options)
    local given = { command = { "sh", "-c", script, folder } }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    return exec.new(given)
  end

  local function reading(script, options)
    options = options or {}
    options.check = { "sh", "-c", script, folder }
    return sh("exit 0", options)
  end

  -- The message and certainty of a put that fails.
  local function fails(store, text)
    local stored, message, certainty = store:put(text or SECRET, context)
    assert.is_nil(stored)
    assert.is_nil(message:find(HIDDEN, 1, true), message)
    assert.equal(store.label, message:sub(1, #store.label))
    return message, certainty
  end

  local function assert_gone(pid)
    local deadline = core.now() + 5
    local function is_running()
      local file = io.open(("/proc/%d/stat"):format(pid))
      local text = file and file:read("*a") or "1 (x) Z"
      if file then
        file:close()
      end
      return not text:find("%) [ZX]")
    end
    while is_running() and core.now() < deadline do
      uv.sleep(5)
    end
    assert.is_false(is_running())
  end

  describe("that puts", function()
    it("gives the secret on standard input, and nothing else", function()
      assert.is_true(sh("cat >$0/stored"):put(SECRET, context))
      assert.equal(SECRET, read "stored")
    end)

    it("gives long texts whole", function()
      local text = ("0123456789"):rep(20000)
      assert.is_true(sh("cat >$0/stored"):put(text, context))
      assert.equal(text, read "stored")
    end)

    it("shows the secret in no arguments and no environment", function()
      assert(sh("cat /proc/*/cmdline /proc/$$/environ /proc/self/environ >$0/seen 2>/dev/null; cat >$0/stored")
        :put(SECRET, context))
      assert.equal(SECRET, read "stored")
      assert.is_true(#read "seen" > 0)
      assert.is_nil(read("seen"):find(HIDDEN, 1, true))
    end)

    it("keeps the client's own credential to itself", function()
      local names = { "CONFIDENT_ORG_API_KEY", "CONFIDENT_PROJ_API_KEY", "CONFIDENT_API_KEY" }
      for _, name in ipairs(names) do
        uv.os_setenv(name, SECRET)
      end
      local stored, message = sh("env >$0/seen"):put("x", context)
      for _, name in ipairs(names) do
        uv.os_unsetenv(name)
      end
      assert.is_true(stored, message)
      assert.is_nil(read("seen"):find("_API_KEY", 1, true))
      assert.is_truthy(read("seen"):find("PATH=", 1, true))
    end)

    it("looks seldom at one that takes long", function()
      assert.is_true(sh("sleep 0.5"):put(SECRET, context))
      assert.is_true(#pauses < 60, #pauses)
      for _, seconds in ipairs(pauses) do
        assert.is_true(seconds >= 0.001 and seconds <= 0.025)
      end
    end)

    it("is sure that nothing is stored when the command is missing", function()
      local message, certainty = fails(exec.new { command = { "no-such-command" } })
      assert.equal("exec:no-such-command: its command cannot be started: No such file or directory", message)
      assert.equal("failed", certainty)
    end)

    it("is sure when the command is not executable", function()
      local message, certainty = fails(exec.new { command = { write("tool", "#!/bin/sh\n") } })
      assert.matches("cannot be started: Permission denied", message, 1, true)
      assert.equal("failed", certainty)
    end)

    it("is sure when the command is no program", function()
      local message, certainty = fails(exec.new { command = { write("tool", "#!/no/such/interpreter\n", 448) } })
      assert.matches("cannot be started: No such file or directory", message, 1, true)
      assert.equal("failed", certainty)
    end)

    it("says how the command failed, and what it said", function()
      local message, certainty = fails(sh("cat >/dev/null; echo '  no  such'; echo 'permission\tdenied' >&2; exit 3"))
      assert.equal("exec:sh: its command exited with status 3: permission denied", message)
      assert.equal("unknown", certainty)
    end)

    it("says which signal ended it", function()
      local message, certainty = fails(sh("kill -TERM $$"))
      assert.equal("exec:sh: its command was ended by signal 15", message)
      assert.equal("unknown", certainty)
    end)

    it("covers the secret in what the command says", function()
      assert.matches(": got %*+abcdef$", (fails(sh("echo \"got $(cat)\" >&2; exit 1"))))
      assert.matches(": got %*+9%-word$",
        (fails(sh("echo \"got $(cat)\" >&2; exit 1"), "another-s3cr3t0123456789-word")))
    end)

    it("covers the part of the secret that what is kept of a long complaint begins with", function()
      for length = 4050, 4100 do
        local message = fails(sh(("cat >&2; head -c %d /dev/zero | tr '\\0' ' ' >&2; exit 1"):format(length)))
        for i = 1, #SECRET - 11 do -- its last six may show, and parts that are words of any message
          assert.is_nil(message:find(SECRET:sub(i, i + 11), 1, true), message)
        end
      end
    end)

    it("shortens what the command says", function()
      local message = fails(sh("i=0; while [ $i -lt 500 ]; do echo line $i >&2; i=$((i + 1)); done; exit 1"))
      assert.is_true(#message < 500)
      assert.matches("line 498 line 499$", message)
    end)

    it("ends the command, and what it started, at the time limit", function()
      local store = sh("sleep 60 & echo $! >$0/pid; sleep 60", { timeout = 0.3 })
      local before = core.now()
      local message, certainty = fails(store)
      assert.equal("exec:sh: its command did not end within 0.3 seconds, and was killed", message)
      assert.equal("unknown", certainty)
      assert.is_true(core.now() - before < 3)
      assert_gone(tonumber(read "pid"))
    end)

    it("takes a command that reads nothing by its word", function()
      local text = ("x"):rep(200000)
      assert.is_true(sh("exec <&-; sleep 0.05"):put(text, context))
      assert.matches("status 4", (fails(sh("exec <&-; sleep 0.05; exit 4"), text)), 1, true)
    end)

    it("is not troubled by much output, or by what it leaves running", function()
      local much = "head -c 5000000 /dev/zero"
      assert.is_true(sh(("cat >$0/stored; %s; %s >&2"):format(much, much)):put(SECRET, context))
      local before = core.now()
      assert.is_true(sh("sleep 3 & cat >$0/stored"):put(SECRET, context))
      assert.is_true(core.now() - before < 2)
    end)

    it("ends the command when the wait is broken off", function()
      function context.pause()
        local file = io.open(folder .. "/pid")
        if file and file:read("*n") then
          error("interrupted", 0)
        end
      end
      collectgarbage "stop" -- which would end it, too
      local ok, message = pcall(function()
        sh("echo $$ >$0/pid; sleep 60"):put(SECRET, context)
      end)
      assert.same({ false, "interrupted" }, { ok, message })
      assert_gone(tonumber(read "pid"))
      collectgarbage "restart"
    end)

    it("ends the command when waiting is over, and says so", function()
      function context.pause()
        local file = io.open(folder .. "/pid")
        if file and file:read("*n") then
          return nil, "told to end"
        end
      end
      collectgarbage "stop"
      local message, certainty = fails(sh("echo $$ >$0/pid; sleep 60"))
      assert.equal("exec:sh: its command was ended, because its caller gave up: told to end", message)
      assert.equal("unknown", certainty)
      assert_gone(tonumber(read "pid"))
      collectgarbage "restart"
    end)

    it("starts no command where nothing can wait", function()
      function context.pause()
        return nil, "no waiting here"
      end
      local message, certainty = fails(sh("touch $0/ran"))
      assert.equal("exec:sh: its command was not started: no waiting here", message)
      assert.equal("failed", certainty)
      assert.is_nil(uv.fs_stat(folder .. "/ran"))
    end)

    it("lets the wait yield", function()
      function context.pause()
        coroutine.yield()
      end
      local store, yields = sh("cat >$0/stored; sleep 0.1"), 0
      local co = coroutine.create(function()
        local stored, message = store:put(SECRET, context)
        return stored, message
      end)
      local ok, stored
      repeat
        ok, stored = coroutine.resume(co)
        yields = yields + 1
        uv.sleep(1)
      until coroutine.status(co) == "dead"
      assert.is_true(ok, stored)
      assert.is_true(stored)
      assert.is_true(yields > 2)
    end)

    it("gives way to other tasks of a gather", function()
      function context.pause(seconds)
        local passed, err = wait(blocking, seconds)
        return passed, err
      end
      -- Each ends when all six have begun, and gives up after a while.
      local tasks, program = {}, [[touch $0/begun%d; i=0; until [ $(ls $0 | grep -c begun) = 6 ]; do
        i=$((i + 1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done; cat >$0/%d]]
      for i = 1, 6 do
        tasks[i] = function()
          local stored, message = sh(program:format(i, i)):put(SECRET, context)
          return stored, message
        end
      end
      local results, errors = confidentai.gather(tasks)
      assert.same({}, errors)
      for i = 1, 6 do
        assert.is_true(results[i])
        assert.equal(SECRET, read(tostring(i)))
      end
    end)

    it("ends with the gather that it is in", function()
      function context.pause(seconds)
        local passed, err = wait(blocking, seconds)
        return passed, err
      end
      local before, certainty = core.now(), nil
      local _, errors = confidentai.gather({
        function()
          local stored, message
          stored, message, certainty = sh("echo $$ >$0/pid; sleep 60"):put(SECRET, context)
          return stored, message
        end,
        function()
          repeat -- the command has begun
            wait(blocking, 0.05)
            local file = io.open(folder .. "/pid")
            local text = file and file:read "*a"
            if file then
              file:close()
            end
          until (text or "") ~= ""
          error("on purpose", 0)
        end,
      }, { on_error = "cancel" })
      assert.matches("its command was ended, because its caller gave up", errors[1], 1, true)
      assert.equal("unknown", certainty)
      assert.is_true(core.now() - before < 3)
      assert_gone(tonumber(read "pid"))
    end)

    it("takes nothing out, and says what to do", function()
      local message, certainty = select(2, sh("touch $0/ran"):put(false, context))
      assert.equal("exec:sh: its command can store a secret, and take none out: remove it there by hand", message)
      assert.equal("failed", certainty)
      assert.is_nil(uv.fs_stat(folder .. "/ran"))
    end)
  end)

  describe("that gets", function()
    it("gives what its check prints, without the end of its line", function()
      assert.equal("text", reading("echo text"):get(context))
      assert.equal("text", reading("printf text"):get(context))
      assert.equal("text", reading("printf 'text\\r\\n'"):get(context)) -- by tools of Windows
      assert.equal("two\nlines\n", reading("printf 'two\\nlines\\n\\n'"):get(context))
      assert.equal("a\0b", reading("printf 'a\\0b'"):get(context))
    end)

    it("says false where nothing is stored", function()
      assert.is_false(reading("true"):get(context))
      assert.is_false(reading("echo"):get(context))
    end)

    it("cannot tell when the check fails, and says why", function()
      local text, message = reading("echo secret; echo no such path >&2; exit 2"):get(context)
      assert.is_nil(text)
      assert.equal("exec:sh: its check exited with status 2: no such path (it must print the secret, or nothing where "
        .. "none is stored, and succeed)", message)
    end)

    it("covers what the check printed in what it complained of", function()
      local message = select(2, reading("echo old-s3cr3t0123456789-old | tee /dev/stderr; exit 1"):get(context))
      assert.is_nil(message:find(HIDDEN, 1, true), message)
    end)

    it("covers what the check printed, whatever stands around it", function()
      for _, printed in ipairs { "old-s3cr3t0123456789-old\\n", "a old-s3cr3t0123456789-old b\\r\\n\\n" } do
        local message = select(2, reading(("printf '%s'; echo 'not old-s3cr3t0123456789-old' >&2; exit 1"):format(
          printed)):get(context))
        assert.is_nil(message:find(HIDDEN, 1, true), message)
      end
    end)

    it("cannot tell when the check does not end, or not start", function()
      assert.matches("did not end within 0.2 seconds",
        select(2, reading("sleep 9", { timeout = 0.2 }):get(context)), 1, true)
      assert.matches("its check cannot be started: No such file",
        select(2, exec.new { command = { "true" }, check = { "no-such-check" } }:get(context)), 1, true)
    end)

    it("never passes a part off as the whole", function()
      local text, message = reading("head -c 70000 /dev/zero"):get(context)
      assert.is_nil(text)
      assert.equal("exec:sh: its check printed more than 65536 bytes", message)
    end)

    it("says that it cannot without a check", function()
      local store = sh("true")
      assert.is_false(store.readable)
      assert.same({ nil, "exec:sh: cannot be read, as it has no check" }, { store:get(context) })
    end)

    it("gives back what was put", function()
      local store = sh("cat >$0/stored", { check = { "cat", folder .. "/stored" } })
      assert.is_true(store.readable)
      assert.is_true(store:put(SECRET, context))
      assert.equal(SECRET, store:get(context))
    end)
  end)

  describe("is looked at before its use:", function()
    it("the command can be run, and is not", function()
      assert.is_true(sh("touch $0/ran"):preflight(context))
      assert.is_nil(uv.fs_stat(folder .. "/ran"))
      assert.same({ nil, "exec:no-such-command: its command cannot be started: No such file or directory" },
        { exec.new { command = { "no-such-command" } }:preflight(context) })
      assert.matches("Permission denied",
        select(2, exec.new { command = { write("tool", "#!/bin/sh\n") } }:preflight(context)), 1, true)
    end)

    it("the check succeeds", function()
      assert.is_true(reading("echo text"):preflight(context))
      assert.is_true(reading("true"):preflight(context))
      local ready, message = reading("echo locked >&2; exit 1"):preflight(context)
      assert.is_nil(ready)
      assert.matches("its check exited with status 1: locked", message, 1, true)
    end)
  end)

  it("tells what it is", function()
    local store = exec.new { command = { "/usr/bin/vault", "kv", "put", "x" }, check = { "vault" }, timeout = 5 }
    assert.equal("exec", store.kind)
    assert.equal("exec:/usr/bin/vault", store.label)
    assert.is_true(store.readable)
    assert.same({ kind = "exec", command = { "/usr/bin/vault", "kv", "put", "x" }, check = { "vault" }, timeout = 5,
      folder = uv.cwd() }, store.spec)
    assert.equal("confidentai.store exec:/usr/bin/vault", tostring(store))
    store = exec.new { command = { "vault" }, name = "production" }
    assert.equal("exec:production", store.label)
    assert.is_false(store.readable)
    assert.same({ kind = "exec", command = { "vault" }, name = "production", timeout = 30, folder = uv.cwd() },
      store.spec)
  end)

  it("does not change with the options it was made of", function()
    local options = { command = { "true" } }
    local store = exec.new(options)
    options.command[1] = "false"
    assert.is_true(store:put(SECRET, context))
  end)

  it("raises about options that are none, at the caller's line", function()
    for words, options in pairs {
      ["(field 'command' is missing)"] = {},
      ["(unknown field 'comand')"] = { comand = { "x" } },
      ["(field 'command': table expected, got string)"] = { command = "cat >/tmp/x" },
      ["(field 'command': a program is expected first)"] = { command = {} },
      ["(field 'command': strings without NUL bytes are expected)"] = { command = { "x", 7 } },
      ["(field 'command': an array is expected, and nothing else in it)"] = { command = { "x", y = 1 } },
      ["(field 'check': strings without NUL bytes are expected)"] = { command = { "x" }, check = { "a\0" } },
      ["(field 'check': a program is expected first)"] = { command = { "x" }, check = { "" } },
      ["(field 'timeout': a finite number above 0 is expected)"] = { command = { "x" }, timeout = 0 },
      ["(field 'timeout': number expected, got string)"] = { command = { "x" }, timeout = "5" },
      ["(field 'folder': the absolute path of a folder is expected)"] = { command = { "x" }, folder = "x" },
      ["(field 'name': a text of one line is expected)"] = { command = { "x" }, name = "a\nb" },
    } do
      local ok, message = pcall(function() exec.new(options) end)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'exec' " .. words, message, 1, true)
      assert.matches("store/exec_spec.lua", message, 1, true)
    end
    assert.is_false((pcall(exec.new)))
  end)

  describe("means the program that it meant when it was made, where a later run is in another folder:", function()
    local here, path

    before_each(function()
      here, path = assert(uv.cwd()), os.getenv "PATH"
      for _, name in ipairs { "begun", "later" } do
        assert(uv.fs_mkdir(folder .. "/" .. name, 448))
        write(name .. "/put-it", "#!/bin/sh\ncat >stored\n", 448)
        write(name .. "/get-it", "#!/bin/sh\ncat stored\n", 448)
      end
    end)
    after_each(function()
      assert(uv.chdir(here))
      uv.os_setenv("PATH", path)
      for _, name in ipairs { "begun", "later" } do
        for file in uv.fs_scandir_next, assert(uv.fs_scandir(folder .. "/" .. name)) do
          os.remove(folder .. "/" .. name .. "/" .. file)
        end
      end
    end)

    local function go(name)
      assert(uv.chdir(folder .. "/" .. name))
      uv.os_setenv("PATH", folder .. "/" .. name .. ":" .. path)
    end

    for what, prefix in pairs { ["one by a relative path"] = "./", ["one that PATH has"] = "" } do
      it(what, function()
        go "begun"
        local store = exec.new { command = { prefix .. "put-it" }, check = { prefix .. "get-it" } }
        local spec = cjson.decode(cjson.encode(store.spec))
        go "later"
        for _, revived in ipairs { store, assert(confidentai.store.revive(spec)) } do
          assert.is_true(revived:put(SECRET, context))
          assert.equal(SECRET, read "begun/stored")
          assert.equal(SECRET, (revived:get(context)))
          assert.is_nil(uv.fs_stat(folder .. "/later/stored"))
        end
      end)
    end

    it("never one that PATH had not at that time", function()
      local store = exec.new { command = { "put-it" } }
      go "later"
      local message, certainty = fails(store)
      assert.equal("exec:put-it: its command cannot be started: it was not there when this store was made: "
        .. "make it again", message)
      assert.equal("failed", certainty)
      assert.is_nil(confidentai.store.revive(store.spec))
    end)

    it("and nothing is run where its folder is gone", function()
      go "begun"
      local store = exec.new { command = { "/bin/sh", "-c", "cat >/dev/null" } }
      go "later"
      assert(os.rename(folder .. "/begun", folder .. "/moved"))
      local ready, message = store:preflight(context)
      assert.is_nil(ready)
      assert.matches("its folder .*/begun is gone", message)
      assert.equal("failed", (select(2, fails(store))))
      assert(os.rename(folder .. "/moved", folder .. "/begun"))
    end)
  end)

  it("cannot be made again of words that mean another file in another folder", function()
    local store = confidentai.store
    for _, spec in ipairs {
      { kind = "file", path = "key" }, { kind = "env_file", path = "./.env", variable = "KEY" },
      { kind = "exec", command = { "./put" }, folder = "/" }, { kind = "exec", command = { "put" }, folder = "/" },
      { kind = "exec", command = { "/bin/put" } }, { kind = "exec", command = { "/bin/put" }, folder = "." },
      { kind = "exec", command = { "/bin/put" }, check = { "./get" }, folder = "/" },
    } do
      assert.same({ nil, "this describes no store that can be made again" }, { store.revive(spec) })
    end
  end)
end)
