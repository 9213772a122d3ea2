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
  command:flag("--replace-store", "Even if the store holds something already."):target("replace_store")
  command:option("--secret-file", "A new file for the secret, which only its owner can read."):argname("PATH")
    :target("secret_file")
  command:option("--secret-fd", "An open descriptor to write the secret to, from 3 on."):argname("N")
    :convert(argv.number_of "--secret-fd"):target("secret_fd")
  command:flag("--print-secret", "Write the secret to standard output even if that is no terminal.")
    :target("print_secret")
end

return delivery_option
