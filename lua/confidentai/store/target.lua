-- SPDX-License-Identifier: Apache-2.0
-- The file that a store writes to: looked at, read, replaced as a whole, removed.

local argument = require "confidentai.argument"
local core = require "confidentai.core"
local location = require "confidentai.store.location"
local mount = require "confidentai.store.mount"
local file = core.file

local target = {}

-- The largest file, in bytes; nobody keeps more beside a secret.
target.LARGEST = 2 ^ 20

-- Seconds to wait for another process of this library that writes to the same folder.
local PATIENCE = 5

-- Whether a mode has a bit, given as its value.
local function has(mode, bit)
  return math.floor(mode / bit) % 2 == 1
end

local READ, WRITE, STICKY, GROUP_WRITE = 4, 2, 512, 16 -- the last for the group, the others for everybody

---Checks the path that a user gave, and makes it absolute. Raises when it can be none.
---@param name string the public function
---@param path string
---@return string
function target.path(name, path)
  -- The first is NUL as well, but in patterns of Lua 5.1.
  if path == "" or path:find "%c" or path:find("\0", 1, true) or ("/" .. path):find "/%.?%.?$" then
    argument.refuse(1, name, "field 'path': the path of a file is expected", 1)
  end
  local absolute, problem = location.path(path)
  return absolute or argument.refuse(1, name, "field 'path': " .. problem, 1)
end

local function folder_of(path)
  local folder = path:match "^(.*)/[^/]*$"
  return folder ~= "" and folder or "/"
end

