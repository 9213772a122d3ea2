-- SPDX-License-Identifier: Apache-2.0
-- The options that say where the secret of a new key goes. Apart from delivery.lua, which loads more than `--help`
-- needs.

local argv = require "confidentai.cli.argv"
local store_option = require "confidentai.cli.store_option"

local delivery_option = {}

---Adds the options.
---@param command table of argparse
function delivery_option.define(command)
  store_option.define(command)
  command:flag("--replace-store", "Overwrite a store that holds something already."):target("replace_store")
  command:option("--secret-file", "Write the secret to this new file, which only its owner can read."):argname("PATH")
    :target("secret_file")
  command:option("--secret-fd", "Write the secret to this open descriptor, 3 or higher."):argname("N")
    :convert(argv.number_of "--secret-fd"):target("secret_fd")
  command:flag("--print-secret", "Write the secret to standard output even if that is not a terminal.")
    :target("print_secret")
end

return delivery_option
