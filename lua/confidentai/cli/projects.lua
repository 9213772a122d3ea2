-- SPDX-License-Identifier: Apache-2.0
-- `confidentai projects list`

local columns = require "confidentai.cli.columns"
local failure = require "confidentai.cli.failure"
local help = require "confidentai.cli.help"
local output = require "confidentai.cli.output"
local session = require "confidentai.cli.session"

local projects = {}

---Tells the parser about the verbs.
---@param command table of argparse
function projects.define(command)
  command:command_target("verb"):require_command(true)
  local list = command:command("list", "List the projects of the organization.")
  help.examples(command, { "confidentai projects list" })
  help.examples(list, { "confidentai projects list", "confidentai projects list --output json | jq -r '.[].id'" })
  session.define(list)
end

local function list(self, arguments)
  local found = failure.check(self:client().projects:list())
  output.records(columns.of_projects(self:now()), found, arguments)
  if found.unreadable then
    failure.raise(require("confidentai.all_keys").problem("projects", found))
  end
end

---Runs a verb.
---@param arguments table parsed
---@return integer status
function projects.run(arguments)
  return session.run(arguments, list)
end

return projects
