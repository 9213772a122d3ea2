-- SPDX-License-Identifier: Apache-2.0
-- Folders as values: everything below a path, with modes and contents, and back.

local uv = require "luv"

local disk = {}

local PERMISSIONS = 4096 -- the bits of a mode below its kind

-- Reserved files are long, and all alike: one text for each length, or images take a lot of memory.
local zeros = {}

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local content = file:read "*a"
  file:close()
  if content:byte() == 0 then
    zeros[#content] = zeros[#content] or ("\0"):rep(#content)
    content = content == zeros[#content] and zeros[#content] or content
  end
  return content
end

local function look(path, image)
  local facts = uv.fs_lstat(path)
  if not facts then
    return
  end
  -- Numbers of inodes are soon used again.
  local file = ("%d born %d.%d"):format(facts.ino, facts.birthtime.sec, facts.birthtime.nsec)
  local entry = { mode = facts.mode % PERMISSIONS, kind = facts.type, file = file }
  image[path] = entry
  if facts.type == "file" then
    entry.content = read_file(path)
  elseif facts.type == "directory" then
    local names = uv.fs_scandir(path)
    for name in function() return names and uv.fs_scandir_next(names) end do
      look(path .. "/" .. name, image)
    end
  end
end

---Everything at and below some paths.
---@param paths string[] absolute
---@return table<string, { mode: integer, kind: string, file: string, content: string? }> image by path; file: which
---one it is, whatever its name
function disk.read(paths)
  local image = {}
  for _, path in ipairs(paths) do
    look(path, image)
  end
  return image
end

---The paths of an image, a folder before what is in it.
---@param image table
---@return string[]
function disk.paths(image)
  local paths = {}
  for path in pairs(image) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  return paths
end

local function write_file(path, entry)
  local descriptor = assert(uv.fs_open(path, "w", entry.mode))
  assert(uv.fs_write(descriptor, entry.content, 0) == #entry.content)
  uv.fs_close(descriptor)
  assert(uv.fs_chmod(path, entry.mode))
end

---Removes everything at and below some paths.
---@param roots string[]
function disk.remove(roots)
  local image = disk.read(roots)
  local paths = disk.paths(image)
  for i = #paths, 1, -1 do
    local remove = image[paths[i]].kind == "directory" and uv.fs_rmdir or uv.fs_unlink
    assert(remove(paths[i]))
  end
end

---Makes some paths what an image says. What it does not have is removed.
---@param roots string[] those that were read
---@param image table
function disk.write(roots, image)
  local there = disk.read(roots)
  local old = disk.paths(there)
  for i = #old, 1, -1 do
    local wanted = image[old[i]]
    if not wanted or wanted.kind ~= there[old[i]].kind then
      local remove = there[old[i]].kind == "directory" and uv.fs_rmdir or uv.fs_unlink
      assert(remove(old[i]))
      there[old[i]] = nil
    end
  end
  for _, path in ipairs(disk.paths(image)) do
    local wanted, is = image[path], there[path]
    if wanted.kind == "directory" then
      if not is then
        assert(uv.fs_mkdir(path, wanted.mode))
      end
      assert(uv.fs_chmod(path, wanted.mode))
    elseif not is or is.content ~= wanted.content or is.mode ~= wanted.mode then
      write_file(path, wanted)
    end
  end
end

return disk
