-- SPDX-License-Identifier: Apache-2.0
-- `confidentai keys list|find|get`

local columns = require "confidentai.cli.columns"
local failure = require "confidentai.cli.failure"
local ids = require "confidentai.cli.keys.id"
local output = require "confidentai.cli.output"
local selection = require "confidentai.cli.selection"

local show = {}

local function shows_projects(arguments)
  return arguments.all_projects or #arguments.projects > 1
end

local function write(session, found, arguments)
  output.records(columns.of_keys(session:now(), shows_projects(arguments)), found, arguments)
end

---@param session table
---@param arguments table parsed
---@return integer? status
function show.list(session, arguments)
  local found, status = selection.each(session, arguments, function(api_keys)
    local keys, err = api_keys:list()
    return keys, err
  end)
  write(session, found, arguments)
  return status
end

---@param session table
---@param arguments table parsed
---@return integer? status
function show.find(session, arguments)
  if arguments.name == "" or not require("confidentai.core").is_utf8(arguments.name) then
    failure.usage "the name must be valid UTF-8, and not empty"
  end
  local found, status = selection.each(session, arguments, function(api_keys)
    local keys, err = api_keys:find(arguments.name)
    return keys, err
  end)
  if #found == 0 and not status and arguments.output == "table" then
    local elsewhere = not arguments.all_projects and #arguments.projects == 0
    session:say("no key has this name" .. (elsewhere
      and " in the organization's scope; to search the projects, add --all-projects" or "; see: confidentai keys list"))
  end
  write(session, found, arguments)
  return status
end

---@param session table
---@param arguments table parsed
function show.get(session, arguments)
  local api_keys = selection.one(session, arguments)
  local key, err = api_keys:get(ids.check(api_keys, arguments.id))
  if not key then
    failure.raise(ids.name_missing(api_keys, arguments.id, err))
  end
  output.record(columns.of_keys(session:now(), api_keys.scope == "project"), key, arguments)
end

return show
