-- SPDX-License-Identifier: Apache-2.0
-- Finds an interpreter that has lua-http. Debian's package loads on Lua 5.1 and LuaJIT only, so the sandbox
-- may have to run in another Lua than the program that starts it.

local interpreter = {}

local modules = { "http.server", "cjson", "luv" }
local candidates = { "luajit", "lua5.1", "lua5.3", "lua5.4", "lua" }

-- Variables that make an interpreter find the modules of another version of Lua.
local path_variables = { "LUA_PATH", "LUA_CPATH" }
for minor = 1, 4 do
  path_variables[#path_variables + 1] = "LUA_PATH_5_" .. minor
  path_variables[#path_variables + 1] = "LUA_CPATH_5_" .. minor
end

interpreter.remedy = "the sandbox needs a Lua with the modules http, cjson and luv, and found none "
  .. "(tried this one, " .. table.concat(candidates, ", ") .. ").\n"
  .. "Debian and Ubuntu: apt-get install luajit lua-http lua-cjson lua-luv\n"
  .. "LuaRocks: luarocks install http && luarocks install lua-cjson && luarocks install luv"

---Whether the running interpreter has what the sandbox needs.
---@return boolean
function interpreter.is_suitable()
  for _, name in ipairs(modules) do
    if not pcall(require, name) then return false end
  end
  return true
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function probe(name, unset)
  local requires = {}
  for index, module in ipairs(modules) do requires[index] = ("require %q"):format(module) end
  local words = { "env", "-u", "LD_PRELOAD" } -- of a sanitizer, which is not about this process
  for _, variable in ipairs(unset) do
    words[#words + 1] = "-u"
    words[#words + 1] = variable
  end
  words[#words + 1] = quote(name)
  words[#words + 1] = "-e"
  words[#words + 1] = quote(table.concat(requires, " "))
  return succeeds(table.concat(words, " ") .. " >/dev/null 2>&1 </dev/null")
end

local found

---Looks for an interpreter in PATH.
---@return table? interpreter { command = string, unset = names of variables it must not see }
---@return string? message with the remedies
function interpreter.find()
  if found then return found end
  for _, unset in ipairs { {}, path_variables } do
    for _, name in ipairs(candidates) do
      if probe(name, unset) then
        found = { command = name, unset = unset }
        return found
      end
    end
  end
  return nil, interpreter.remedy
end

---The environment for a process of that interpreter.
---@param environment table name to value, as uv.os_environ gives it
---@param chosen table as `find` gives it
---@return table list of "NAME=value"
function interpreter.environment(environment, chosen)
  local dropped, list = {}, {}
  for _, name in ipairs(chosen.unset) do dropped[name] = true end
  if (environment.LD_PRELOAD or ""):find("san", 1, true) then dropped.LD_PRELOAD = true end
  for name, value in pairs(environment) do
    if not dropped[name] then list[#list + 1] = name .. "=" .. value end
  end
  return list
end

---The script that runs the sandbox in that interpreter.
---@return string file
function interpreter.script()
  local source = debug.getinfo(1, "S").source:gsub("^@", "")
  return (source:gsub("[^/\\]*$", "")) .. "main.lua"
end

return interpreter
