-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local folders = require "spec.folders"
local mount = require "confidentai.store.mount"
local process = require "spec.process"

local SECRET = "confident_us_org_0123456789abcdef0123456789abcdef"

describe("a store of a file", function()
  local folder = folders.each()
  local store, path

  before_each(function()
    path = folder.path .. "/key"
    store = confidentai.store.file { path = path }
  end)

  it("says what it is", function()
    assert.equal("file", store.kind)
    assert.equal("file:" .. path, store.label)
    assert.equal("confidentai.store file:" .. path, tostring(store))
    assert.is_true(store.readable)
    assert.same({ kind = "file", path = path }, store.spec)
  end)

  it("is made again from its spec", function()
    local again = assert(confidentai.store.revive(store.spec))
    assert(again:put(SECRET))
    assert.equal(SECRET, (store:get()))
  end)

  it("is not made of what is no spec", function()
    for _, spec in ipairs { { kind = "file" }, { kind = "file", path = 7 }, { kind = "file", path = path, mode = 1 },
      { kind = "callback", name = "x" }, { kind = "safe" }, { path = path }, {}, 7 } do
      local made, message = confidentai.store.revive(spec)
      assert.is_nil(made)
      assert.matches("this describes no store that can be made again", message, 1, true)
    end
    assert.is_nil(confidentai.store.safe)
  end)

  it("raises for wrong options, at the caller's line", function()
    for words, options in pairs {
      ["table expected, got nil"] = false, ["unknown field 'mode'"] = { path = path, mode = 384 },
      ["field 'path': string expected, got number"] = { path = 7 }, ["field 'path' is missing"] = {},
      ["field 'path': the path of a file is expected"] = { path = "" },
    } do
      local ok, message = pcall(function() confidentai.store.file(options or nil) end)
      assert.is_false(ok)
      assert.matches("store/file_spec", message, 1, true)
      assert.matches("bad argument #1 to 'file' (" .. words, message, 1, true)
    end
    for _, bad in ipairs { "a\0b", "a\nb", "folder/", ".", "..", "a/.", "a/.." } do
      assert.is_false((pcall(confidentai.store.file, { path = bad })))
    end
    for _, good in ipairs { "/x/...", "a/b..", "..a" } do
      confidentai.store.file { path = good }
    end
  end)

  it("takes a relative path from where the process is when it is made", function()
    local status, _, output, errors = process.run(([[
      local uv = require "luv"
      uv.chdir(%q)
      local store = require "confidentai".store.file { path = "key" }
      uv.chdir "/"
      assert(store:put "text")
      print(store.spec.path)]]):format(folder.path))
    assert.equal(0, status, errors)
    assert.equal(path .. "\n", output)
    assert.equal("text", folders.read(path))
  end)

  describe("stores", function()
    it("a secret where nothing was, for its owner alone", function()
      assert.is_false(store:get())
      assert.is_true(store:preflight())
      assert.same({}, core.file.list(folder.path))
      assert.is_true(store:put(SECRET))
      assert.equal(SECRET, folders.read(path))
      assert.equal("600", folders.mode(path))
      assert.equal(SECRET, (store:get()))
    end)

    it("a secret in the place of another, with its line end", function()
      for before, after in pairs {
        [""] = "new", ["old"] = "new", ["old\n"] = "new\n", ["old\r\n"] = "new\r\n", ["old\n\n"] = "new\n",
        ["\n"] = "new\n", ["several\nlines\n"] = "new\n",
      } do
        folders.write(path, before, 416)
        assert.is_true(store:preflight())
        assert.equal(before, folders.read(path))
        local text = store:get()
        assert.is_true(store:put "new")
        assert.equal(after, folders.read(path))
        assert.equal("new", (store:get()))
        assert.equal("640", folders.mode(path))
        assert.is_true(store:put(text)) -- a rollback puts back what there was
        assert.equal(before, folders.read(path))
      end
    end)

    it("any text that it can give back", function()
      for _, ending in ipairs { "", "\n", "\r\n" } do
        for _, text in ipairs { "x", "", "two\nlines", "line\n", "line\r\n", "\n", "nul\0nul", ("x"):rep(100000) } do
          folders.write(path, "old" .. ending)
          assert.is_true(store:put(text))
          assert.equal(text, (store:get()))
        end
      end
      folders.write(path, "old\n")
      assert.same({ nil, store.label .. ": the text ends in a half line end, which cannot be told from the file's own",
        "failed" }, { store:put "half\r" })
      assert.same({ nil, store.label .. ": the text has more than 1048574 bytes", "failed" },
        { store:put(("x"):rep(2 ^ 20)) })
      assert.equal("old\n", folders.read(path))
    end)

    it("nothing again", function()
      assert.is_true(store:put(false))
      assert.is_true(store:put(SECRET))
      local file = assert(io.open(path, "rb"))
      assert.is_true(store:put(false))
      assert.matches("^%z+$", file:read "*a")
      file:close()
      assert.is_false(store:get())
      assert.same({}, core.file.list(folder.path))
    end)

    it("for the owner that there was", function()
      if not folders.is_root() then
        pending "this needs root"
        return
      end
      folders.write(path, "old", 288)
      folders.shell("chown 12:34 %s", path)
      assert.is_true(store:preflight())
      assert.is_true(store:put(SECRET))
      local facts = core.file.facts(path)
      assert.same({ 12, 34, "440" }, { facts.uid, facts.gid, folders.mode(path) })
    end)

    it("nothing for another user, who made the file in a folder of many", function()
      if not folders.is_root() then
        pending "this needs root"
        return
      end
      folders.write(path, "", 384)
      folders.shell("chown 12:34 %s && chmod 1777 %s", path, folder.path)
      for _, other in ipairs { store, confidentai.store.env_file { path = path, variable = "KEY" } } do
        local ready, message = other:preflight()
        assert.is_nil(ready)
        assert.matches("it belongs to another user (uid 12)", message, 1, true)
        local stored, _, certainty = other:put(SECRET)
        assert.same({ nil, "failed", "" }, { stored, certainty, folders.read(path) })
      end
      folders.shell("chmod 700 %s", folder.path)
    end)

    it("nothing half: who reads sees the old or the new", function()
      folders.write(path, ("a"):rep(5000))
      local reader = process.lua(([[
        io.stdout:setvbuf "no"
        print "reading"
        while true do
          local file = assert(io.open(%q, "rb"))
          local text = file:read "*a"
          file:close()
          if text == "end" then break end
          assert(#text == 5000 and not text:find(text:sub(1, 1) == "a" and "[^a]" or "[^b]"), "half: " .. #text)
        end]]):format(path))
      reader:wait_for "reading"
      for i = 1, 60 do
        assert.is_true(store:put((i % 2 == 0 and "a" or "b"):rep(5000)))
      end
      assert.is_true(store:put "end")
      assert.equal(0, (reader:wait(5000)), reader.errors)
    end)

    it("beside a file of a killed process, which goes", function()
      folders.write(folder.path .. "/.confidentai-0123456789abcdef", SECRET)
      assert.is_true(store:put "new")
      assert.same({ "key" }, core.file.list(folder.path))
    end)
  end)

  describe("refuses", function()
    -- The store's target, or that of `given`, before anything is changed and when it is.
    local function refuses(words, given)
      local refusing = given or store
      local before = folders.read(refusing.spec.path)
      local ok, message = refusing:preflight()
      assert.is_nil(ok)
      assert.matches(words, message, 1, true)
      assert.matches(refusing.label .. ": ", message, 1, true)
      local certainty
      for _, text in ipairs { SECRET, false } do
        ok, message, certainty = refusing:put(text)
        assert.is_nil(ok)
        assert.equal("failed", certainty)
        assert.matches(words, message, 1, true)
        assert.is_nil(message:find("0123456789", 1, true))
        assert.equal(before, folders.read(refusing.spec.path))
      end
    end

    it("a file that others may read or write", function()
      folders.write(path, "old")
      for mode, words in pairs { ["644"] = "read", ["604"] = "read", ["602"] = "write to", ["606"] = "read" } do
        folders.shell("chmod " .. mode .. " %s", path)
        refuses(("everybody may %s it (mode %s): run chmod o-rw on it"):format(words, mode))
      end
      assert.equal("old", (store:get()))
      folders.shell("chmod 660 %s", path)
      assert.is_true(store:preflight())
    end)

    it("a symbolic link, saying where it leads", function()
      folders.write(folder.path .. "/target", "old")
      folders.shell("ln -s target %s", path)
      refuses("it is a symbolic link: give the path that it leads to, " .. folder.path .. "/target")
      assert.matches("it is a symbolic link", select(2, store:get()), 1, true)
      folders.shell("rm %s; ln -s nowhere %s", path, path)
      refuses "it is a symbolic link: give the path that it leads to"
      assert.equal("old", folders.read(folder.path .. "/target"))
    end)

    it("what is no file", function()
      refuses("it is a folder", confidentai.store.file { path = folder.path })
      folders.shell("mkfifo %s", path)
      local special = confidentai.store.file { path = path }
      assert.matches("it is not a regular file", select(2, special:preflight()), 1, true)
      assert.is_nil((special:get()))
      assert.matches("/dev/null: it is not a regular file",
        select(2, confidentai.store.file { path = "/dev/null" }:preflight()), 1, true)
    end)

    it("a file of two names", function()
      folders.write(path, "old")
      folders.shell("ln %s %s", path, folder.path .. "/other")
      refuses "it has 2 names (hard links), and the others would keep the old content"
    end)

    it("a folder that is not there", function()
      refuses(("the folder %s does not exist: create it"):format(folder.path .. "/none"),
        confidentai.store.file { path = folder.path .. "/none/key" })
      folders.write(folder.path .. "/file", "")
      local below = confidentai.store.file { path = folder.path .. "/file/key" }
      assert.matches(folder.path .. "/file is not a folder", select(2, below:preflight()), 1, true)
      assert.equal("failed", (select(3, below:put "x")))
      assert.same({ "file" }, core.file.list(folder.path))
    end)

    it("a folder in which everybody may replace files", function()
      folders.write(path, "old")
      folders.shell("chmod 777 %s", folder.path)
      refuses(("everybody may replace files in the folder %s (mode 777): run chmod o-w on it"):format(folder.path))
      folders.shell("chmod 1777 %s", folder.path)
      assert.is_true(store:preflight()) -- with the sticky bit, only their own
    end)

    it("a file that is too large", function()
      folders.write(path, ("x"):rep(2 ^ 20 + 1))
      assert.same({ nil, store.label .. ": it has more than 1048576 bytes" }, { store:get() })
      refuses "it has more than 1048576 bytes"
    end)

    it("a name that is too long", function()
      local long = confidentai.store.file { path = folder.path .. "/" .. ("x"):rep(256) }
      assert.matches("File name too long", select(2, long:preflight()), 1, true)
      assert.same({ nil, "failed" }, { long:put "x", (select(3, long:put "x")) })
    end)

    it("a file or folder that is marked immutable", function()
      folders.write(path, "old")
      if not pcall(folders.shell, "chattr +i %s 2>/dev/null", path) then
        pending "this process may not run chattr"
        return
      end
      local ok, problem = pcall(refuses, "it is marked immutable or append-only: run chattr -i -a on it")
      folders.shell("chattr -i %s && chattr +a %s", path, folder.path)
      local ok_folder, problem_folder = pcall(refuses, "is marked immutable or append-only: run chattr -i -a on it")
      folders.shell("chattr -a %s", folder.path)
      assert(ok, problem)
      assert(ok_folder, problem_folder)
    end)

    it("a folder of somebody else", function()
      if not folders.is_root() then
        local foreign = confidentai.store.file { path = "/key" }
        local complaint = foreign.label .. ": cannot create a temporary file: Permission denied"
        assert.same({ nil, complaint }, { foreign:preflight() })
        assert.same({ nil, complaint, "failed" }, { foreign:put(SECRET) })
        return
      end
      folders.shell("chmod 755 %s", folder.path)
      local program = ([[
        local uv = require "luv"
        local store = require "confidentai".store.file { path = %q }
        uv.setgid(65534)
        uv.setuid(65534)
        print(store:preflight())
        print(store:put "x")]]):format(path)
      local status, _, output, errors = process.run(program)
      assert.equal(0, status, errors)
      local complaint = store.label .. ": cannot create a temporary file: Permission denied"
      assert.equal(("nil\t%s\nnil\t%s\tfailed\n"):format(complaint, complaint), output)
    end)

    it("a file that is mounted by itself", function()
      folders.write(path, "old")
      folders.write(folder.path .. "/source", "mounted")
      local status, _, output, errors = folders.run_mounted(
        ("mount --bind '%s' '%s'"):format(folder.path .. "/source", path), ([[
          local store = require "confidentai".store.file { path = %q }
          print(store:get())
          print(store:preflight())
          print(store:put "x")]]):format(path))
      if not status then
        pending "this process may mount nothing"
        return
      end
      assert.equal(0, status, errors)
      local complaint = store.label ..
        ": it is mounted by itself, as containers do, and cannot be replaced as a whole: mount its folder instead"
      assert.equal(("mounted\nnil\t%s\nnil\t%s\tfailed\n"):format(complaint, complaint), output)
    end)

    it("a folder on a read-only filesystem", function()
      local status, _, output, errors = folders.run_mounted(
        ("mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'"):format(folder.path, folder.path, folder.path), ([[
          print(require "confidentai".store.file { path = %q }:preflight())]]):format(path))
      if not status then
        pending "this process may mount nothing"
        return
      end
      assert.equal(0, status, errors)
      assert.matches("is on a read-only filesystem: choose a path that can be written to", output, 1, true)
    end)

    it("a full disk, before and when it is written", function()
      local status, _, output, errors = folders.run_mounted(
        ("mount -t tmpfs -o size=64k,mode=0700 tmpfs '%s'"):format(folder.path), ([[
          local store = require "confidentai".store.file { path = %q }
          assert(store:put "old")
          local fill = assert(io.open(%q, "wb"))
          fill:setvbuf "no"
          while fill:write(("x"):rep(4096)) do end
          print(store:preflight())
          print(store:put "new")
          print(store:get())]]):format(path, folder.path .. "/fill"))
      if not status then
        pending "this process may mount nothing"
        return
      end
      assert.equal(0, status, errors)
      local complaint = store.label .. ": cannot write: No space left on device"
      assert.equal(("nil\t%s\nnil\t%s\tfailed\nold\n"):format(complaint, complaint), output)
    end)

    it("to wait for ever for another who writes there", function()
      local lock = assert(core.file.lock(folder.path .. "/.confidentai.lock"))
      assert.equal("600", folders.mode(folder.path .. "/.confidentai.lock"))
      local began = core.now()
      local ok, message, certainty = store:put "x"
      lock:release()
      assert.is_nil(ok)
      assert.equal("failed", certainty)
      assert.matches("its folder has been locked for 5 seconds", message, 1, true)
      assert.is_true(core.now() - began < 10)
      assert.is_true(store:put "x")
    end)

    -- Every user who may read a folder can lock it.
    it("to wait for whoever has locked the folder itself, or a lock file of another user", function()
      local lock = assert(core.file.lock(folder.path))
      local began = core.now()
      assert.is_true(store:put "x")
      lock:release()
      assert.is_nil(core.file.facts(folder.path .. "/.confidentai.lock"))
      if folders.is_root() then
        folders.write(folder.path .. "/.confidentai.lock", "", 438) -- 0666
        folders.shell("chown 12 %s", folder.path .. "/.confidentai.lock")
        local other = process.start("flock", { folder.path .. "/.confidentai.lock", "sleep", "20" })
        assert.is_true(store:put "y")
        other:kill "sigkill"
        other:wait(2000)
        assert.equal("y", store:get())
      end
      assert.is_true(core.now() - began < 4)
    end)
  end)
end)

describe("a table of mounts", function()
  local MOUNTS = table.concat({
    "22 27 0:21 / /proc rw,relatime - proc proc rw",
    "501 480 254:1 /var/lib/docker/containers/1/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw",
    "502 480 254:1 /secret /run/with\\040blank/a\\134b rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw",
  }, "\n") .. "\n"

  it("has the paths that something is mounted at", function()
    for _, path in ipairs { "/proc", "/etc/hostname", "/run/with blank/a\\b" } do
      assert.is_true(mount.is_in(MOUNTS, path), path)
    end
    for _, path in ipairs { "/", "/etc", "/etc/hostnames", "/var/lib/docker/containers/1/hostname", "rw,relatime" } do
      assert.is_false(mount.is_in(MOUNTS, path), path)
    end
    assert.is_false(mount.is_in("", "/"))
  end)

  -- Found by fuzzing: it raised.
  it("may have what is no escape", function()
    for _, path in ipairs { "/a\\999", "/a\\400", "/a\\08", "/a\\" } do
      assert.is_true(mount.is_in("1 2 3:4 / " .. path .. " rw - ext4 /dev/vda1 rw\n", path))
    end
  end)
end)
