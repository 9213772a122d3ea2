-- SPDX-License-Identifier: Apache-2.0
-- :checkhealth confidentai_nvim
-- luacheck: globals vim

require("confidentai_nvim.search_path").drop_relative()

local reports = vim.health or require "health"

-- Newer Neovims call it health.ok, older ones health.report_ok.
local function report(kind, ...)
  return (reports[kind] or reports["report_" .. kind])(...)
end

local health = {}

local function check_module()
  local ok, found = pcall(require, "confidentai")
  if not ok then
    report("error", "The Lua module confidentai does not load: " .. tostring(found), {
      "Install it for Lua 5.1: luarocks --lua-version 5.1 make, in a clone of its repository",
      "See which folders Neovim looks into: :lua print(package.path, package.cpath)",
    })
    return nil
  end
  report("ok", "confidentai " .. found._VERSION .. " loads")
  return found
end

-- Seconds for the service to answer: the editor stands still meanwhile.
local PATIENCE = 5

local function check_client(confidentai)
  local options = vim.tbl_extend("force", require("confidentai_nvim").options() or {},
    { timeout = PATIENCE, connect_timeout = PATIENCE, max_retries = 0 })
  local ok, client, err = pcall(confidentai.new, options)
  if not ok or not client then
    report("error", tostring(ok and err or client), {
      "Set CONFIDENT_ORG_API_KEY to an organization key, or pass options to require('confidentai_nvim').setup",
    })
    return nil
  end
  report("ok", "An organization key is configured") -- which one, a report that people paste must not say
  report("info", "Base URL: " .. client.base_url)
  return client
end

local function check_service(client)
  local who, err = client:whoami()
  if not who then
    report("error", "The service does not answer as it should: " .. tostring(err))
    return
  end
  report("ok", ("The service answers: organization %s, key %s"):format(who.organization.name,
    who.key and who.key.name or "unknown"))
end

function health.check()
  report("start", "confidentai")
  local confidentai = check_module()
  local client = confidentai and check_client(confidentai)
  if client then
    check_service(client)
    client:close()
  end
end

return health
