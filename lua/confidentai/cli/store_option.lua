-- SPDX-License-Identifier: Apache-2.0
-- The option --store, by which verbs are told where a secret goes:
--
--   --store file:/etc/app/confident.key                 the file holds the secret and nothing else
--   --store env_file:/etc/app/.env:CONFIDENT_API_KEY    one variable of a .env file
--   --store "exec:vault kv put secret/app key=-"        a command, which reads the secret from its standard input
--   --store-check "vault kv get -field=key secret/app"  with exec: a command that prints what is stored

local failure = require "confidentai.cli.failure"
local shell_words = require "confidentai.cli.shell_words"

local store_option = {}

local EXAMPLE = "such as file:/etc/app/confident.key, env_file:/etc/app/.env:CONFIDENT_API_KEY or \"exec:command arg\""

---Adds the options --store and --store-check.
---@param command table of argparse
---@param doc? string what goes there
function store_option.define(command, doc)
  command:option("--store", (doc or "Where the secret goes") .. ": file:PATH, env_file:PATH:VARIABLE or exec:COMMAND; "
    .. "may be given several times."):argname("SPEC"):count("*"):target("stores")
  command:option("--store-check", "Command that prints the secret currently in the exec: store, or "
    .. "nothing."):argname("COMMAND")
    :target("store_check")
end

local function split(option, text)
  local list, problem = shell_words.split(text)
  if not list then
    failure.usage(("%s: %s"):format(option, problem),
      "quote it; or, for pipes and variables, run a shell: exec:sh -c '...'")
  elseif not list[1] or list[1] == "" then
    failure.usage(("%s: a command is expected"):format(option))
  end
  return list
end

-- Makes a store; what the constructor refuses is the user's mistake.
local function make(kind, options)
  local ok, made = pcall(require("confidentai.store")[kind], options)
  if not ok then
    local problem = tostring(made):match "%((.*)%)$" or tostring(made)
    failure.usage(("--store %s: %s"):format(kind, problem), EXAMPLE)
  end
  return made
end

-- "./app.key" and "app.key" are one store, on record and in what people read.
local function plain(path)
  return (path:gsub("^%./+([^~])", "%1")) -- "~" stands for a folder of that name only behind "./"
end

local readers = {
  file = function(rest) return { path = plain(rest) } end,
  env_file = function(rest)
    local path, variable = rest:match "^(.*):([^:/]*)$"
    if not path then
      failure.usage("--store env_file: the variable is missing", "env_file:" .. rest .. ":CONFIDENT_API_KEY")
    end
    return { path = plain(path), variable = variable }
  end,
  exec = function(rest, check)
    return { command = split("--store exec", rest), check = check and split("--store-check", check) }
  end,
}

---Makes the store that a text describes. Ends the command when it describes none.
---@param text string
---@param check? string of --store-check
---@return confidentai.Store
function store_option.parse(text, check)
  local kind, rest = text:match "^([%a_]+):(.*)$"
  if not readers[kind] then
    failure.usage(("--store: unknown store '%s': use file:PATH, env_file:PATH:VARIABLE or exec:COMMAND"):format(
      failure.redact(text)), EXAMPLE)
  end
  local made = make(kind, readers[kind](rest, check))
  return made
end

---Makes the stores of the command line.
---@param arguments { stores: string[], store_check: string? } parsed
---@return confidentai.Store[]? stores nil: none was given
function store_option.stores(arguments)
  local list, commands = {}, 0
  for i, text in ipairs(arguments.stores or {}) do
    list[i] = store_option.parse(text, arguments.store_check)
    commands = commands + (list[i].kind == "exec" and 1 or 0)
  end
  if arguments.store_check and commands ~= 1 then
    failure.usage("--store-check needs exactly one exec: store",
      commands > 1 and "put the commands and their checks into one script" or nil)
  end
  return list[1] and list or nil
end

return store_option
