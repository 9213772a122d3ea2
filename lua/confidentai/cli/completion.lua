-- SPDX-License-Identifier: Apache-2.0
-- `confidentai completion bash|zsh|fish`: what the shell needs to complete the command's verbs and options.

local help = require "confidentai.cli.help"

local completion = {}

local SHELLS = {
  { name = "bash", example = "confidentai completion bash >>~/.bash_completion    # once" },
  { name = "zsh", example = "confidentai completion zsh >~/.zfunc/_confidentai    # a folder of $fpath" },
  { name = "fish", example = "confidentai completion fish >~/.config/fish/completions/confidentai.fish" },
}

---Tells the parser about the verbs.
---@param command table of argparse
function completion.define(command)
  command:command_target("verb"):require_command(true)
  local examples = {}
  for i, shell in ipairs(SHELLS) do
    local summary = ("Print the completion script for %s."):format(shell.name)
    help.examples(command:command(shell.name, summary), { shell.example })
    examples[i] = shell.example
  end
  help.examples(command, examples)
end

-- argparse takes the word at the cursor for one that is complete: "confidentai keys" with the cursor behind it would
-- offer nothing, not even the blank.
local function before_cursor(script)
  return (script:gsub("%${COMP_WORDS%[@%]}", "${COMP_WORDS[@]:0:COMP_CWORD}", 1))
end

---Runs a verb.
---@param arguments table parsed
---@return integer status
function completion.run(arguments)
  local page = require "confidentai.cli.page"
  local parser = page.parser()
  local script = parser["get_" .. arguments.verb .. "_complete"](parser)
  local status = page.write(arguments.verb == "bash" and before_cursor(script) or script)
  return status
end

return completion
