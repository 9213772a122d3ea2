-- SPDX-License-Identifier: Apache-2.0
-- `confidentai manual`: the manual page, made of the parser, so that it has every verb and option that there is.

local help = require "confidentai.cli.help"
local roff = require "confidentai.cli.roff"
local status = require "confidentai.cli.status"

local manual = {}

local EXIT = {
  { status.ok, "All that is due is done." },
  { status.failed, "Failed." },
  { status.usage, "Wrong options, arguments or settings; nothing was sent." },
  { status.findings, "Findings, where it was asked to fail for them." },
  { status.authentication, "There is no credential, or the service refuses it." },
  { status.unclear, "Unclear: a change may have happened, or a compromised key was replaced and its secret not seen to "
    .. "be refused; the message says how to settle it." },
  { status.refused, "Refused for safety, or a question was answered by no." },
  { status.unfinished, "Not finished; only with `--wait` or `--require-done`." },
  { "129, 130, 143", "Ended by SIGHUP, SIGINT, SIGTERM." },
}

local ENVIRONMENT = {
  { "CONFIDENT_ORG_API_KEY", "The organization key that it authenticates with. It is never an argument." },
  { "CONFIDENT_BASE_URL", "URL of the service." },
  { "CONFIDENT_REGION", "US, EU or AU, where no URL is given." },
  { "CONFIDENTAI_DEBUG", "1 shows libcurl's messages and headers on standard error, without credentials." },
  { "CONFIDENT_PROFILE", "The profile to use, as `--profile`." },
  { "https_proxy, HTTPS_PROXY, http_proxy, all_proxy, ALL_PROXY, no_proxy, NO_PROXY", "As libcurl takes them; never "
    .. "for this machine." },
  { "STATE_DIRECTORY, XDG_STATE_HOME, HOME", "Where the records of rotations are, without `--state-dir`." },
  { "XDG_CONFIG_HOME, HOME", "Where the configuration file is." },
  { "NO_COLOR, TERM, COLUMNS", "Width and colours of the terminal." },
  { "PATH", "Where the programs of stores and of `--on-published` are." },
  { "CONFIDENTAI_IGNORES_SIGINT", "Set by the command itself: SIGINT was ignored when it was started." },
  { "SSLKEYLOGFILE", "Many builds of libcurl write the keys of TLS sessions to it: leave it unset." },
}

local FILES = {
  { "$XDG_CONFIG_HOME/confidentai/config.json, ~/.config/confidentai/config.json",
    'Profiles, such as {"profiles": {"prod": {"region": "EU", "key_command": ["pass", "show", "confident/prod"]}}}; '
      .. "base_url may stand for region, api_key for key_command, and timeout and ca_file beside them. It must be "
      .. "readable by its owner only." },
  { "$STATE_DIRECTORY, $XDG_STATE_HOME/confidentai, ~/.local/state/confidentai",
    "Records of rotations, and, for as long as one needs it, the secret of its new key." },
}

local DESCRIPTION = {
  "Lists, creates, disables, enables, deletes, rotates and audits the API keys of a Confident AI organization and "
    .. "its projects. It asks before changes that cannot be undone, and never shows a secret unless asked to.",
  "Secrets are never accepted as arguments: a command line that contains one is refused, and nothing is sent.",
}

---Tells the parser about the options.
---@param command table of argparse
function manual.define(command)
  help.examples(command, {
    "confidentai manual | man -l -",
    "confidentai manual >/usr/local/share/man/man1/confidentai.1",
  })
end

local function label_of(option)
  local names = {}
  for i, alias in ipairs(option._aliases) do
    names[i] = roff.bold(alias)
  end
  local label = table.concat(names, ", ")
  for _, argument in ipairs(option:_get_argument_list()) do
    label = label .. " " .. roff.italic(argument)
  end
  return label
end

local function arguments_of(command)
  local words = {}
  for i, argument in ipairs(command._arguments) do
    words[i] = (argument._minargs == 0 and "[%s]" or "%s"):format(roff.italic(argument._name))
      .. (argument._maxargs > 1 and "..." or "")
  end
  return words
end

-- Such as "confidentai keys get id".
local function synopsis(command)
  local words = arguments_of(command)
  table.insert(words, 1, roff.bold(command:_get_fullname()))
  return table.concat(words, " ")
end

-- The commands that do something: nouns without verbs, and verbs.
local function each_leaf(parser, visit)
  for _, noun in ipairs(parser._commands) do
    for _, leaf in ipairs(#noun._commands > 0 and noun._commands or { noun }) do
      visit(leaf)
    end
  end
end

-- Options that all have which ask the service, and --help: a list, and by their labels what is said of them.
local function common_options()
  local scratch, list = require "argparse" "scratch", {}
  require("confidentai.cli.session").define(scratch)
  for _, option in ipairs(scratch._options) do
    list[#list + 1] = option
    list[label_of(option)] = option._description
  end
  return list
end

local function example_lines(command)
  local lines = {}
  for line in (command._epilog or ""):gmatch "\n  ([^\n]*)" do
    lines[#lines + 1] = line
  end
  return lines
end

local function write_command(page, command, common)
  page:part(synopsis(command))
  page:line(roff.prose(command._description or command:_get_description()))
  for _, argument in ipairs(command._arguments) do
    page:entry(roff.italic(argument._name), argument:_get_description())
  end
  for _, option in ipairs(command._options) do
    local label = label_of(option)
    if common[label] ~= option._description then
      page:entry(label, option:_get_description())
    end
  end
  page:example(example_lines(command))
end

local function write_list(page, title, list, style)
  page:section(title)
  for _, entry in ipairs(list) do
    page:entry(style(tostring(entry[1])), entry[2])
  end
end

-- The version is the core's; a page that is made where that cannot be loaded has none.
local function source()
  local ok, core = pcall(require, "confidentai.core")
  return ok and type(core) == "table" and "confidentai " .. core._VERSION or "confidentai"
end

-- The page, in roff.
local function text_of(parser)
  local page, common = roff.page("CONFIDENTAI", source()), common_options()
  page:section "NAME"
  page:line "confidentai \\- manage the API keys of Confident AI"
  page:section "SYNOPSIS"
  page:line ".nf"
  each_leaf(parser, function(command) page:line(synopsis(command) .. " [" .. roff.italic "option" .. "...]") end)
  page:line(roff.bold "confidentai --version")
  page:line ".fi"
  page:section "DESCRIPTION"
  for _, paragraph in ipairs(DESCRIPTION) do
    page:paragraph(paragraph)
  end
  page:section "COMMON OPTIONS"
  page:line(roff.prose "Every command that sends requests takes these, and every command takes `--help` (`-h`).")
  for _, option in ipairs(common) do
    page:entry(label_of(option), option:_get_description())
  end
  page:section "COMMANDS"
  each_leaf(parser, function(command) write_command(page, command, common) end)
  write_list(page, "EXIT STATUS", EXIT, roff.bold)
  write_list(page, "ENVIRONMENT", ENVIRONMENT, roff.bold)
  write_list(page, "FILES", FILES, roff.italic)
  page:section "SEE ALSO"
  page:line "\\fBcurl\\fR(1), \\fBlua\\fR(1), \\fBcrontab\\fR(5), \\fBsystemd.timer\\fR(5)"
  return page:finish()
end

---Runs the command.
---@return integer status
function manual.run()
  local page = require "confidentai.cli.page"
  local done = page.write(text_of(page.parser()))
  return done
end

return manual
