-- SPDX-License-Identifier: Apache-2.0
-- The command `confidentai <noun> <verb>`. Nouns are modules that are loaded only when they are asked for, so that it
-- starts fast.

local argv = require "confidentai.cli.argv"
local help = require "confidentai.cli.help"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local cli = {}

-- Each module has `define(command)`, which tells the parser about its verbs and options, and `run(arguments)`, which
-- returns the exit status.
cli.commands = {
  { name = "keys", summary = "List, show, create, enable, disable, delete and find API keys.",
    module = "confidentai.cli.keys" },
  { name = "projects", summary = "List the projects of the organization.", module = "confidentai.cli.projects" },
  { name = "whoami", summary = "Show which organization and key the credential is.",
    module = "confidentai.cli.whoami" },
  { name = "rotate", summary = "Replace a key without downtime.", module = "confidentai.cli.rotate" },
  { name = "ensure", summary = "Keep a key current in a store, for CI jobs: create it, or replace it when it is too "
    .. "old.",
    module = "confidentai.cli.ensure" },
  { name = "audit", summary = "Examine every key of the organization and its projects.",
    module = "confidentai.cli.audit" },
  { name = "identify", summary = "Find the key that a secret belongs to.", module = "confidentai.cli.identify" },
  { name = "contain", summary = "Disable the key of a leaked secret, and check that it is refused.",
    module = "confidentai.cli.contain" },
  { name = "completion", summary = "Print the completion script of a shell.",
    module = "confidentai.cli.completion" },
  { name = "manual", summary = "Print the manual page.", module = "confidentai.cli.manual" },
  { name = "sandbox", summary = "Run a local stand-in for the service.", module = "confidentai.cli.sandbox" },
}

local EXAMPLES = {
  "confidentai whoami",
  "confidentai keys list --all-projects --output json",
  "confidentai keys create ci-pipeline --project ID --store file:/etc/app/key",
  "confidentai rotate start 7 --project ID --store file:/etc/app/key",
  "confidentai completion bash",
  "",
  "Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 findings, 4 the",
  "credential was refused, 5 unclear (the message says how to settle it),",
  "6 refused for safety, 7 not finished. The page docs/command.md has them all.",
}

local function version()
  local ok, core = pcall(require, "confidentai.core")
  return "confidentai " .. (ok and type(core) == "table" and core._VERSION or "unknown")
end

-- Ends the command with a text that was asked for; argparse would not notice that it cannot be written.
local function finish(text)
  os.exit(require("confidentai.cli.page").write(text))
end

local function answer_help(parser)
  parser._options[parser._help_option_idx]:action(function() finish(parser:get_help() .. "\n") end)
  for _, command in ipairs(parser._commands) do
    answer_help(command)
  end
end

---The parser. Of commands that are not meant only the names are known.
---@param argparse function
---@param wanted? string a command's name; true: all, for completions and the manual
---@return table parser
---@return table<string, table> modules by the name of the command
function cli.parser(argparse, wanted)
  local parser = argparse("confidentai", "Manage the API keys of Confident AI.")
  parser:help_max_width(80)
  parser:add_help(true)
  parser:flag("--version"):description("Show the version and exit."):action(function() finish(version() .. "\n") end)
  parser:command_target("command")
  parser:require_command(true)
  help.examples(parser, EXAMPLES)
  local modules = {}
  for _, entry in ipairs(cli.commands) do
    local command = parser:command(entry.name, entry.summary)
    if wanted == true or entry.name == wanted then
      modules[entry.name] = require(entry.module)
      modules[entry.name].define(command)
    end
  end
  answer_help(parser)
  return parser, modules
end

-- A secret on a command line is public already: nothing is done with it, and it is not shown again.
local function refuse_secret(arguments)
  local position = argv.secret(arguments, os.getenv "CONFIDENT_ORG_API_KEY")
  if not position then
    return nil
  end
  local failure = require "confidentai.cli.failure"
  failure.report({ kind = "usage",
    message = ("argument %d is or contains a secret (not shown), which is now in the shell's history and was visible "
      .. "in the list of processes"):format(position),
    next = "replace that key: confidentai rotate start ID. Pass secrets by CONFIDENT_ORG_API_KEY, --profile, a file "
      .. "or standard input" }, argv.format(arguments))
  return status.usage
end

-- Tells what is wrong with the command line, by the words of the parser of the command that it is about.
local function refuse(command, message, arguments)
  local failure = require "confidentai.cli.failure"
  local format, usage = argv.format(arguments), command:get_usage()
  message = message:gsub("'%s+Did you mean", "'. Did you mean") -- argparse joins two sentences
  local name = usage:match "^Usage: ([%l ]*%l)" or "confidentai"
  if format ~= "json" and format ~= "jsonl" then
    terminal.tell(usage .. "\n\n")
  end
  failure.report({ kind = "usage", message = message, next = "see: " .. name .. " --help" }, format)
end

-- Parses; nil when the command line is wrong, and it has been told.
local function parse(parser, arguments)
  local refused = {}
  parser.error = function(command, message)
    refuse(command, message, arguments)
    error(refused, 0)
  end
  local ok, parsed = pcall(parser.parse, parser, arguments)
  if not ok and parsed ~= refused then
    error(parsed, 0)
  end
  return ok and parsed or nil
end

---Runs the command.
---@param arguments string[] as the shell gave them
---@return integer status see cli.status
function cli.main(arguments)
  local found, argparse = pcall(require, "argparse")
  if not found then
    terminal.say("confidentai: the command needs the module argparse: apt-get install lua-argparse, "
      .. "or luarocks install argparse")
    return status.failed
  end
  local refused = refuse_secret(arguments)
  if refused then
    return refused
  end
  local parser, modules = cli.parser(argparse, argv.command(arguments))
  local parsed = parse(parser, arguments)
  if not parsed then
    return status.usage
  end
  require("confidentai.cli.continuation").note(arguments, parsed)
  return modules[parsed.command].run(parsed)
end

return cli
