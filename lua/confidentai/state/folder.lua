-- SPDX-License-Identifier: Apache-2.0
-- State in a folder of this machine: one file for each key, written durably, compared and swapped under the folder's
-- lock. Each file and the folder belong to one user, who alone may read them.

local core = require "confidentai.core"
local entry = require "confidentai.state.entry"
local name = require "confidentai.state.name"
local poll = require "confidentai.state.poll"
local file = core.file

local folder = {}

-- The largest content, in bytes: twice the largest answer that a client reads by default.
local LARGEST = 2 ^ 26
-- Seconds to wait for the folder's lock, which is held for one write at a time.
local PATIENCE = 10

local ELSEWHERE = "set STATE_DIRECTORY or the option state_dir to "

-- What is wrong with a folder that is there; nil: nothing.
local function problem_with(path, facts)
  local group_and_others, owner = facts.mode % 64, math.floor(facts.mode / 64) % 8
  if facts.kind == "symlink" then
    local target = file.resolve(path)
    return "is a symbolic link: " .. ELSEWHERE .. (target or "a folder")
  elseif facts.kind ~= "folder" then
    return "is not a folder: " .. ELSEWHERE .. "one"
  elseif not facts.own then
    return ("belongs to another user (%.0f): run as that one, or %sa folder of your own"):format(facts.uid, ELSEWHERE)
  elseif group_and_others ~= 0 then
    return ("is open to others (mode %03o): run chmod 700 on it, or give its service StateDirectoryMode=0700")
      :format(facts.mode % 512)
  elseif owner ~= 7 then
    return ("is closed to its owner (mode %03o): run chmod 700 on it"):format(facts.mode % 512)
  end
end

-- Filesystems whose content does not last: when it is lost, and where to go instead.
local LOST = {
  tmpfs = { "at reboot", "a folder on a disk" },
  ramfs = { "at reboot", "a folder on a disk" },
  overlay = { "with its container", "a folder on a volume or a disk (docker run -v NAME:PATH), or use ensure, which "
    .. "needs no state folder" },
}

---Returns what is wrong with a filesystem as the place of a state folder; nil: nothing.
---@param filesystem { kind: string, read_only: boolean } as core.file.filesystem gives it
---@param allow_temporary? boolean also where the content is lost
---@return string? problem
function folder.problem_with_filesystem(filesystem, allow_temporary)
  local lost = LOST[filesystem.kind]
  if filesystem.read_only then
    return "is on a read-only filesystem: " .. ELSEWHERE .. "a folder that can be written to"
  elseif lost and not allow_temporary then
    return ("is on a filesystem of the kind %s, which is lost %s: %s%s"):format(filesystem.kind, lost[1], ELSEWHERE,
      lost[2])
  end
end

local function problem_with_place(path, allow_temporary)
  local filesystem, message = file.filesystem(path)
  if not filesystem then
    return "cannot be used: " .. message
  end
  return folder.problem_with_filesystem(filesystem, allow_temporary)
end

-- The folder itself, or the first above it that is there.
local function nearest(path)
  while path ~= "" and not file.facts(path) do
    path = path:match "^(.*)/" or ""
  end
  return path ~= "" and path or "/"
end

-- Makes the folder if it is missing, and looks at it. Returns what is wrong, or nil.
local function prepare(path, allow_temporary)
  local problem = problem_with_place(nearest(path), allow_temporary)
  if problem then
    return problem
  end
  local facts, message, number = file.facts(path)
  if number == "ENOENT" then
    local made
    made, message = file.make_folder(path)
    if not made then
      return ("cannot be made (%s): %sa folder that can be written to"):format(message, ELSEWHERE)
    end
    facts, message = file.facts(path)
  end
  if not facts then
    return ("cannot be used (%s): %sanother folder"):format(message, ELSEWHERE)
  end
  return problem_with(path, facts)
end

-- Where things of a key are.
local function place(root, key)
  local problem = name.problem(key)
  if problem then
    error("bad argument #1 (key: " .. problem .. ")", 3)
  end
  local flat = name.flatten(key)
  local folders, last = name.cut(flat)
  local above = root .. "/" .. folders
  return {
    flat = flat, folder = folders ~= "" and above or nil,
    file = above .. last, spare = above .. ".spare-" .. last, hold = above .. ".hold-" .. last,
  }
end

-- Reads a key: bytes, version; nothing; or nil, nil, message, and true when what is there is damaged.
local function look(at)
  local problem
  -- Twice: whoever had opened a file before it was removed reads the zeros that overwrite it.
  for _ = 1, 2 do
    local content, facts, number = file.read(at.file, entry.size(LARGEST, at.flat))
    if number == "ENOENT" then
      return nil
    elseif not content then
      return nil, nil, facts
    end
    local bytes, version
    bytes, version, problem = entry.open(content, at.flat)
    if not problem then
      return bytes, version
    end
  end
  return nil, nil, ("%s %s"):format(at.file, problem), true
end

