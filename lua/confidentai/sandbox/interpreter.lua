-- SPDX-License-Identifier: Apache-2.0
-- Finds an interpreter that has lua-http. Debian's package loads on Lua 5.1 and LuaJIT only, so the sandbox
-- may have to run in another Lua than the program that starts it.

local search_path = require "confidentai.search_path"

local interpreter = {}

local modules = { "http.server", "cjson", "luv" }
local candidates = { "luajit", "lua5.1", "lua5.3", "lua5.4", "lua" }

-- Variables that make an interpreter find the modules of another version of Lua.
local path_variables = { "LUA_PATH", "LUA_CPATH" }
for minor = 1, 4 do
  path_variables[#path_variables + 1] = "LUA_PATH_5_" .. minor
  path_variables[#path_variables + 1] = "LUA_CPATH_5_" .. minor
end

-- What the sandbox has no use for, and whoever can read its environment might have.
local secret_variables = { "CONFIDENT_ORG_API_KEY", "CONFIDENT_PROJ_API_KEY", "CONFIDENT_API_KEY" }

-- Where programs are when there is no PATH.
local DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

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

-- The absolute folders of PATH.
local function folders()
  return search_path.absolute(os.getenv "PATH" or DEFAULT_PATH, ":")
end

-- Whether a program, by its path, is such an interpreter: it runs main.lua as it would for the sandbox.
local function probe(program, unset)
  local words = { "env", "-u", "LD_PRELOAD" } -- of a sanitizer, which is not about this process
  for _, list in ipairs { secret_variables, unset } do
    for _, variable in ipairs(list) do
      words[#words + 1] = "-u"
      words[#words + 1] = variable
    end
  end
  for _, word in ipairs { program, interpreter.script(), "probe" } do words[#words + 1] = quote(word) end
  return succeeds(("PATH=%s; export PATH; %s >/dev/null 2>&1 </dev/null"):format(quote(folders()),
    table.concat(words, " ")))
end

-- The paths of the programs of a name.
local function programs(name)
  local list = {}
  for folder in folders():gmatch "[^:]+" do
    local file = io.open(folder .. "/" .. name, "rb")
    if file then
      file:close()
      list[#list + 1] = folder .. "/" .. name
    end
  end
  return list
end

local found

---Looks for an interpreter in PATH.
---@return table? interpreter { command = its path, unset = names of variables it must not see }
---@return string? message with the remedies
function interpreter.find()
  if found then return found end
  for _, unset in ipairs { {}, path_variables } do
    for _, name in ipairs(candidates) do
      for _, program in ipairs(programs(name)) do
        if probe(program, unset) then
          found = { command = program, unset = unset }
          return found
        end
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
  for _, name in ipairs(secret_variables) do dropped[name] = true end
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
