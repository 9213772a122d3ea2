-- SPDX-License-Identifier: Apache-2.0
-- Secrets that the command is given: from a file, from standard input or from a person; never as an argument.

local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"

local secret = {}

-- Bytes of a file with one secret and a line end, at most.
local LARGEST = 4096

local function check(option, text)
  text = text and text:gsub("\r?\n$", "")
  if not text or text == "" or text:find "%s" then
    failure.usage(option .. ": one secret is expected, and nothing else")
  end
  return text
end

---Reads a secret from a file. Ends the command when there is none.
---@param option string for messages
---@param path string "-": standard input
---@return string
function secret.read(option, path)
  if path == "-" then
    return (check(option, io.read(LARGEST)))
  end
  local text, problem = core.file.read(path, LARGEST)
  if not text then
    failure.usage(("%s: %s cannot be read: %s"):format(option, path, problem))
  end
  return (check(option, text))
end

---Asks a person for a secret, without showing it. Ends the command when nobody is there.
---@param option string for messages
---@param question string
---@return string
function secret.ask(option, question)
  local text = require("confidentai.cli.terminal").ask_hidden(question)
  require("confidentai.cli.interruption").check()
  if not text then
    failure.usage(option .. ": nobody is there to ask", "give it by a file")
  end
  return (check(option, text))
end

return secret
