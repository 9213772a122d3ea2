-- SPDX-License-Identifier: Apache-2.0
-- A folder of files for each test of a spec file, and what needs more than a file: other users, other filesystems.

local assert = require "luassert"
local busted = require "busted"
local core = require "confidentai.core"
local files = require "spec.files"
local process = require "spec.process"
local uv = require "luv"

local folders = {}

---Registers a folder with busted: made before each test, removed after it, when no temporary file may be left in it.
---The returned table has its `path`.
function folders.each()
  local folder = {}
  busted.before_each(function()
    folder.path = assert(uv.fs_realpath(assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/confidentai-spec-XXXXXX"))))
  end)
  busted.after_each(function()
    local left = {}
    for _, name in ipairs(core.file.list(folder.path) or {}) do
      left[#left + 1] = name:find("^%.confidentai%-") and name or nil
    end
    folders.shell("chmod -R u+rwx %s && rm -r %s", folder.path, folder.path)
    assert.same({}, left)
  end)
  return folder
end

---Runs a line of shell, made by string.format of quoted arguments. It must succeed.
function folders.shell(line, ...)
  local arguments = { ... }
  for i, argument in ipairs(arguments) do
    arguments[i] = "'" .. argument:gsub("'", "'\\''") .. "'"
  end
  line = line:format((table.unpack or unpack)(arguments)) -- luacheck: std max
  local status = os.execute(line)
  assert(status == true or status == 0, line)
end

---Writes a file, for its owner only if no mode is given.
function folders.write(path, text, mode)
  files.write(path, text)
  assert(uv.fs_chmod(path, mode or 384)) -- 0600
end

---What a file holds; nil without one.
folders.read = files.read

---Returns the paths that find prints for these arguments.
---@param ... string
---@return string[]
function folders.find(...)
  local _, _, found = process.start("find", { ... }):finish()
  local list = {}
  for path in found:gmatch "[^\n]+" do
    list[#list + 1] = path
  end
  return list
end

---The permissions of a file, as text of three digits.
function folders.mode(path)
  return ("%03o"):format(assert(core.file.facts(path)).mode)
end

---Whether this process is root's.
function folders.is_root()
  return uv.getuid() == 0
end

---Runs a Lua program after lines of shell, in a mount namespace of its own, where it may mount what it likes. nil: this
---process may not. Otherwise what process.run gives.
function folders.run_mounted(shell, program, variables)
  local probe = process.start("unshare", { "--mount", "true" })
  if probe:wait(5000) ~= 0 then
    return nil
  end
  local child = process.start("unshare", { "--mount", "sh", "-ec", shell .. '\nexec "$0" -e "$1"',
    process.interpreter(), program }, variables)
  local status, signal = child:wait(30000)
  uv.run "nowait"
  return status, signal, child.output, child.errors
end

return folders
