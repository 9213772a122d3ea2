-- SPDX-License-Identifier: Apache-2.0
-- Verbs whose result is a text about the command itself, made of its parser: completion scripts, the manual page. They
-- need no key, no network and no core, so that a package can be made with them.

local failure = require "confidentai.cli.failure"
local output = require "confidentai.cli.output"
local status = require "confidentai.cli.status"

local page = {}

-- Options that are for other programs are in no text for people.
local function without_hidden(parser)
  for i = #parser._options, 1, -1 do
    if parser._options[i]._hidden then
      table.remove(parser._options, i)
    end
  end
  for _, command in ipairs(parser._commands) do
    without_hidden(command)
  end
  return parser
end

---The parser with all its commands, without what is hidden.
---@return table parser of argparse
function page.parser()
  return without_hidden((require("confidentai.cli").parser(require "argparse", true)))
end

---Writes the text. A standard output that cannot be written ends the command with a message.
---@param text string
---@return integer status
function page.write(text)
  local ok, caught = pcall(output.write, text)
  if ok then
    return status.ok
  end
  local err = failure.caught(caught)
  if not err then
    error(caught, 0)
  elseif not err.closed then
    failure.report(err)
  end
  return err.exit
end

return page
