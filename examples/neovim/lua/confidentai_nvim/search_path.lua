-- SPDX-License-Identifier: Apache-2.0
-- Where Lua looks for modules. LuaJIT's path begins with "./?.lua", the folder that Neovim happens to be in: in a
-- repository that somebody cloned, a file cjson.lua would run, with the organization key in its environment.

local search_path = {}

local function absolute(path)
  return ((path .. ";"):gsub("[^;]*;", function(entry) return entry:find "^/" and entry or "" end))
end

---Removes the entries of package.path and package.cpath that do not begin with "/". The runtimepath is not among them.
function search_path.drop_relative()
  package.path, package.cpath = absolute(package.path), absolute(package.cpath)
end

return search_path