-- Makes the folders of a long name.
local function make_room(at)
  if not at.folder then
    return true
  end
  local made, message = file.make_folder(at.folder)
  return made, message
end

-- Runs f(...) under the folder's lock. When the lock cannot be had: nil, "failed", message.
local function locked(root, f, ...)
  local lock, problem, message = file.lock(root .. "/.lock", PATIENCE)
  if not lock then
    if problem == "held" then
      message = ("the state folder %s has been locked for %d seconds, by %s"):format(root, PATIENCE, message)
    end
    return nil, "failed", message
  end
  local ok, result, why, words = pcall(f, ...)
  lock:release()
  if not ok then
    error(result, 0)
  end
  return result, why, words
end

local function delete(at)
  -- The spare first: as long as the key is there, somebody will come back for what is left of it.
  for _, path in ipairs { at.spare, at.file } do
    local removed, message, certainty = file.remove(path)
    if not removed then
      return nil, path == at.file and certainty or "failed", message
    end
  end
  return true
end

local function swap(at, bytes, version)
  local _, current, problem = look(at)
  if problem then
    return nil, "failed", problem
  elseif current ~= version then
    return nil, "conflict"
  elseif not bytes then
    return delete(at)
  end
  local content, next_version = entry.seal(bytes, at.flat)
  local made, message = make_room(at)
  if not made then
    return nil, "failed", message
  end
  local written, certainty
  written, message, certainty = file.replace(at.file, content, { spare = at.spare })
  if not written then
    return nil, certainty, message
  end
  return next_version
end

local function reserve(at, size)
  local done, message = make_room(at)
  if done then
    done, message = file.remove(at.spare) -- it may hold what a killed process began to write
  end
  if done then
    done, message = file.replace(at.spare, ("\0"):rep(entry.size(size, at.flat)))
  end
  if not done then
    return nil, "failed", message
  end
  -- A folder may need space for a new name as well.
  local created, why, certainty, number = file.create(at.file, entry.reserve(at.flat))
  if not created and number ~= "EEXIST" then
    file.remove(at.spare)
    return nil, certainty, why
  end
  return true
end

-- Appends the keys in a folder, below the name so far, to `keys`. Returns true, or nil and a message.
local function collect(path, so_far, prefix, keys)
  local names, message = file.list(path)
  if not names then
    return nil, message
  end
  for _, item in ipairs(names) do
    if item:sub(-1) == "+" then
      local done
      done, message = collect(path .. "/" .. item, so_far .. item:sub(1, -2), prefix, keys)
      if not done then
        return nil, message
      end
    elseif item:sub(1, 1) ~= "." then
      local flat = so_far .. item
      local key = name.restore(flat)
      if key:sub(1, #prefix) == prefix then
        local bytes, _, problem = look { file = path .. "/" .. item, flat = flat }
        -- A damaged one is listed, so that whoever reads it learns of it.
        keys[#keys + 1] = (bytes or problem) and key or nil
      end
    end
  end
  return true
end

-- What every state has; and where the file of a key is, for people.
local function add_contents(state, root)
  function state.path_of(key)
    return place(root, key).file
  end

  function state.get(key)
    local bytes, version, message, damaged = look(place(root, key))
    if bytes then
      return bytes, version
    end
    return nil, message, damaged
  end

  function state.cas(key, bytes, version)
    local at = place(root, key)
    if bytes ~= nil and type(bytes) ~= "string" then
      error("bad argument #2 (bytes: string or nil expected, got " .. type(bytes) .. ")", 2)
    elseif bytes and #bytes > LARGEST then
      return nil, "failed", ("the state of a key is at most %.0f bytes"):format(LARGEST)
    end
    return locked(root, swap, at, bytes, version)
  end

  function state.list(prefix)
    local keys = {}
    local done, message = collect(root, "", prefix or "", keys)
    if not done then
      return nil, message
    end
    table.sort(keys)
    return keys
  end
end

-- What a state may have.
local function add_coordination(state, root)
  function state.wait(key, version, timeout, pause)
    local changed, message = poll.wait(state.get, key, version, timeout, pause)
    return changed, message
  end

  function state.reserve(key, size)
    local done, _, message = locked(root, reserve, place(root, key), size)
    return done, message
  end

  function state.hold(key)
    local at = place(root, key)
    local done, message = make_room(at)
    if not done then
      return nil, nil, message
    end
    local lock, problem
    lock, problem, message = file.lock(at.hold)
    if not lock then
      if problem == "held" then
        return nil, message
      end
      return nil, nil, message
    end
    return function() lock:release(true) end
  end
end

---Opens a folder as state, made if it is missing (mode 0700).
---@param path string absolute
---@param allow_temporary? boolean also where the content is lost at reboot
---@return confidentai.State? state
---@return string? message
function folder.open(path, allow_temporary)
  local root = path:gsub("(.)/+$", "%1")
  local refused = prepare(root, allow_temporary)
  if refused then
    return nil, ("the state folder %s %s"):format(root, refused)
  end

  local state = { path = root }
  add_contents(state, root)
  add_coordination(state, root)
  return state
end

return folder
