-- SPDX-License-Identifier: Apache-2.0
-- Runs Lua programs as processes of their own, on the interpreter and with the paths of this one.

local cjson = require "cjson"
local uv = require "luv"

local process = {}

local Child = {}
Child.__index = Child

---The interpreter that runs the specs: the outermost negative index of its arguments.
---@return string
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
  local variables, list = uv.os_environ(), {}
  variables.LUA_PATH_5_3, variables.LUA_CPATH_5_3, variables.LUA_PATH_5_4, variables.LUA_CPATH_5_4 = nil, nil, nil, nil
  variables.LUA_PATH, variables.LUA_CPATH = package.path, package.cpath
  local preloaded = variables.LD_PRELOAD -- a sanitizer's library must be the first
  for name, value in pairs(more or {}) do
    variables[name] = value
  end
  if preloaded and variables.LD_PRELOAD and variables.LD_PRELOAD ~= preloaded then
    variables.LD_PRELOAD = preloaded .. ":" .. variables.LD_PRELOAD
  end
  for name, value in pairs(variables) do
    if value then
      list[#list + 1] = name .. "=" .. value
    end
  end
  return list
end

---Starts a program.
---@param command string
---@param arguments string[]
---@param variables? table<string, string|false> of the environment, beside this process's; false: not there
---@param input? string|true for its standard input; nil: that is empty; true: what `write` gives, until its end
function process.start(command, arguments, variables, input)
  local child = setmetatable({ output = "", errors = "", closed = 0 }, Child)
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  local into = input and uv.new_pipe(false)
  child.handle, child.pid = uv.spawn(command, {
    args = arguments, stdio = { into, out, err }, env = environment(variables),
  }, function(status, signal)
    child.status, child.signal = status, signal
    child.handle:close()
  end)
  assert(child.handle, child.pid)
  child.input = into or nil
  if into and input ~= true then
    into:write(input)
    child:end_input()
  end
  for name, pipe in pairs { output = out, errors = err } do
    pipe:read_start(function(_, chunk)
      if chunk then
        child[name] = child[name] .. chunk
      else
        pipe:close()
        child.closed = child.closed + 1
      end
    end)
  end
  return child
end

---Starts a Lua program, given as text.
function process.lua(text, variables, input)
  return process.start(process.interpreter(), { "-e", text }, variables, input)
end

function Child:write(text)
  self.input:write(text)
end

function Child:end_input()
  local pipe = self.input
  self.input = nil
  pipe:shutdown(function() pipe:close() end)
end

---Waits until the program has written this to its standard output, or standard error.
---@param text string
---@param stream? "output"|"errors"
function Child:wait_for(text, stream)
  assert(spin_until(function() return self[stream or "output"]:find(text, 1, true) end, 5000), self.errors)
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

---Waits for the program's end and for all that it has written: status, signal, output, errors.
function Child:finish()
  local status, signal = self:wait(30000)
  if self.input then
    self:end_input()
  end
  spin_until(function() return self.closed == 2 end, 1000)
  return status, signal, self.output, self.errors
end

---Runs a Lua program to its end: status, signal, output, errors.
function process.run(text, variables)
  return process.lua(text, variables):finish()
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
