-- SPDX-License-Identifier: Apache-2.0
-- What `--help` of a command ends with: examples.

local help = {}

---Ends the help of a command with examples. Lines of up to 76 characters stay as they are.
---@param command table of argparse
---@param examples string[] command lines
function help.examples(command, examples)
  command:epilog("Examples:\n  " .. table.concat(examples, "\n  "))
end

return help
