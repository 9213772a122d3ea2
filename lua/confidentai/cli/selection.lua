-- SPDX-License-Identifier: Apache-2.0
-- Whose keys are meant: the organization's, or those of the projects that --project and --all-projects name.

local command_line = require "confidentai.command_line"
local failure = require "confidentai.cli.failure"
local refusal = require "confidentai.refusal"

local selection = {}

---Adds the options of a verb about keys of one place.
---@param command table of argparse
function selection.define_one(command)
  command:option("--project -p", "Project of the key; default: the organization."):argname("ID")
    :count("*"):target("projects")
end

---Adds the options of a verb about keys of any number of projects.
---@param command table of argparse
function selection.define_many(command)
  command:option("--project -p", "Project whose keys to show; may be given several times. Default: the "
    .. "organization."):argname("ID"):count("*"):target("projects")
  command:flag("--all-projects", "Show the keys of every project."):target("all_projects")
end

-- The keys of a project; an id that can be none is refused without asking.
local function of_project(client, id)
  local core = require "confidentai.core"
  local checked, problem = core.project_id(client, id)
  if not checked then
    failure.usage("--project: " .. problem, "see: confidentai projects list")
  end
  return client:project(checked).api_keys
end

---The one place that is meant. Ends the command when several are.
---@param session table
---@param arguments { projects: string[] } parsed
---@return confidentai.ApiKeys
function selection.one(session, arguments)
  if #arguments.projects > 1 then
    failure.usage("only one project is possible: the same id is another key in each project", "give --project once")
  end
  local client, id = session:client(), arguments.projects[1]
  return id and of_project(client, id) or client:organization().api_keys
end

local function all_projects(client)
  local projects = failure.check(client.projects:list())
  if projects.unreadable then
    failure.raise(require("confidentai.all_keys").problem("projects", projects))
  end
  local places = {}
  for i, project in ipairs(projects) do
    places[i] = client:project(project.id).api_keys
  end
  return places
end

-- The places that are meant, each once.
local function places_of(client, arguments)
  if arguments.all_projects then
    return all_projects(client)
  elseif #arguments.projects == 0 then
    return { client:organization().api_keys }
  end
  local places, seen = {}, {}
  for _, id in ipairs(arguments.projects) do
    if not seen[id] then
      places[#places + 1] = of_project(client, id)
      seen[id] = true
    end
  end
  return places
end

-- Tells of the keys of a place that could not be read. Returns the exit status that this makes, or nil.
local function tell_unreadable(api_keys, keys, format)
  local err = require("confidentai.all_keys").problem("keys", keys)
  if not err then
    return nil
  end
  local place = api_keys.project_id and "project " .. api_keys.project_id or "organization"
  err.message = ("%s: %s"):format(place, err.message)
  failure.report(err, format)
  return require("confidentai.cli.status").of(err)
end

---Asks all places that are meant, at once. What cannot be read is told of, and hides nothing else.
---@param session table
---@param arguments { projects: string[], all_projects: boolean?, output: string } parsed
---@param ask fun(api_keys: confidentai.ApiKeys): confidentai.ApiKey[]?, confidentai.Error?
---@return confidentai.ApiKey[] keys
---@return integer? status of the first that could not be read
function selection.each(session, arguments, ask)
  if arguments.all_projects and #arguments.projects > 0 then
    failure.usage("--project and --all-projects cannot be used together", "use only one of them")
  end
  local places = places_of(session:client(), arguments)
  if #places == 1 then
    local keys, err = ask(places[1])
    if not keys and refusal.is(err, 404) and places[1].project_id then
      err.message = ("project %s: %s"):format(places[1].project_id, err.message)
      err.next = "see: confidentai projects list"
    end
    failure.check(keys, err)
    return keys, tell_unreadable(places[1], keys, arguments.output)
  end
  local tasks = {}
  for i, api_keys in ipairs(places) do
    tasks[i] = function()
      local keys, err = ask(api_keys)
      return keys, err
    end
  end
  local lists, errors = require("confidentai").gather(tasks)
  local keys, first = {}, nil
  for i, api_keys in ipairs(places) do
    for _, key in ipairs(lists[i] or {}) do
      keys[#keys + 1] = key
    end
    first = lists[i] and tell_unreadable(api_keys, lists[i], arguments.output) or first
    local err = errors[i]
    if err then
      if type(err) ~= "table" or not err.kind then
        error(err, 0) -- no error of a call, but an interruption or a bug
      end
      err.message = ("project %s: %s"):format(api_keys.project_id, err.message)
      failure.report(err, arguments.output)
      first = first or require("confidentai.cli.status").of(err)
    end
  end
  return keys, first
end

---How a person calls a key: "key 7 'ci' of the project X".
---@param key confidentai.ApiKey
---@return string
function selection.describe(key)
  return ("key %s%s of %s"):format(require("confidentai.cli.grid").text(key.id),
    key.name and (" '%s'"):format(key.name) or "",
    key.scope == "organization" and "the organization" or "the project " .. key.project_id)
end

---A command about a key, as it is shown to people: "confidentai keys get 7 --project X".
---@param verb string
---@param key confidentai.ApiKey
---@return string
function selection.command(verb, key)
  return command_line.about(verb, key.id, key.scope == "project" and key.project_id or nil)
end

---The option that selects the place of a key again: "" or " --project X".
---@param api_keys confidentai.ApiKeys|confidentai.ApiKey
---@return string
function selection.option(api_keys)
  return api_keys.scope == "project"
    and " " .. command_line.text { command_line.option("--project", api_keys.project_id) } or ""
end

return selection
