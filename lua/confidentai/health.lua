-- SPDX-License-Identifier: Apache-2.0
-- :checkhealth confidentai, in Neovim: whether the library can work there. Nothing is sent anywhere, and no secret is
-- shown: people paste what it says.
-- luacheck: globals vim

-- Not what lies in the folder that Neovim happens to be in. This one is found on the runtimepath, as health.lua was.
local has_path, search_path = pcall(require, "confidentai.search_path")
if has_path then -- else check_module says what is wrong
  search_path.drop_relative()
end

local health = {}

-- Newer Neovims call it health.ok, older ones health.report_ok.
local function report(kind, ...)
  local reports = vim.health or require "health"
  return (reports[kind] or reports["report_" .. kind])(...)
end

-- A require that fails leaves marks, by which the next one says "loop or previous error" in place of why. They are
-- light userdata, or numbers in OpenResty's LuaJIT; a module is a table.
local function forget_failures()
  for name, value in pairs(package.loaded) do
    if name:find "^confidentai" and type(value) ~= "table" then
      package.loaded[name] = nil
    end
  end
end

-- Why it does not load, without the line of Lua that says so and all the places that were looked at.
local function shorten(problem)
  return (tostring(problem):gsub("^[^\n]-%.lua:%d+: ", ""):gsub("\n%s+no [^\n]*", ""):gsub(":$", ""))
end

-- What mends it. The folder is the plugin's, unless LuaRocks put the files elsewhere.
local function advise(problem)
  local folder = debug.getinfo(1, "S").source:match "^@(.*)/lua/confidentai/health%.lua$"
  local build = folder and folder .. "/scripts/neovim" or "scripts/neovim, in the plugin's folder"
  if problem:find("'cjson'", 1, true) then
    return { "It needs the Lua module cjson. Debian: apt-get install lua-cjson", "Then run again: " .. build }
  elseif problem:find("'confidentai.core' not found", 1, true) then
    return { "Its C module has not been built. Run: " .. build }
  elseif problem:find("core.so", 1, true) then
    return { "Its C module was built for another Lua or another system. Build it for this Neovim: " .. build }
  end
  return { "Is the plugin's folder on the runtimepath? :echo &runtimepath" }
end

-- Whether it loads; a C module that is built anew while Neovim runs is seen at its next start.
local function check_module()
  forget_failures()
  local ok, found = pcall(require, "confidentai")
  if not ok then
    local problem = shorten(found)
    report("error", "The library does not load: " .. problem, advise(problem))
    return nil
  end
  report("ok", ("confidentai %s loads, in %s"):format(found._VERSION, jit and jit.version or _VERSION))
  return found
end

local function check_libcurl(facts)
  report("ok", ("libcurl %s, with %s"):format(facts.version, facts.tls or "no TLS"))
  if not facts.tls then
    report("error", "libcurl has no TLS: https is impossible")
  end
  if facts.http2 then
    report("ok", "libcurl has HTTP/2")
  else
    report("warn", "libcurl has no HTTP/2: many calls at once take longer")
  end
  if not facts.async_dns then
    report("warn", "libcurl looks names up in the editor's thread: a slow name server holds the editor up")
  end
end

local function check_settings(confidentai)
  if not os.getenv "CONFIDENT_ORG_API_KEY" then
    report("warn", "CONFIDENT_ORG_API_KEY is not set", {
      "Set it to an organization key before Neovim starts, or give the option api_key to confidentai.new",
    })
  else
    local client, err = confidentai.new()
    if client then
      report("ok", "CONFIDENT_ORG_API_KEY is set, and has the form of an organization key")
      report("info", "Calls go to " .. client.base_url)
      client:close()
    else
      report("error", tostring(err))
    end
  end
  if os.getenv "SSLKEYLOGFILE" then
    report("warn", "SSLKEYLOGFILE is set: many builds of libcurl write the keys of TLS sessions to that file")
  end
end

local function check_state()
  local state, message = require("confidentai.state").find()
  if state then
    report("ok", "The records of rotations are kept in " .. state.path)
  else
    report("warn", "No rotation can be begun: " .. message)
  end
end

local function check_sandbox()
  local interpreter = require "confidentai.sandbox.interpreter"
  local found, message = interpreter.find()
  if found then
    report("ok", "The sandbox can be run, by " .. found.command)
  else
    report("info", "For trials without an account: " .. message)
  end
end

---What :checkhealth calls.
function health.check()
  report("start", "confidentai")
  local confidentai = check_module()
  if confidentai then
    check_libcurl(require("confidentai.core").libcurl())
    check_settings(confidentai)
    check_state()
    check_sandbox()
  end
end

return health
