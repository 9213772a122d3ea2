-- SPDX-License-Identifier: Apache-2.0
-- Where paths and programs that a user names are. It is settled when they are named: what is on record may be used by a
-- later run in another folder, where the same words mean another file.

local core = require "confidentai.core"

local location = {}

---Returns the current folder.
---@return string? path absolute; nil: it is gone
function location.here()
  return (core.file.resolve ".")
end

---Returns an absolute path.
---@param path string
---@param folder? string absolute, from which a relative path starts; default: the current one
---@return string? path nil: the folder that it starts from is not known, or a shell was to complete it
---@return string? problem
function location.path(path, folder)
  if path:sub(1, 1) == "/" then
    return path
  elseif path:find "^~[%w._-]*/" or path:find "^~[%w._-]*$" then
    -- As in --store file:~/key and --state-dir=~/state: a folder named "~" would be meant.
    return nil, "it begins with ~, which a shell expands only at the beginning of a word: write $HOME in its place, "
      .. "or ./~"
  end
  folder = folder or location.here()
  if not folder then
    return nil, "the current folder is gone"
  end
  return folder:gsub("/$", "") .. "/" .. path:gsub("^%./+", "")
end

---Returns the path of a program: a name is looked up in the absolute folders of PATH, a path need not exist.
---@param name string
---@param folder? string as of location.path
---@return string? path nil: it is in none of the folders, or as of location.path
---@return string? problem
function location.program(name, folder)
  if not name:find("/", 1, true) then
    local path, problem = core.program(name)
    return path, problem
  end
  local path, problem = location.path(name, folder)
  return path, problem
end

return location
