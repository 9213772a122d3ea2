-- SPDX-License-Identifier: Apache-2.0
-- `confidentai ensure`: for CI jobs, cron and containers, whose disks vanish. One safe step a run.

local help = require "confidentai.cli.help"
local options = require "confidentai.cli.rotate.options"
local selection = require "confidentai.cli.selection"
local session = require "confidentai.cli.session"
local store_option = require "confidentai.cli.store_option"

local ensure = {}

---Tells the parser about the options.
---@param command table of argparse
function ensure.define(command)
  command:argument("base", "The name under which the keys are known: they are named <base>~g<generation>~<random>.")
  selection.define_one(command)
  store_option.define(command, "Where the current secret is, and a new one goes")
  options.duration(command, "--max-age", "The age at which the current key is replaced; default 30d.")
  options.duration(command, "--soak", "How long the key before it goes on working; default 24h.")
  options.duration(command, "--grace", "How long it is then kept, disabled; default 7d.")
  command:option("--adopt", "The id of the key whose secret is in the store already, the first time."):argname "ID"
  command:option("--abandon", "The id of the key whose secret is lost, where the store holds nothing: a new key is "
    .. "made and published; the lost one is retired once nobody has used it for the soak."):argname "ID"
  command:flag("--renew", "Make a new key where the store holds a secret that does not work and is of no key.")
  options.define_on_published(command, "What to run when the stores hold a new key, such as the restart of what reads "
    .. "it; again at each run while an older key is enabled.")
  command:option("--manager-store",
    "Where this command finds its own key, if that is the one to be replaced; as --store."):argname("SPEC")
    :target("manager_store")
  options.duration(command, "--settle", "How long a create that may have happened may still take effect.")
  session.define(command)
  help.examples(command, {
    "confidentai ensure job --project ID --store file:/run/keys/job --max-age 30d",
    "confidentai ensure ci --store exec:./put-key --store-check ./print-key",
    "confidentai ensure app --store file:/run/keys/app --adopt 7",
    "confidentai ensure app --store file:/run/keys/app --abandon 9",
  })
end

---Runs the command.
---@param arguments table parsed
---@return integer status
function ensure.run(arguments)
  return session.run(arguments, require("confidentai.cli.ensure.run").ensure)
end

return ensure
