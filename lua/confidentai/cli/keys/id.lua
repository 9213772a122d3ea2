-- SPDX-License-Identifier: Apache-2.0
-- The argument ID of verbs about one key: what can be none, and what is none.

local command_line = require "confidentai.command_line"
local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"
local refusal = require "confidentai.refusal"

---Names the key that an error is about, where the service does not: a key of a project is easily looked for among the
---organization's.
---@param api_keys confidentai.ApiKeys where it was looked for
---@param id string
---@param err confidentai.Error
---@return confidentai.Error err
local function name_missing(api_keys, id, err)
  if refusal.is(err, 404) then
    local place = api_keys.project_id and "the project " .. api_keys.project_id or "the organization"
    err.message = ("key %s of %s: %s"):format(id, place, err.message)
    err.next = api_keys.project_id
      and "see: confidentai keys list " .. command_line.text { command_line.option("--project", api_keys.project_id) }
      or "if it is a key of a project, add --project ID; see: confidentai keys list --all-projects"
  end
  return err
end

---Checks the id of a key that was given on the command line. Ends the command when it can be none.
---@param api_keys confidentai.ApiKeys whose key it is
---@param text string
---@return string id
local function check_id(api_keys, text)
  local id, problem = core.key_id(api_keys, text)
  if not id then
    failure.usage("ID: " .. problem, "see: confidentai keys list")
  end
  return id
end

return { check = check_id, name_missing = name_missing }
