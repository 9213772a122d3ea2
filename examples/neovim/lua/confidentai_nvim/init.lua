-- SPDX-License-Identifier: Apache-2.0
-- The API keys of a Confident AI organization and its projects in a buffer: :ConfidentKeys [project-id].
-- luacheck: globals vim

require("confidentai_nvim.search_path").drop_relative() -- before anything is looked for outside of the runtimepath

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

---Makes anybody's text fit to be shown: one line, in which nothing is unseen or reorders what stands beside it.
---@param text any
---@param lines? boolean line feeds stay
---@return string
function plugin.clean(text, lines)
  local ok, core = pcall(require, "confidentai.core")
  text = tostring(text)
  return ok and type(core) == "table" and core.clean(text, lines) or (text:gsub("%c", " "))
end

---Tells the user something.
---@param text string
---@param level? integer of vim.log.levels
function plugin.say(text, level)
  vim.notify(plugin.clean(text), level)
end

---Shows an error. Errors of confidentai never hold a secret.
function plugin.show_error(problem)
  plugin.say("confidentai: " .. tostring(problem), vim.log.levels.ERROR)
end

-- What was raised, without the place in the code: to whoever types a command, it is an error like any other.
local function words(raised)
  return (tostring(raised):gsub("^[^\n]-%.lua:%d+: ", ""))
end

-- The library, or why it does not load, in a line. What a failed require leaves would hide that from the next one, and
-- that the library was built meanwhile; a module is a table.
local function load_library()
  local ok, found = pcall(require, "confidentai")
  if ok then
    return found
  end
  for name, value in pairs(package.loaded) do
    if name:find "^confidentai" and type(value) ~= "table" then
      package.loaded[name] = nil
    end
  end
  local reason = words(found):match("^[^\n]*"):gsub(":$", "")
  return nil, ("the library does not load: %s. What to do: :checkhealth confidentai"):format(reason)
end

---One client for all buffers: it keeps the connections.
---@return confidentai.Client?
---@return confidentai.Error|string|nil err
function plugin.client()
  if not client then
    local confidentai, problem = load_library()
    if not confidentai then
      return nil, problem
    end
    local ok, made, err = pcall(confidentai.new, options)
    if not ok or not made then
      return nil, ok and err or words(made)
    end
    client = made
  end
  return client
end

local function get_api_keys(project_id)
  local found, err = plugin.client()
  if not found then
    return nil, err
  elseif not project_id then
    return found:organization().api_keys
  end
  local ok, project = pcall(found.project, found, project_id)
  if not ok then
    return nil, ("%s is no id of a project: %s"):format(project_id, words(project):match "%((.*)%)" or words(project))
  end
  return project.api_keys
end

---Lets the user choose one of the projects, and opens the list of its keys.
function plugin.choose_project()
  local found, problem = plugin.client()
  if not found then
    plugin.show_error(problem)
    return
  end
  require("confidentai").async(function()
    local projects, err = found.projects:list()
    return projects, err
  end, function(ok, projects, err)
    if not ok or not projects then
      plugin.show_error(ok and err or projects)
      return
    end
    vim.ui.select(projects, {
      prompt = "Keys of which project?",
      format_item = function(project) return plugin.clean(("%s  %s"):format(project.id, project.name)) end,
    }, function(project)
      if project then
        plugin.open(project.id)
      end
    end)
  end)
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
