-- SPDX-License-Identifier: Apache-2.0
-- Where `require` looks for modules. Every Lua's path has entries such as "./?.lua", which mean whatever folder the
-- program was started in: a file there that is named like a module would run.

local search_path = {}

---Returns the entries of a path that begin with "/".
---@param path string
---@param separator? string between its entries, and in the result after each; default: ";"
---@return string
function search_path.absolute(path, separator)
  separator = separator or ";"
  return ((path .. separator):gsub("[^" .. separator .. "]*" .. separator, function(entry)
    return entry:find "^/" and entry or ""
  end))
end

---Removes the other entries from package.path and package.cpath.
function search_path.drop_relative()
  package.path, package.cpath = search_path.absolute(package.path), search_path.absolute(package.cpath)
end

return search_path
