-- SPDX-License-Identifier: Apache-2.0
--- `confidentai sandbox`: runs the local service here, or in another Lua that has lua-http.

local argv = require "confidentai.cli.argv"
local help = require "confidentai.cli.help"
local interpreter = require "confidentai.sandbox.interpreter"
local options = require "confidentai.sandbox.options"
local terminal = require "confidentai.cli.terminal"

local sandbox = {}

local function flag_of(option)
  return "--" .. option.name:gsub("_", "-")
end

--- Adds the options to the parser's command.
---@param command table of argparse
function sandbox.define(command)
  for _, option in ipairs(options.list) do
    local doc = option.doc
    if type(option.default) == "table" then
      doc = ("%s (default: %s)"):format(doc, table.concat(option.default, " "))
    elseif option.default ~= nil then
      doc = ("%s (default: %s)"):format(doc, tostring(option.default))
    end
    local made
    if option.kind == "boolean" then
      made = command:flag(flag_of(option), doc)
    else
      made = command:option(flag_of(option), doc)
      if option.kind == "number" then made:convert(argv.number_of(flag_of(option))) end
      if option.kind == "names" then made:args("+") end
    end
    made:target(option.name)
    if option.hidden then made:hidden(true) end
  end
  help.examples(command, { "confidentai sandbox", "confidentai sandbox --port 0 --output json --exit-with-stdin" })
  command:flag("--exit-with-stdin", "Exit when standard input ends."):target("exit_with_stdin")
end

local function given_options(arguments)
  local given = {}
  for _, option in ipairs(options.list) do given[option.name] = arguments[option.name] end
  if arguments.exit_with_stdin then given.exit_with_fd = 0 end
  return given
end

local function forward_signals(uv, child)
  for _, name in ipairs { "sigint", "sigterm", "sighup" } do
    local watcher = uv.new_signal()
    watcher:start(name, function() child:kill(name) end)
    watcher:unref()
  end
end

--- Runs the sandbox in another interpreter, which dies with this process.
local function run_elsewhere(chosen, complete)
  local uv = require "luv"
  local json = require "confidentai.sandbox.json"
  -- The other end of this pipe closes when this process ends, however it ends. With --exit-with-stdin the
  -- child sees standard input itself.
  local lifeline, stdio = nil, { 0, 1, 2 }
  if not complete.exit_with_fd then
    lifeline = uv.pipe()
    stdio[4] = lifeline.read
    complete.exit_with_fd = 3
  end
  local status
  local child, message = uv.spawn(chosen.command, {
    args = { interpreter.script(), json.encode(complete) }, stdio = stdio,
    env = interpreter.environment(uv.os_environ(), chosen),
  }, function(code, signal)
    status = signal ~= 0 and 128 + signal or code
  end)
  if not child then
    terminal.say("confidentai sandbox: cannot run ", chosen.command, ": ", tostring(message))
    return 1
  end
  if lifeline then uv.fs_close(lifeline.read) end
  forward_signals(uv, child)
  uv.run()
  return status
end

--- Runs the command.
---@param arguments table parsed
---@return integer status
function sandbox.run(arguments)
  local complete, message = options.complete(given_options(arguments))
  if not complete then
    terminal.say("confidentai sandbox: ", message)
    return 2
  end
  if interpreter.is_suitable() then return require("confidentai.sandbox.process").run(complete) end
  local chosen
  chosen, message = interpreter.find()
  if not chosen then
    terminal.say("confidentai sandbox: ", message)
    return 1
  end
  return run_elsewhere(chosen, complete)
end

return sandbox
