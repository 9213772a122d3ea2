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
  options.duration(command, "--max-age", "Replace the current key when it is older than this; default 30d.")
  options.duration(command, "--soak", "How long the previous key keeps working; default 24h.")
  options.duration(command, "--grace", "How long the previous key is then kept, disabled; default 7d.")
  command:option("--adopt", "Id of the key whose secret the store holds already; for the first run."):argname "ID"
  command:option("--abandon", "Id of the key whose secret is lost, when the store is empty: create and publish a new "
    .. "key, and retire the lost one once it was unused for the soak."):argname "ID"
  command:flag("--renew", "Create a new key when the secret in the store does not work and belongs to no key.")
  options.define_on_published(command, "Command to run when the stores hold a new key, such as a restart of its "
    .. "consumers; each run repeats it while an older key is enabled.")
  command:option("--manager-store",
    "Store from which this command reads its own key, if that is the one to replace; written as "
      .. "--store."):argname("SPEC")
    :target("manager_store")
  options.duration(command, "--settle", "How long a create without an answer may still take effect.")
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
