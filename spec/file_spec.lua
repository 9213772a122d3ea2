-- SPDX-License-Identifier: Apache-2.0
-- The functions of durable files as Lua sees them; what they do to files is tested in C (spec/core/file_test.c).

local core = require "confidentai.core"
local folders = require "spec.folders"
local file = core.file

describe("a durable file", function()
  local folder = folders.each()
  local path

  before_each(function()
    path = folder.path .. "/file"
  end)

  it("is read with its facts", function()
    folders.write(path, "a\0b", 416)
    local content, facts = file.read(path, 3)
    assert.equal("a\0b", content)
    local looked = file.facts(path)
    assert.is_false(looked.frozen)
    looked.frozen = nil
    assert.same(looked, facts)
    assert.same({ "file", 416, 3, 1, true }, { facts.kind, facts.mode, facts.size, facts.links, facts.own })
    for _, name in ipairs { "uid", "gid", "device", "inode" } do
      assert.is_number(facts[name])
    end
  end)

  it("says what went wrong in words and by name", function()
    folders.write(path, "four")
    assert.same({ nil, path .. ": cannot read it: File too large", "EFBIG" }, { file.read(path, 3) })
    assert.same({ nil, path .. ": cannot create it: File exists", "failed", "EEXIST" }, { file.create(path, "x") })
    local below = path .. "/below"
    assert.same({ nil, below .. ": cannot open the folder: Not a directory", "failed", "ENOTDIR" },
      { file.replace(below, "x") })
    assert.same({ nil, folder.path .. ": cannot use it as a file: Is a directory", "failed", "EISDIR" },
      { file.remove(folder.path) })
    for _, name in ipairs { "facts", "filesystem", "resolve", "list" } do
      local result, message, number = file[name](folder.path .. "/none")
      assert.is_nil(result)
      assert.equal(folder.path .. "/none: ", message:sub(1, #folder.path + 7))
      assert.equal("ENOENT", number)
    end
    assert.equal("ENOTDIR", select(3, file.make_folder(below)))
  end)

  it("is written, kept, made and removed", function()
    assert.is_true(file.create(path, "first"))
    folders.shell("chmod 640 %s", path)
    assert.is_true(file.replace(path, "second", { keep = true }))
    assert.equal("640", folders.mode(path))
    assert.is_true(file.replace(path, "third", { keep = true, rehearse = true }))
    assert.equal("second", folders.read(path))
    assert.is_true(file.replace(folder.path .. "/spare", "123456"))
    assert.is_true(file.replace(path, "four", { spare = folder.path .. "/spare" }))
    assert.same({ "file" }, file.list(folder.path))
    assert.equal("600", folders.mode(path))
    assert.is_true(file.remove(path))
    assert.is_true(file.remove(path))
    assert.same({}, file.list(folder.path))
  end)

  it("raises for what is no path and no content", function()
    for _, name in ipairs { "read", "replace", "create", "remove", "list", "make_folder", "facts", "filesystem",
      "resolve", "lock" } do
      for _, bad in ipairs { "", "a\0b", {} } do
        assert.is_false((pcall(file[name], bad, "x")))
      end
    end
    for _, limit in ipairs { -1, 0 / 0, 2 ^ 31 } do
      assert.is_false((pcall(file.read, path, limit)))
    end
    assert.is_false((pcall(file.replace, path)))
    assert.is_false((pcall(file.replace, path, "x", "keep")))
    assert.is_false((pcall(file.replace, path, "x", { spare = {} })))
  end)

  it("is locked by one", function()
    local lock = assert(file.lock(path))
    local again, problem, who = file.lock(path)
    assert.same({ nil, "held" }, { again, problem })
    assert.matches("^process %d+ on host ", who)
    assert.is_false((pcall(function() lock.release "x" end)))
    lock:release()
    lock:release()
    assert.same({ "file" }, file.list(folder.path))
    lock = assert(file.lock(path, 1))
    lock:release(true)
    assert.same({}, file.list(folder.path))
    assert.same({ nil, "failed", path .. "/x: cannot open the lock: No such file or directory" },
      { file.lock(path .. "/x") })
  end)

  it("is freed by the collector, and by a to-be-closed variable", function()
    file.lock(path)
    collectgarbage()
    collectgarbage()
    local lock = assert(file.lock(path))
    debug.getmetatable(lock).__close(lock, "an error")
    assert.same({ "file" }, file.list(folder.path)) -- the error is not taken for a wish to remove it
    assert(file.lock(path)):release()
  end)

  if not jit then
    it("survives running out of memory, at every allocation", function()
      local allocator = require "failing_allocator"
      local functions = {
        function() assert(file.read(path, 100000)) end, function() assert(file.facts(path)) end,
        function() assert(file.list(folder.path)) end, function() assert(file.replace(path, "x")) end,
        function() assert(file.lock(path .. ".lock")):release() end, function() assert(file.resolve(path)) end,
        function() assert(not file.read(folder.path, 1)) end, function() assert(file.filesystem(path)) end,
      }
      for i, f in ipairs(functions) do
        folders.write(path, ("x"):rep(50000))
        local n = 0
        repeat
          local ok, err = allocator.run(n, f)
          collectgarbage()
          assert.is_true(ok or tostring(err):find("not enough memory", 1, true) ~= nil, i .. tostring(err))
          n = n + 1
        until ok
      end
    end)
  end
end)
