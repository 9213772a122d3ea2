-- SPDX-License-Identifier: Apache-2.0
-- Where a secret comes from that a verb is about: a file, standard input, or a hidden answer at a terminal. Never an
-- argument: those are in the shell's history and in the list of processes.

local failure = require "confidentai.cli.failure"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local secret_input = {}

-- Bytes that a file with one secret may have, and that are read at once of a text to be looked through.
local LARGEST, PIECE = 4096, 65536

---Adds the option --file.
---@param command table of argparse
function secret_input.define(command)
  command:option("--file -f", "Read from this file; without it from standard input, or as a hidden answer at a "
    .. "terminal."):argname("PATH")
end

-- Calls use(file) with the input open, and closes it.
local function with_input(path, use)
  local file = io.stdin
  if path then
    local message
    file, message = io.open(path, "rb")
    if not file then
      failure.raise { kind = "config", message = "the file cannot be read: " .. message, exit = status.usage }
    end
  end
  local ok, result = pcall(use, file)
  if path then
    file:close()
  end
  if not ok then
    error(result, 0)
  end
  return result
end

local function read(file, count)
  local piece, message = file:read(count)
  if not piece and message then
    require("confidentai.cli.interruption").check() -- a signal breaks a read off, too
    failure.raise { kind = "config", message = "the input cannot be read: " .. message, exit = status.usage }
  end
  return piece
end

---Reads one secret. Ends the command when there is none, or something else.
---@param arguments { file: string? } parsed
---@param whole? boolean a mask will not do
---@return string
function secret_input.secret(arguments, whole)
  local text
  if not arguments.file and terminal.width(0) then
    text = terminal.ask_hidden "The secret (it is not shown): "
  else
    text = with_input(arguments.file, function(file) return read(file, LARGEST + 1) end)
  end
  text = (text or ""):gsub("^%s+", ""):gsub("%s+$", "")
  if text == "" then
    failure.usage("no secret was given", "pipe it in, or use --file PATH")
  elseif #text > LARGEST or text:find "%s" then
    failure.usage("one secret is expected, and this is more",
      "to find the secrets in a text: confidentai identify --scan --file PATH")
  end
  local problem = require("confidentai.identify").problem_with(text, whole)
  if problem then
    failure.usage(problem)
  end
  return text
end

---Finds the secrets in a text of any length.
---@param arguments { file: string? } parsed
---@return confidentai.Found[]
function secret_input.scan(arguments)
  local scan = require("confidentai.scan").new()
  return with_input(arguments.file, function(file)
    local interruption = require "confidentai.cli.interruption"
    local piece = read(file, PIECE)
    while piece do
      scan:feed(piece)
      interruption.check()
      piece = read(file, PIECE)
    end
    return scan:finish()
  end)
end

return secret_input
