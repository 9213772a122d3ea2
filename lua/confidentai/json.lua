-- SPDX-License-Identifier: Apache-2.0
-- Which JSON module the library uses: in Neovim its own, elsewhere lua-cjson. Neovim has functions of the same names as
-- Debian's cjson.so, which calls those; from 0.11 on they write into a buffer of another layout. So cjson.so is not
-- loaded where Neovim's module serves.

local json = {}

-- Long enough for a buffer that grows more than once, with all that is escaped.
local SAMPLE = { text = ("\"\\/\n\t\1 a\226\130\172"):rep(700), list = { 1, 2, 3 }, yes = true, no = false }

-- Returns true if a module gives back what it has written.
local function writes_well(module)
  local ok, same = pcall(function()
    local own = module.new()
    local read = own.decode(own.encode(SAMPLE))
    return read.text == SAMPLE.text and #read.list == 3 and read.list[3] == 3 and read.yes == true and read.no == false
  end)
  return ok and same
end

---Finds a module that writes well.
---@return table module with `new`, `encode` and `decode`, as lua-cjson has them; a newer Neovim's has nothing else
function json.find()
  local of_host = vim and vim.json -- luacheck: globals vim
  if of_host and writes_well(of_host) then
    return of_host
  end
  local loads, cjson = pcall(require, "cjson")
  if loads and writes_well(cjson) then
    return cjson
  elseif not loads then
    error(cjson, 0)
  end
  error("the Lua module 'cjson' writes broken text in this program, which has functions of the same names "
    .. "(Neovim from 0.11 on with a cjson.so that was built apart from it); nothing can be sent", 0)
end

return json
