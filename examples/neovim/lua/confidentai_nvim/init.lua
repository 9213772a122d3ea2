-- SPDX-License-Identifier: Apache-2.0
-- The API keys of a Confident AI organization and its projects in a buffer: :ConfidentKeys [project-id].
-- luacheck: globals vim

local plugin = {}

local options = {}
local client

---Options for confidentai.new. Not needed where CONFIDENT_ORG_API_KEY is in the environment.
---@param given? table
function plugin.setup(given)
  options = given or {}
  if client then
    client:close()
    client = nil
  end
end

---What the client is made of.
function plugin.options()
  return options
end

---Shows an error. Errors of confidentai never hold a secret.
function plugin.show_error(problem)
  vim.notify("confidentai: " .. tostring(problem), vim.log.levels.ERROR)
end

-- One client for all buffers: it keeps the connections.
local function get_client()
  if not client then
    local made, err = require("confidentai").new(options)
    if not made then
      return nil, err
    end
    client = made
  end
  return client
end

-- A wrong option or project id raises; to whoever types a command, that is an error like any other.
local function get_api_keys(project_id)
  local ok, api_keys, err = pcall(function()
    local found, problem = get_client()
    if not found then
      return nil, problem
    end
    return (project_id and found:project(project_id) or found:organization()).api_keys
  end)
  if not ok then
    return nil, api_keys
  end
  return api_keys, err
end

---Opens the list of the organization's keys, or a project's.
---@param project_id? string
function plugin.open(project_id)
  local api_keys, err = get_api_keys(project_id)
  if not api_keys then
    plugin.show_error(err)
    return
  end
  require("confidentai_nvim.view").open(project_id and "project/" .. project_id or "organization", api_keys)
end

return plugin
