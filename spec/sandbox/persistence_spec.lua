-- SPDX-License-Identifier: Apache-2.0
-- Files that the sandbox writes: its state, and the certificate of its authority.

local folders = require "spec.folders"
local persistence = require "confidentai.sandbox.persistence"
local uv = require "luv"

describe("a file of the sandbox, in a folder of many,", function()
  local folder = folders.each()

  it("is written through no link that another user has made", function()
    local path, other = folder.path .. "/ca.pem", folder.path .. "/precious"
    folders.write(other, "kept")
    for _, link in ipairs { path, path .. ".new" } do
      assert(uv.fs_symlink(other, link))
    end
    assert.is_true(persistence.replace(path, "text"))
    assert.equal("kept", folders.read(other))
    assert.equal("text", folders.read(path))
    assert.equal("file", uv.fs_lstat(path).type)
    assert.equal("600", folders.mode(path))
  end)

  it("takes no name that was taken, so that nobody has it open already", function()
    local made, mkstemp = {}, uv.fs_mkstemp
    uv.fs_mkstemp = function(template)
      local descriptor, name = mkstemp(template)
      made[#made + 1] = name
      return descriptor, name
    end
    for _ = 1, 2 do
      assert.is_true(persistence.replace(folder.path .. "/ca.pem", "text"))
    end
    uv.fs_mkstemp = mkstemp
    assert.is_true(#made == 2 and made[1] ~= made[2])
    assert.same({ "ca.pem" }, require("confidentai.core").file.list(folder.path))
  end)

  it("is left alone, with nothing beside it, where it cannot be replaced", function()
    assert(uv.fs_mkdir(folder.path .. "/state", 448))
    assert.is_nil((persistence.replace(folder.path .. "/state", "text")))
    assert.same({ "state" }, require("confidentai.core").file.list(folder.path))
  end)
end)
