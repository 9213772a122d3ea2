-- SPDX-License-Identifier: Apache-2.0
-- Secrets that the command is given: in a file, on standard input, or as a hidden answer at a terminal. Never as an
-- argument: those are in the shell's history and in the list of processes.

local failure = require "confidentai.cli.failure"
local terminal = require "confidentai.cli.terminal"

local secret_input = {}

-- Bytes that a file with one secret may have, and that are read at once of a text to be looked through.
local LARGEST, PIECE = 4096, 65536

---Adds the option --file.
---@param command table of argparse
function secret_input.define(command)
  command:option("--file -f", "File to read; default: standard input, or a hidden prompt at a "
    .. "terminal."):argname("PATH")
end

-- Calls use(file) with the file open, or with standard input where there is no path, and closes it.
local function with_input(option, path, use)
  local file = io.stdin
  if path then
    local message
    file, message = io.open(path, "rb")
    if not file then
      require("confidentai.cli.interruption").check() -- a signal ends the wait for the writer of a FIFO
      failure.usage(("%s: the file cannot be read: %s"):format(option, message))
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
    failure.usage("the input cannot be read: " .. message)
  end
  return piece
end

local function read_one(option, path)
  return with_input(option, path, function(file) return read(file, LARGEST + 1) end)
end

-- Feeds a scan with the rest of a file.
local function scan_rest(scan, file)
  local interruption = require "confidentai.cli.interruption"
  local piece = read(file, PIECE)
  while piece do
    scan:feed(piece)
    interruption.check()
    piece = read(file, PIECE)
  end
  return scan:finish()
end

-- The secret that a text holds, "" where it is empty; nil: it holds something else, or more than one.
local function only(text)
  text = (text or ""):gsub("^%s+", ""):gsub("%s+$", "")
  return #text <= LARGEST and not text:find "%s" and text or nil
end

-- The one secret in a text that holds more, such as a log or KEY=secret: all of that would be refused by the service,
-- and the secret be taken for dead. nil: the text is the secret itself, as far as can be told.
local function one_within(text, found, arguments)
  local alone = only(text)
  if alone == "" or alone and (alone:find "^confident_[%w_+/=-]+$" or not alone:find("confident_", 1, true)) then
    return nil
  elseif #found ~= 1 then
    failure.usage(#found == 0 and "expected one secret, but this is something else"
      or ("expected one secret, but this contains %d"):format(#found),
      "to find the secrets in a text: confidentai identify --scan --file PATH; give one of them in a file of its own")
  elseif not arguments.quiet then
    terminal.say(("using the secret on line %d, which ends in %s"):format(found[1].lines[1],
      found[1].secret:sub(-6)))
  end
  return found[1].secret
end

-- What is typed at a terminal, or read: the text, or as much of it as matters, and the secrets found in it.
local function read_and_scan(arguments)
  local scan = require("confidentai.scan").new()
  if not arguments.file and terminal.width(0) then
    local text = terminal.ask_hidden "The secret (it is not shown): " or ""
    require("confidentai.cli.interruption").check()
    scan:feed(text)
    return text, scan:finish()
  end
  local text
  local found = with_input("--file", arguments.file, function(file)
    text = read(file, LARGEST + 1) or ""
    scan:feed(text)
    return scan_rest(scan, file)
  end)
  return text, found
end

---Reads the secret that a verb is about: it is alone, or the only one in a text. Ends the command when there is none.
---@param arguments { file: string?, quiet: boolean? } parsed
---@param whole? boolean a mask will not do
---@return string
function secret_input.secret(arguments, whole)
  local text, found = read_and_scan(arguments)
  if #found == 0 and found.problem then
    failure.usage("expected one secret: " .. found.problem)
  end
  text = one_within(text, found, arguments) or only(text)
  if text == "" then
    failure.usage("no secret was given", "pipe it in, or use --file PATH")
  end
  local problem = require("confidentai.identify").problem_with(text, whole)
  if problem then
    failure.usage(problem)
  end
  return text
end

-- The secret that an option gives.
local function of_option(option, text)
  text = only(text)
  if not text or text == "" then
    failure.usage(option .. ": expected one secret, and nothing else")
  end
  return text
end

---Reads the secret in the file that an option names. Ends the command when there is none, or something else.
---@param option string for messages
---@param path string "-": standard input
---@return string
function secret_input.of_file(option, path)
  local text = read_one(option, path ~= "-" and path or nil)
  return of_option(option, text)
end

---Asks a person for a secret, without showing it. Ends the command when nobody is there.
---@param option string that wants it, for messages
---@param question string
---@return string
function secret_input.ask(option, question)
  local text = terminal.ask_hidden(question)
  require("confidentai.cli.interruption").check()
  if not text then
    failure.usage(option .. ": cannot ask, because standard input is not a terminal", "give the secret in a file")
  end
  return of_option(option, text)
end

---Finds the secrets in a text of any length.
---@param arguments { file: string? } parsed
---@return confidentai.FoundList
function secret_input.scan(arguments)
  local scan = require("confidentai.scan").new()
  return with_input("--file", arguments.file, function(file) return scan_rest(scan, file) end)
end

return secret_input
