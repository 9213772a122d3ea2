-- SPDX-License-Identifier: Apache-2.0
--- The command `confidentai <noun> <verb>`. Commands are modules that are loaded only when they are asked
-- for.

local cli = {}

--- Each command's module has `define(command)` and `run(arguments)`, which returns the exit status.
cli.commands = {
  { name = "sandbox", summary = "Run a local stand-in of the service.", module = "confidentai.cli.sandbox" },
}

cli.status = { ok = 0, failure = 1, usage = 2 }

local function version()
  local ok, core = pcall(require, "confidentai.core")
  return "confidentai " .. (ok and type(core) == "table" and core._VERSION or "unknown")
end

--- The command that is meant: the first word that is no option.
local function wanted_command(arguments)
  for _, argument in ipairs(arguments) do
    if argument:sub(1, 1) ~= "-" then return argument end
  end
end

local function new_parser(argparse, arguments)
  local parser = argparse("confidentai", "Manage the API keys of Confident AI.")
  parser:add_help(true)
  parser:flag("--version"):description("Show the version and exit."):action(function()
    io.stdout:write(version(), "\n")
    os.exit(cli.status.ok)
  end)
  parser:command_target("command")
  parser:require_command(true)
  local wanted, modules = wanted_command(arguments), {}
  for _, entry in ipairs(cli.commands) do
    local command = parser:command(entry.name, entry.summary)
    if entry.name == wanted then
      modules[entry.name] = require(entry.module)
      modules[entry.name].define(command)
    end
  end
  return parser, modules
end

--- Runs the command.
---@param arguments string[] as the shell gave them
---@return integer status 0, 1 after a failure, 2 after a usage error
function cli.main(arguments)
  local found, argparse = pcall(require, "argparse")
  if not found then
    io.stderr:write("confidentai: the command needs the module argparse: apt-get install lua-argparse, "
      .. "or luarocks install argparse\n")
    return cli.status.failure
  end
  local parser, modules = new_parser(argparse, arguments)
  local ok, parsed = parser:pparse(arguments)
  if not ok then
    local command = wanted_command(arguments)
    local help = "confidentai" .. (modules[command] and " " .. command or "") .. " --help"
    io.stderr:write(parser:get_usage(), "\n\nError: ", tostring(parsed), "; see ", help, "\n")
    return cli.status.usage
  end
  return modules[parsed.command].run(parsed)
end

return cli
