-- SPDX-License-Identifier: Apache-2.0
-- Runs Lua programs as processes of their own, on the interpreter and with the paths of this one.

local cjson = require "cjson"
local uv = require "luv"

local process = {}

local Child = {}
Child.__index = Child

---The interpreter that runs the specs: the outermost negative index of its arguments.
function process.interpreter()
  local lowest = 0
  while arg[lowest - 1] do
    lowest = lowest - 1
  end
  return arg[lowest]
end

local function spin_until(condition, milliseconds)
  local deadline = uv.hrtime() + milliseconds * 1e6
  while not condition() and uv.hrtime() < deadline do
    if not uv.run("nowait") then
      uv.sleep(1)
    end
    uv.sleep(1)
  end
  return condition()
end

local function environment(more)
  more = more or {}
  local list = { "LUA_PATH=" .. package.path, "LUA_CPATH=" .. package.cpath }
  for name, value in pairs(uv.os_environ()) do
    if name == "LD_PRELOAD" and more[name] then -- a sanitizer's library must be the first
      list[#list + 1] = name .. "=" .. value .. ":" .. more[name]
    elseif not name:find("^LUA_C?PATH") and not more[name] then
      list[#list + 1] = name .. "=" .. value
    end
  end
  for name, value in pairs(more) do
    if name ~= "LD_PRELOAD" or not uv.os_getenv(name) then
      list[#list + 1] = name .. "=" .. value
    end
  end
  return list
end

---Starts a program.
---@param command string
---@param arguments string[]
---@param variables? table<string, string> of the environment, over this process's
function process.start(command, arguments, variables)
  local child = setmetatable({ output = "", errors = "" }, Child)
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  child.handle, child.pid = uv.spawn(command, {
    args = arguments, stdio = { nil, out, err }, env = environment(variables),
  }, function(status, signal)
    child.status, child.signal = status, signal
    child.handle:close()
  end)
  assert(child.handle, child.pid)
  for name, pipe in pairs { output = out, errors = err } do
    pipe:read_start(function(_, chunk)
      if chunk then
        child[name] = child[name] .. chunk
      else
        pipe:close()
      end
    end)
  end
  return child
end

---Starts a Lua program, given as text.
function process.lua(text, variables)
  return process.start(process.interpreter(), { "-e", text }, variables)
end

---Waits until the program has written this to its standard output.
function Child:wait_for(text)
  assert(spin_until(function() return self.output:find(text, 1, true) end, 5000), self.errors)
end

function Child:kill(signal)
  uv.kill(self.pid, signal)
end

---Waits for the program's end, at most so many milliseconds; then kills it.
---@return integer status
---@return integer signal
function Child:wait(milliseconds)
  if not spin_until(function() return self.status end, milliseconds) then
    self:kill("sigkill")
    spin_until(function() return self.status end, 2000)
  end
  uv.run("nowait")
  return self.status, self.signal
end

---Runs a Lua program to its end: status, signal, output, errors.
function process.run(text, variables)
  local child = process.lua(text, variables)
  local status, signal = child:wait(30000)
  spin_until(function() return false end, 5)
  return status, signal, child.output, child.errors
end

---What runs code inside of a host, in processes of their own.
---@param frame string the program: `$FACTS` stands for a table, `$LINES` for the code
---@return fun(facts: table, lines: string): boolean, string, string run whether it ended well, its errors, its output
---@return fun(name: string, facts: table): boolean, string case runs one of spec/hosts/inside.lua
function process.host(frame)
  local function run(facts, lines)
    local parts = { FACTS = ("require('cjson').decode(%q)"):format(cjson.encode(facts)), LINES = lines }
    local status, signal, output, errors = process.run((frame:gsub("%$(%u+)", parts)))
    return status == 0 and signal == 0, errors, output
  end
  local function case(name, facts)
    local ok, errors = run(facts, ([[
      local ok, problem = require("spec.hosts.inside").run(%q, facts)
      assert(ok, problem)
    ]]):format(name))
    return ok, errors
  end
  return run, case
end

return process
