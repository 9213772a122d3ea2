-- SPDX-License-Identifier: Apache-2.0
-- `confidentai keys list|find|get|create|enable|disable|delete`. A verb's module is loaded when it is run.

local help = require "confidentai.cli.help"
local selection = require "confidentai.cli.selection"
local session = require "confidentai.cli.session"

local keys = {}

local MODULES = {
  list = "show", find = "show", get = "show", create = "create", enable = "change", disable = "change",
  delete = "change",
}

local function define_readers(command)
  local list = command:command("list", "List the keys of the organization, or of projects.")
  selection.define_many(list)
  help.examples(list, {
    "confidentai keys list",
    "confidentai keys list --project clq9z3x1k0001la08f7t3g5p2",
    "confidentai keys list --all-projects --output json | jq -r '.[].name'",
  })
  local find = command:command("find", "Find keys by their name.")
  find:argument("name", "The name; keys that rotations have made under it are found, too.")
  selection.define_many(find)
  help.examples(find, { "confidentai keys find ci-pipeline --all-projects" })
  local get = command:command("get", "Show one key.")
  get:argument("id", "The key's id, as `keys list` shows it.")
  selection.define_one(get)
  help.examples(get, { "confidentai keys get 7", "confidentai keys get 7 --project ID --output json" })
  return { list, find, get }
end

local function define_create(command)
  local create = command:command("create", "Create a key, and deliver its secret.")
  create:argument("name", "The key's name.")
  selection.define_one(create)
  require("confidentai.cli.delivery_option").define(create)
  create:flag("--allow-duplicate", "Create it even if a key of this name exists."):target("allow_duplicate")
  help.examples(create, {
    "confidentai keys create ci                 # shows the secret, at a terminal",
    "confidentai keys create ci --secret-file ./ci.key",
    "confidentai keys create ci --project ID --store env_file:.env:API_KEY",
    "confidentai keys create ci --secret-fd 3 3>&1 >/dev/null | pass insert -m ci",
  })
  return create
end

local function define_changes(command)
  local enable = command:command("enable", "Enable a key again.")
  help.examples(enable, { "confidentai keys enable 7 --project ID" })
  local disable = command:command("disable", "Disable a key: the service refuses it until it is enabled again.")
  help.examples(disable, { "confidentai keys disable 7 --project ID", "confidentai keys disable 7 --yes" })
  local delete = command:command("delete", "Delete a key, for good.")
  help.examples(delete, { "confidentai keys delete 7 --project ID", "confidentai keys delete 7 --yes --quiet" })
  for _, verb in ipairs { enable, disable, delete } do
    verb:argument("id", "The key's id, as `keys list` shows it.")
    selection.define_one(verb)
  end
  for _, verb in ipairs { disable, delete } do
    verb:flag("--yes -y", "Do not ask.")
    verb:flag("--force", "Allow it for the key that this command authenticates with.")
  end
  return { enable, disable, delete }
end

---Tells the parser about the verbs.
---@param command table of argparse
function keys.define(command)
  command:command_target("verb"):require_command(true)
  help.examples(command, { "confidentai keys list", "confidentai keys create ci --secret-file ./ci.key" })
  local verbs = define_readers(command)
  verbs[#verbs + 1] = define_create(command)
  for _, verb in ipairs(define_changes(command)) do
    verbs[#verbs + 1] = verb
  end
  for _, verb in ipairs(verbs) do
    session.define(verb)
  end
end

---Runs a verb.
---@param arguments table parsed
---@return integer status
function keys.run(arguments)
  local verb = require("confidentai.cli.keys." .. MODULES[arguments.verb])[arguments.verb]
  return session.run(arguments, verb)
end

return keys
