-- SPDX-License-Identifier: Apache-2.0
-- Runs programs inside of a Neovim of their own, without a screen and without anyone's configuration.
-- $BUILD_ROOT is where the module is, as in scripts/run; the words of $RUN_UNDER are put before nvim.

local assert = require "luassert"
local cjson = require "cjson"
local process = require "spec.process"
local uv = require "luv"

local root = assert(uv.cwd())

local neovim = {}

local function build(path)
  local folder = os.getenv("BUILD_ROOT") or "build"
  return (folder:sub(1, 1) == "/" and folder or root .. "/" .. folder) .. "/luajit/" .. path
end

local function append(list, ...)
  for _, value in ipairs { ... } do
    list[#list + 1] = value
  end
end

-- Words for env: Neovim's own Lua is LuaJIT, whatever runs the specs, and other paths are not for it.
local function command(options)
  local words = { "LUA_PATH=" .. (("R/lua/?.lua;R/lua/?/init.lua;R/?.lua;;"):gsub("R", root)),
    "LUA_CPATH=" .. build("?.so;;") }
  for word in (os.getenv("RUN_UNDER") or ""):gmatch("%S+") do
    append(words, word)
  end
  if options.preload then -- after a sanitizer's library, which must be the first
    append(words, "sh", "-c", 'LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$0" exec nvim "$@"', options.preload)
  else
    append(words, "nvim")
  end
  append(words, "--headless", "-u", "NONE", "-i", options.shada or "NONE", "-n")
  if options.listen then
    append(words, "--listen", options.listen)
  end
  if options.plugin then
    append(words, "--cmd", "set rtp^=" .. root .. "/examples/neovim", "-c", "runtime! plugin/confidentai.lua")
  end
  append(words, "-c", "luafile " .. root .. "/spec/hosts/neovim/start.lua")
  return words
end

---The library that makes the resolver slow (spec/hosts/slow_resolver.c), if it is built.
function neovim.slow_resolver()
  local path = build "slow_resolver.so"
  return uv.fs_stat(path) and path
end

---Starts a program: Lua text, with what start.lua has for it.
---@param program string
---@param facts table for the program; newer_name: vim.uv is there, too
---@param options? table preload: a library; listen: a socket's path; plugin: the example is loaded; shada: a file;
---variables: of the environment
function neovim.start(program, facts, options)
  options = options or {}
  local variables = { SPEC_PROGRAM = program, SPEC_FACTS = cjson.encode(facts) }
  for name, value in pairs(options.variables or {}) do
    variables[name] = value
  end
  return process.start("env", command(options), variables)
end

---Waits for its end: whether it ended well, what it said on standard error, and on standard output.
---@return boolean ok
---@return string errors
---@return string output
function neovim.finish(child)
  local status, signal = child:wait(20000)
  for _ = 1, 5 do
    uv.run("nowait") -- what is left in its pipes
  end
  local ok = status == 0 and signal == 0
  return ok, ok and child.errors or ("status %s, signal %s: %s"):format(status, signal, child.errors), child.output
end

---Runs a program to its end, likewise.
function neovim.run(...)
  return neovim.finish(neovim.start(...))
end

---What a program says that ends well and without a word on standard error.
function neovim.output(...)
  local ok, errors, output = neovim.run(...)
  assert.is_true(ok, errors)
  assert.equal("", errors)
  return output
end

---What a program needs to know of a sandbox.
function neovim.facts(service)
  return { base_url = service.base_url, api_key = service.api_key, project_id = service.projects[1].id }
end

---Runs another Neovim as a client of one that listens: what it printed. `what`: "expr", or "send" for keys.
function neovim.remote(socket, what, text)
  local child = process.start("nvim", { "--headless", "-u", "NONE", "-i", "NONE", "--server", socket,
    "--remote-" .. what, text })
  local ok, problem, output = neovim.finish(child)
  assert(ok, problem)
  return output .. child.errors
end

return neovim
