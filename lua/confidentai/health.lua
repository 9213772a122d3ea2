-- SPDX-License-Identifier: Apache-2.0
-- :checkhealth confidentai, in Neovim: whether the library can work there. Nothing is sent anywhere, and no secret is
-- shown: people paste what it says.
-- luacheck: globals vim

local health = {}

-- Newer Neovims call it health.ok, older ones health.report_ok.
local function report(kind, ...)
  local reports = vim.health or require "health"
  return (reports[kind] or reports["report_" .. kind])(...)
end

-- Whether it loads, and from where its C module comes: a rebuilt one is seen at Neovim's next start.
local function check_module()
  local ok, found = pcall(require, "confidentai")
  if not ok then
    report("error", "The library does not load: " .. tostring(found), {
      "Its C module has to be built for this Neovim: run scripts/neovim in the plugin's folder (docs/neovim.md)",
      "It needs the Lua module cjson; on Debian: apt-get install lua-cjson",
    })
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
