-- SPDX-License-Identifier: Apache-2.0
local core = require "confidentai.core"
local folders = require "spec.folders"
local process = require "spec.process"
local state = require "confidentai.state"
local state_folder = require "confidentai.state.folder"

local SECRET = "confident_us_org_0123456789abcdef0123456789abcdef"

describe("the state folder", function()
  local folder = folders.each()
  local store, path

  before_each(function()
    path = folder.path .. "/state"
    store = assert(state.find(path, true))
  end)

  -- The start of a program that opens the same folder.
  local function opening(rest)
    return ("local store = assert(require'confidentai.state'.find(%q, true))\nio.stdout:setvbuf 'no'\n")
      :format(path) .. rest
  end

  it("gives nothing for a key that is not there", function()
    assert.same({ n = 1 }, { n = select("#", (store.get "records/1")), store.get "records/1" })
    assert.same({}, store.list "")
  end)

  it("gives what was written, and its version", function()
    local version = assert(store.cas("records/1", "one", nil))
    assert.same({ "one", version }, { store.get "records/1" })
    local second = assert(store.cas("records/1", "two", version))
    assert.not_equal(version, second)
    assert.same({ "two", second }, { assert(state.find(path, true)).get "records/1" })
  end)

  it("holds any bytes, of any size", function()
    for i, bytes in ipairs { "", "\n", "\0", "confidentai-state 1 x\n", ("\255\0x"):rep(400000) } do
      assert(store.cas("key" .. i, bytes))
      assert.equal(bytes, (store.get("key" .. i)))
    end
    local written, problem, message = store.cas("large", ("x"):rep(2 ^ 26 + 1))
    assert.is_nil(written)
    assert.equal("failed", problem)
    assert.matches("at most 67108864 bytes", message, 1, true)
  end)

  it("swaps only what is as compared", function()
    assert.same({ nil, "conflict" }, { store.cas("key", "x", "0123456789abcdef") })
    local first = assert(store.cas("key", "one"))
    assert.same({ nil, "conflict" }, { store.cas("key", "two") })
    local second = assert(store.cas("key", "two", first))
    assert.same({ nil, "conflict" }, { store.cas("key", "three", first) })
    assert.same({ nil, "conflict" }, { store.cas("key", nil, first) })
    assert.equal("two", (store.get "key"))
    assert.is_true(store.cas("key", nil, second))
    assert.is_nil(store.get "key")
    assert.is_true(store.cas("key", nil, nil)) -- it is not there, as said
  end)

  it("never gives a version twice, even to the same bytes", function()
    local seen, version = {}, nil
    for _ = 1, 20 do
      version = assert(store.cas("key", "same", version))
      assert.is_nil(seen[version])
      seen[version] = true
      assert.is_true(store.cas("key", nil, version))
      version = nil
    end
  end)

  it("keeps keys of any form apart, and lists them", function()
    local keys = {
      "a", "a/b", "a,b", "a%2Cb", "a/b/c", ".", "..", "../x", ".lock", ".spare-a", ".hold-a", "A", "a b", "ä/ö",
      "a\nb", "a\0b", "+", "a+", "/", "//", "-rf", ("x"):rep(200), ("x"):rep(201), ("x"):rep(1000),
      ("x"):rep(400), ("/."):rep(300), ("ü"):rep(500), ("x"):rep(200) .. "+",
    }
    for _, key in ipairs(keys) do
      assert(store.cas(key, "of " .. key))
    end
    for _, key in ipairs(keys) do
      assert.equal("of " .. key, (store.get(key)))
    end
    table.sort(keys)
    assert.same(keys, store.list "")
    assert.same({ "a/b", "a/b/c" }, store.list "a/")
    assert.same({}, store.list "b")
    for _, key in ipairs(keys) do
      local _, version = store.get(key)
      assert.is_true(store.cas(key, nil, version))
    end
    assert.same({}, store.list "")
  end)

  it("raises for what can be no key and no bytes", function()
    for _, key in ipairs { "", ("x"):rep(1001), 7, false } do
      for _, name in ipairs { "get", "cas", "hold", "reserve" } do
        assert.is_false((pcall(store[name], key)))
      end
    end
    assert.is_false((pcall(store.cas, "key", 7)))
  end)

  it("is private, whatever the umask", function()
    for _, mask in ipairs { "000", "022", "777" } do
      path = folder.path .. "/masked-" .. mask
      local program = folder.path .. "/program.lua"
      folders.write(program, opening [[
        assert(store.cas("one", "x"))
        assert(store.reserve("two", 10))
        local release = assert(store.hold "three")
        assert(store.cas(("x"):rep(300), "x"))
        print "made"]])
      local child = process.start("sh", { "-c", ("umask %s; exec %q %q"):format(mask, process.interpreter(), program) })
      assert.equal(0, (child:wait(10000)), child.errors)
      assert.equal("700", folders.mode(path))
      local seen = 0
      for _, name in ipairs(core.file.list(path)) do
        local facts = core.file.facts(path .. "/" .. name)
        assert.equal(facts.kind == "folder" and "700" or "600", folders.mode(path .. "/" .. name), name)
        seen = seen + 1
      end
      assert.is_true(seen >= 5)
    end
  end)

  it("loses no change among processes", function()
    local children = {}
    for i = 1, 4 do
      children[i] = process.lua(opening [[
        for _ = 1, 40 do
          local swapped, problem, message
          repeat
            local count, version = store.get "count"
            swapped, problem, message = store.cas("count", tostring((tonumber(count) or 0) + 1), version)
            assert(swapped or problem == "conflict", message)
          until swapped
        end]])
    end
    for _, child in ipairs(children) do
      assert.equal(0, (child:wait(30000)), child.errors)
    end
    assert.equal("160", (store.get "count"))
  end)

  it("is whole after its process was killed at any moment", function()
    for round = 1, 12 do
      local child = process.lua(opening [[
        local bytes, version = store.get "key"
        print "ready"
        while true do
          version = assert(store.cas("key", ("x"):rep(math.random(20000)), version))
        end]])
      child:wait_for "ready"
      child:wait(round)
      local bytes, version = store.get "key"
      assert(bytes or not version, version)
      assert.is_truthy(not bytes or bytes:find "^x+$")
    end
    assert(store.cas("other", "x"))
    for _, name in ipairs(core.file.list(path)) do
      assert.is_nil(name:find("^%.confidentai%-"), "a temporary file is left")
    end
  end)

  it("tells damage, wherever it is", function()
    local version = assert(store.cas("key", SECRET))
    local file = path .. "/key"
    local content = folders.read(file)
    for at = 1, #content do
      local damaged = content:sub(1, at - 1) .. string.char((content:byte(at) + 1) % 256) .. content:sub(at + 1)
      folders.write(file, damaged)
      local bytes, message = store.get "key"
      assert.is_nil(bytes, "byte " .. at)
      assert.matches("is damaged: its checksum is wrong", message, 1, true)
      assert.matches(file, message, 1, true)
      assert.is_nil(message:find("0123456789", 1, true))
    end
    for at = 0, #content - 1 do
      folders.write(file, content:sub(1, at))
      assert.is_string(select(2, store.get "key"))
    end
    assert.same({ "key" }, store.list "") -- so that somebody looks
    local swapped, problem = store.cas("key", "x", version)
    assert.is_nil(swapped)
    assert.equal("failed", problem)
    assert.is_nil((store.cas("key", nil, nil)))
    folders.write(file, content)
    assert.same({ SECRET, version }, { store.get "key" })
    folders.shell("cp %s %s", file, path .. "/copy")
    assert.matches("belongs to another key", select(2, store.get "copy"), 1, true)
  end)

  it("refuses what is no file", function()
    assert(store.cas("target", "x"))
    folders.shell("ln -s target %s", path .. "/linked")
    folders.shell("mkdir %s", path .. "/folder")
    for _, key in ipairs { "linked", "folder" } do
      local bytes, message = store.get(key)
      assert.is_nil(bytes)
      assert.is_string(message)
      assert.equal("failed", select(2, store.cas(key, "x")))
    end
  end)

  it("overwrites what it deletes", function()
    local version = assert(store.cas("key", SECRET))
    local file = assert(io.open(path .. "/key", "rb"))
    assert.is_true(store.cas("key", nil, version))
    assert.matches("^%z+$", file:read "*a")
    file:close()
  end)

  describe("waiting", function()
    local function no_pause(seconds)
      assert.is_true(seconds >= 0 and seconds <= 1)
    end

    it("ends when a key changes, comes or goes", function()
      local version = assert(store.cas("key", "one"))
      local pauses = 0
      assert.is_true(store.wait("key", version, 60, function()
        pauses = pauses + 1
        if pauses == 3 then
          version = assert(store.cas("key", "two", version))
        end
      end))
      assert.equal(3, pauses)
      assert.is_true(store.wait("key", "older", 60, no_pause))
      assert.is_true(store.wait("other", nil, 60, function() store.cas("other", "x") end))
      assert.is_true(store.wait("key", version, 60, function() store.cas("key", nil, version) end))
    end)

    it("ends at its time", function()
      local version = assert(store.cas("key", "one"))
      local began = core.now()
      assert.is_false(store.wait("key", version, 0.2, no_pause))
      assert.is_false(store.wait("absent", nil, 0, no_pause))
      assert.is_true(core.now() - began >= 0.2)
    end)

    it("says when it cannot see", function()
      local version = assert(store.cas("key", "one"))
      folders.write(path .. "/key", "damage")
      local changed, message = store.wait("key", version, 60, no_pause)
      assert.is_nil(changed)
      assert.matches("damaged", message, 1, true)
    end)
  end)

  describe("holding", function()
    it("keeps others out until it is released, within a process too", function()
      local release = assert(store.hold "key")
      local again, who = store.hold "key"
      assert.is_nil(again)
      assert.matches("^process %d+ on host ", who)
      assert(store.hold "other")()
      assert(store.cas("key", "x")) -- it keeps nobody from that
      release()
      release()
      assert(assert(state.find(path, true)).hold "key")()
      assert.same({ "key" }, store.list "")
      assert.is_nil(core.file.facts(path .. "/.hold-key"))
    end)

    it("ends with its process, however that ends", function()
      local child = process.lua(opening "release = assert(store.hold 'key') print 'held' while true do end")
      child:wait_for "held"
      local release, who = store.hold "key"
      assert.is_nil(release)
      assert.matches(("process %d on host "):format(child.pid), who, 1, true)
      child:kill "sigkill"
      child:wait(5000)
      assert(store.hold "key")()
    end)

    it("ends when it is forgotten", function()
      assert(store.hold "key")
      collectgarbage()
      collectgarbage()
      assert(store.hold "key")()
    end)

    it("takes a key of any length", function()
      local key = ("long "):rep(150)
      local release = assert(store.hold(key))
      assert.is_string(select(2, store.hold(key)))
      release()
    end)
  end)

  describe("reserving", function()
    it("leaves the key as it is", function()
      assert.is_true(store.reserve("key", 1000))
      assert.is_nil(store.get "key")
      assert.same({}, store.list "")
      assert.is_table(core.file.facts(path .. "/key")) -- the name has its place in the folder
      assert.same({ nil, "conflict" }, { store.cas("key", "x", "0123456789abcdef") })
      local version = assert(store.cas("key", "x"))
      assert.is_true(store.reserve("key", 2000))
      assert.is_true(store.reserve("key", 1000))
      assert.same({ "x", version }, { store.get "key" })
    end)

    it("is used up by the next write, and goes with the key", function()
      assert.is_true(store.reserve("key", 100))
      assert.is_true(core.file.facts(path .. "/.spare-key").size >= 100)
      local inode = core.file.facts(path .. "/.spare-key").inode
      local version = assert(store.cas("key", ("x"):rep(100)))
      assert.equal(inode, core.file.facts(path .. "/key").inode)
      assert.is_nil(core.file.facts(path .. "/.spare-key"))
      assert.is_true(store.reserve("key", 100))
      assert.is_true(store.cas("key", nil, version))
      assert.is_nil(core.file.facts(path .. "/.spare-key"))
      assert.is_true(store.reserve("unused", 100))
      assert.is_true(store.cas("unused", nil, nil))
      assert.same({ ".lock" }, core.file.list(path))
    end)

    it("is no limit", function()
      assert.is_true(store.reserve("key", 10))
      assert(store.cas("key", ("x"):rep(1000)))
      assert.equal(1000, #store.get "key")
    end)

    it("lets a full disk be full", function()
      local status, _, output, errors = folders.run_mounted(
        ("mount -t tmpfs -o size=256k,mode=0700 tmpfs '%s'"):format(path), opening [[
          assert(store.cas("record", "old"))
          local _, version = store.get "record"
          assert(store.reserve("escrow", 20000))
          assert(store.reserve("record", 20000))
          local fill = assert(io.open(store.path .. "/.fill", "wb"))
          fill:setvbuf "no"
          while fill:write(("x"):rep(4096)) do end
          fill:close()
          local written, problem, message = store.cas("other", ("x"):rep(20000))
          print(written, problem, message)
          print((store.reserve("more", 20000)))
          print(store.get "other", #store.list "")
          print(store.cas("escrow", ("e"):rep(20000)) ~= nil, store.cas("record", ("r"):rep(20000), version) ~= nil)
          print(#store.get "escrow", #store.get "record")
          print(store.cas("escrow", nil, select(2, store.get "escrow")), store.get "escrow")]])
      if not status then
        pending "this process may mount nothing"
        return
      end
      assert.equal(0, status, errors)
      assert.matches("^nil\tfailed\t[^\n]*No space left on device\nnil\nnil\t1\n", output:gsub("nil\tnil\t1", "nil\t1"),
        1)
      assert.matches("true\ttrue\n20000\t20000\ntrue\tnil", output, 1, true)
    end)
  end)

  describe("is refused when it", function()
    local function refused(words, given, temporary)
      local found, message = state.find(given, temporary)
      assert.is_nil(found)
      assert.matches(words, message, 1, true)
      assert.matches((given:gsub("(.)/$", "%1")), message, 1, true)
    end

    it("is open to others", function()
      for _, mode in ipairs { "755", "701", "710", "770", "702", "1707" } do
        folders.shell("chmod " .. mode .. " %s", path)
        refused("is open to others (mode " .. mode:sub(-3) .. "): run chmod 700 on it", path, true)
      end
      folders.shell("chmod 500 %s", path)
      refused("is closed to its owner (mode 500): run chmod 700", path, true)
      folders.shell("chmod 700 %s", path)
      assert(state.find(path, true))
    end)

    it("is a link, a file, or in one", function()
      folders.shell("ln -s %s %s", path, folder.path .. "/link")
      refused("is a symbolic link: set STATE_DIRECTORY or the option state_dir to " .. path, folder.path .. "/link",
        true)
      refused("is a symbolic link", folder.path .. "/link/", true)
      folders.write(folder.path .. "/file", "")
      refused("is not a folder", folder.path .. "/file", true)
      refused("Not a directory): set STATE_DIRECTORY", folder.path .. "/file/below", true)
    end)

    it("belongs to somebody else", function()
      if not folders.is_root() then
        refused("belongs to another user (0)", "/", true)
        return
      end
      folders.shell("chown 12 %s", path)
      refused("belongs to another user (12)", path, true)
    end)

    it("is lost at reboot", function()
      if not (folders.read "/proc/self/mounts" or ""):find(" /dev/shm tmpfs ", 1, true) then
        pending "no tmpfs at /dev/shm"
        return
      end
      local lost = "/dev/shm/confidentai-spec-" .. core.checksum(core.random(8))
      refused("is on a filesystem of the kind tmpfs, which is lost at reboot: " ..
        "set STATE_DIRECTORY or the option state_dir to a folder on a disk", lost)
      assert.is_nil(core.file.facts(lost)) -- not even made
      assert(state.find(lost, true))
      folders.shell("rmdir %s", lost)
    end)

    it("is lost with its container, whose own layer is an overlay", function()
      local lower = folder.path .. "/lower"
      folders.shell("mkdir %s", lower)
      local status, _, output, errors = folders.run_mounted(
        ("mount -t tmpfs none '%s'; mkdir '%s/upper' '%s/work'; mount -t overlay -o lowerdir=/etc,upperdir='%s/upper',"
          .. "workdir='%s/work' none '%s'; chmod 700 '%s'"):format(lower, lower, lower, lower, lower, path, path),
        ("local state = require 'confidentai.state'; print(state.find(%q)); print(state.find(%q, true) ~= nil)")
          :format(path .. "/new", path .. "/new"))
      if not status or errors:find("mount: ", 1, true) then
        pending "this process may mount no overlay"
        return
      end
      assert.equal(0, status, errors)
      assert.matches("is on a filesystem of the kind overlay, which is lost with its container: set STATE_DIRECTORY or "
        .. "the option state_dir to a folder on a volume", output, 1, true)
      assert.matches("\ntrue\n$", output)
    end)

    -- Tells the same where nothing can be mounted.
    it("is on any kind of filesystem that does not last", function()
      for _, kind in ipairs { "tmpfs", "ramfs", "overlay" } do
        assert.matches("which is lost", state_folder.problem_with_filesystem({ kind = kind, read_only = false }))
        assert.is_nil(state_folder.problem_with_filesystem({ kind = kind, read_only = false }, true))
        assert.matches("read%-only", state_folder.problem_with_filesystem({ kind = kind, read_only = true }, true))
      end
      assert.is_nil(state_folder.problem_with_filesystem { kind = "other", read_only = false })
    end)

    it("cannot be written to", function()
      local status, _, output, errors = folders.run_mounted(
        ("mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'"):format(path, path, path),
        ("print(require'confidentai.state'.find(%q, true))"):format(path))
      if not status then
        pending "this process may mount nothing"
        return
      end
      assert.equal(0, status, errors)
      assert.matches("nil\tthe state folder " .. path .. " is on a read-only filesystem: set STATE_DIRECTORY",
        output, 1, true)
    end)
  end)
end)

describe("the place of the state", function()
  local folder = folders.each()

  -- Where a process with these variables keeps its state, or what it says.
  local function found(variables)
    for _, name in ipairs { "STATE_DIRECTORY", "XDG_STATE_HOME", "HOME" } do
      variables[name] = variables[name] or ""
    end
    local status, _, output, errors = process.run([[
      local store, message = require "confidentai.state".find(nil, true)
      print(store and store.path or message)]], variables)
    assert.equal(0, status, errors)
    return (output:gsub("\n$", ""))
  end

  it("is the environment's", function()
    local here = folder.path
    assert.equal(here .. "/a", found { STATE_DIRECTORY = here .. "/a", XDG_STATE_HOME = here .. "/b", HOME = here })
    assert.equal(here .. "/a", found { STATE_DIRECTORY = here .. "/a:" .. here .. "/b" })
    assert.equal(here .. "/b/confidentai", found { XDG_STATE_HOME = here .. "/b", HOME = here })
    assert.equal(here .. "/.local/state/confidentai", found { XDG_STATE_HOME = "relative", HOME = here })
    assert.equal(here .. "/.local/state/confidentai", found { HOME = here })
    assert.equal("700", folders.mode(here .. "/.local/state/confidentai"))
    assert.equal("no state folder: HOME is not set, set STATE_DIRECTORY or the option state_dir", found {})
  end)

  it("is no folder that a relative variable names, which every run would find elsewhere", function()
    assert.equal("no state folder: HOME is not an absolute path, set STATE_DIRECTORY or the option state_dir",
      found { HOME = "home" })
    for _, value in ipairs { "state", "./state", "~/state", "state:" .. folder.path } do
      assert.equal("no state folder: STATE_DIRECTORY is not an absolute path", found { STATE_DIRECTORY = value,
        HOME = folder.path })
    end
    assert.same({}, core.file.list(folder.path))
  end)

  it("is no folder that a shell should have completed", function()
    for _, path in ipairs { "~", "~/state", "~root/state", "~/a/b" } do
      local found_one, message = state.find(path, true)
      assert.is_nil(found_one)
      assert.matches("^the state folder ~[%w/]*: it begins with ~", message)
    end
  end)

  it("may be a service manager's link", function()
    folders.shell("mkdir -m 700 %s", folder.path .. "/private")
    folders.shell("ln -s private %s", folder.path .. "/link")
    assert.equal(folder.path .. "/private", found { STATE_DIRECTORY = folder.path .. "/link" })
  end)

  it("is a folder given, a relative one from the current folder", function()
    local status, _, output, errors = process.run(([[
      require "luv".chdir(%q)
      print(assert(require "confidentai.state".find("below/it/", true)).path)]]):format(folder.path))
    assert.equal(0, status, errors)
    assert.equal(folder.path .. "/below/it\n", output)
  end)

  it("is nothing else", function()
    for _, bad in ipairs { "", "a\0b", 7, true } do
      local found_one, message = state.find(bad, true)
      assert.is_nil(found_one)
      assert.equal("a state is a folder's path, or a table of functions", message)
    end
  end)

  describe("in a user's table", function()
    local function given()
      local values = {}
      return {
        get = function(key) return values[key] and values[key][1], values[key] and values[key][2] end,
        cas = function(key, bytes, version)
          if (values[key] and values[key][2]) ~= version then
            return nil, "conflict"
          end
          values[key] = bytes and { bytes, tostring((tonumber(version) or 0) + 1) } or nil
          return bytes and values[key][2] or true
        end,
        list = function() return {} end,
      }
    end

    it("needs its three functions", function()
      for _, name in ipairs { "get", "cas", "list" } do
        local incomplete = given()
        incomplete[name] = nil
        assert.same({ nil, ("a state needs a function '%s'"):format(name) }, { state.find(incomplete) })
      end
      for _, name in ipairs { "wait", "hold", "reserve" } do
        local wrong = given()
        wrong[name] = true
        assert.same({ nil, ("the field '%s' of a state is a function, or absent"):format(name) }, { state.find(wrong) })
      end
    end)

    it("is given what it lacks", function()
      local store = assert(state.find(given()))
      local version = assert(store.cas("key", "one"))
      assert.is_true(store.reserve("key", 10))
      assert.is_false(store.wait("key", version, 0, function() end))
      assert.is_true(store.wait("key", version, 60, function() store.cas("key", "two", version) end))
      local release = assert(store.hold "key")
      assert.same({ nil, "this process" }, { store.hold "key" })
      release()
      local second = assert(store.hold "key")
      release() -- of the first, again
      assert.is_nil((store.hold "key"))
      second()
    end)

    it("keeps its own", function()
      local own = given()
      own.hold = function() return nil, "somebody" end
      own.reserve = function() return nil, "no room" end
      own.wait = function() return false end
      local store = assert(state.find(own))
      for _, name in ipairs { "get", "cas", "list", "wait", "hold", "reserve" } do
        assert.equal(own[name], store[name])
      end
    end)
  end)
end)