-- The core's message without the path, which the label of the store says already.
local function words(path, message)
  local prefix = path .. ": "
  return message:sub(1, #prefix) == prefix and message:sub(#prefix + 1) or message
end

-- What is wrong with the folder, and the command that mends it, if there is one; nil: nothing.
local function folder_problem(folder)
  local real, message, number = file.resolve(folder)
  if number == "ENOENT" or number == "ENOTDIR" then
    return ("the folder %s does not exist: create it"):format(folder), { "mkdir", "-p", "--", folder }
  end
  local facts = real and file.facts(real)
  local filesystem = facts and file.filesystem(real)
  if not filesystem then
    return ("the folder %s cannot be used: %s"):format(folder, message or "it is gone")
  elseif facts.kind ~= "folder" then
    return ("%s is not a folder"):format(folder)
  elseif has(facts.mode, WRITE) and not has(facts.mode, STICKY) then
    return ("everybody may replace files in the folder %s (mode %03o): run chmod o-w on it"):format(folder, facts.mode),
      { "chmod", "o-w", "--", folder }
  elseif filesystem.read_only then
    return ("the folder %s is on a read-only filesystem: choose a path that can be written to"):format(folder)
  elseif facts.frozen then
    return ("the folder %s is marked immutable or append-only: run chattr -i -a on it"):format(folder),
      { "chattr", "-i", "-a", folder }
  end
end

-- Whether another user may have made the file, to be given what is written to it (core/folder.h).
local function is_of_somebody(path, facts)
  local folder = not facts.own and file.facts(file.resolve(folder_of(path)) or "/")
  return folder and facts.uid ~= folder.uid and (has(folder.mode, WRITE) or has(folder.mode, GROUP_WRITE))
end

-- The same of the file itself.
local function file_problem(path, facts)
  if facts.kind == "symlink" then
    local leads_to = file.resolve(path)
    return "it is a symbolic link: give the path that it leads to" .. (leads_to and ", " .. leads_to or "")
  elseif facts.kind ~= "file" then
    return facts.kind == "folder" and "it is a folder: give the path of a file" or "it is not a regular file"
  elseif mount.is_point((file.resolve(path))) then
    return "it is mounted by itself, as containers do, and cannot be replaced as a whole: mount its folder instead"
  elseif is_of_somebody(path, facts) then
    return ("it belongs to another user (uid %.0f), who could read what is written to it, and others than the owner of "
      .. "its folder may make files there: chown it, or use another folder"):format(facts.uid)
  elseif facts.links > 1 then
    return ("it has %d names (hard links), and the others would keep the old content: leave it one"):format(facts.links)
  elseif has(facts.mode, READ) or has(facts.mode, WRITE) then
    return ("everybody may %s it (mode %03o): run chmod o-rw on it")
      :format(has(facts.mode, READ) and "read" or "write to", facts.mode), { "chmod", "o-rw", "--", path }
  elseif facts.frozen then
    return "it is marked immutable or append-only: run chattr -i -a on it", { "chattr", "-i", "-a", path }
  end
end

---What keeps a file from being replaced safely, as far as a look tells; nil: nothing.
---@param path string absolute
---@return string? problem
---@return string[]? fix the words of a command that mends it; nil: there is none
function target.problem(path)
  local problem, fix = folder_problem(folder_of(path))
  if problem then
    return problem, fix
  end
  local facts, message, number = file.facts(path)
  if number == "ENOENT" then
    return nil
  end
  if not facts then
    return words(path, message)
  end
  problem, fix = file_problem(path, facts)
  return problem, fix
end

---Returns the words of a command that fixes what keeps a store's file from being written; nil: there is none.
---@param store confidentai.Store of a file
---@return string[]?
function target.remedy(store)
  local _, fix = target.problem(store.spec.path)
  return fix
end

---Reads the file.
---@param path string absolute
---@return string|false|nil content false: there is none
---@return string? message
function target.read(path)
  local content, message, number = file.read(path, target.LARGEST)
  if content then
    return content
  elseif number == "ENOENT" then
    return false
  elseif number == "EFBIG" then
    return nil, ("it has more than %.0f bytes"):format(target.LARGEST)
  elseif number == "ELOOP" then
    return nil, target.problem(path) or words(path, message)
  end
  return nil, words(path, message)
end

---Does all that replacing the file takes, but for the replacing.
---@param path string absolute
---@param size number bytes that the new content has, about
---@return boolean? true
---@return string? message
function target.rehearse(path, size)
  local problem = target.problem(path)
  if problem then
    return nil, problem
  end
  local done, message = file.replace(path, ("\0"):rep(size), { keep = true, rehearse = true })
  if not done then
    return nil, words(path, message)
  end
  return true
end

-- Runs change(content) for the content that is there, or false; it returns the content to write, or false to remove the
-- file, or nil and why not.
local function apply(path, change)
  local problem = target.problem(path)
  if problem then
    return nil, problem, "failed"
  end
  local content, message = target.read(path)
  if content == nil then
    return nil, message, "failed"
  end
  local wanted
  wanted, message = change(content)
  if wanted == nil then
    return nil, message, "failed"
  elseif wanted == content then
    return true
  end
  local done, certainty
  if wanted then
    done, message, certainty = file.replace(path, wanted, { keep = true })
  else
    done, message, certainty = file.remove(path)
  end
  return done, message and words(path, message), certainty
end

-- The lock file of a folder, there only while it is held. Not the folder itself: every user who may read that can lock
-- it, and could keep us from writing.
local LOCK = "/.confidentai.lock"

-- Changes the file, alone among the processes of this user that use this library.
local function change_alone(path, change)
  local lock, problem, holder = file.lock(folder_of(path) .. LOCK, PATIENCE)
  if problem == "held" then
    return nil, ("its folder has been locked for %d seconds, by %s"):format(PATIENCE, holder), "failed"
  end
  -- Some filesystems have no locks, and a lock file of another user is not waited for: there two who change the same
  -- file at the same moment may undo each other's work, which shows when the stores are read back.
  local ok, done, message, certainty = pcall(apply, path, change)
  if lock then
    lock:release(true)
  end
  if not ok then
    error(done, 0)
  end
  return done, message, certainty
end

---Changes the file of a store, alone among the processes that use this library.
---@param store confidentai.Store with the path in its spec
---@param change fun(content: string|false): string|false|nil, string? see apply
---@return boolean? true
---@return string? message with the store's label
---@return "failed"|"unknown"|nil certainty
function target.change(store, change)
  local done, message, certainty = change_alone(store.spec.path, change)
  if not done then
    return nil, ("%s: %s"):format(store.label, message), certainty
  end
  return true
end

return target
