-- SPDX-License-Identifier: Apache-2.0
-- What the verbs of the command share: options that all have, the client, and how a run ends.

local failure = require "confidentai.cli.failure"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local session = {}

-- Seconds above 0 of a text, for argparse.
local function seconds(text)
  local length = require("confidentai.cli.time").duration(text)
  if length and length > 0 then
    return length
  end
  return nil, ("--timeout: seconds above 0 are expected, such as 30 or 2m, not '%s'"):format(text)
end

---Adds the options that every verb has which asks the service.
---@param command table of argparse
function session.define(command)
  command:option("--output -o", "Output format: table, json, jsonl or csv."):default("table")
    :choices { "table", "json", "jsonl", "csv" }:argname("FORMAT")
  command:option("--profile", "Profile of the configuration file to use."):argname("NAME")
  command:option("--base-url", "URL of the service."):argname("URL"):target("base_url")
  command:option("--region", "Region of the service: US, EU or AU."):argname("REGION")
  command:option("--ca-file", "PEM file of the CA certificates to trust."):argname("PATH"):target("ca_file")
  command:option("--timeout", "Timeout of each attempt."):argname("SECONDS"):convert(seconds)
  command:flag("--no-color", "Disable colours."):target("no_color")
  command:flag("--quiet -q", "Print results and errors only.")
  command:flag("--verbose -v", "Log each request to standard error.")
end

local Session = {}
Session.__index = Session

-- Tells of each request, for --verbose. No event holds a secret.
local function observe(event)
  if event.type == "request" then
    terminal.say(("> %s %s (CONFIDENT_API_KEY: ***************)"):format(event.method, event.path))
  elseif event.type == "response" then
    terminal.say(("< %s in %.0f ms, %.0f bytes"):format(event.status or event.failure or "-",
      event.seconds * 1000, event.bytes))
  elseif event.type == "retry" then
    terminal.say(("  again in %.1f s"):format(event.seconds))
  end
end

-- Without a credential, or with one that can manage nothing, nothing is sent: it would be refused.
local function check_credential(options)
  local api_key = options.api_key or require("confidentai.environment").get "CONFIDENT_ORG_API_KEY"
  local problem, next
  if not api_key then
    problem, next = "no organization key is set", "set CONFIDENT_ORG_API_KEY, or use --profile NAME"
  elseif api_key:find "^confident_%l*_?proj_" then
    problem = "this is a project key, which cannot manage keys: use an organization key"
    next = "create one in the organization's settings, and set CONFIDENT_ORG_API_KEY to it"
  end
  if problem then
    failure.raise { kind = "config", message = problem, next = next, exit = status.authentication }
  end
end

---The client of the command line: options, else those of the profile, else the environment's.
---@return confidentai.Client
function Session:client()
  if self.made then
    return self.made
  end
  local confidentai = require "confidentai"
  local arguments = self.arguments
  local options = require("confidentai.cli.profile").options(arguments)
  check_credential(options)
  options.timeout = arguments.timeout or options.timeout
  options.on_event = arguments.verbose and observe or nil
  options.driver = require("confidentai.cli.interruption").driver
  local client, err = confidentai.new(options)
  if not client then
    err.exit = status.usage -- what was given, here or in the environment, cannot serve
    failure.raise(err)
  end
  self.made = client
  return client
end

---The time by which the service's times are told.
---@return number seconds since 1970
function Session:now()
  return self.made and require("confidentai.operation").now(self.made) or os.time()
end

---Tells a person something beside the result, on standard error; not with --quiet.
---@param text string
function Session:say(text)
  if not self.arguments.quiet then
    terminal.say(text)
  end
end

---Asks before something that cannot be taken back. Ends the command when the answer is no, or nobody can answer.
---@param question string
function Session:confirm(question)
  if self.arguments.yes then
    return
  end
  local answer = terminal.confirm(question)
  require("confidentai.cli.interruption").check()
  if answer == nil then
    failure.raise { kind = "guard", message = terminal.UNASKED:format(question), next = "add --yes to go ahead",
      exit = status.refused }
  elseif not answer then
    failure.raise { kind = "guard", message = "nothing was changed", exit = status.refused }
  end
end

---Runs a verb.
---@param arguments table parsed
---@param verb fun(session: table, arguments: table): integer? the exit status; nil: 0
---@return integer status
function session.run(arguments, verb)
  local self = setmetatable({ arguments = arguments }, Session)
  local interruption = require "confidentai.cli.interruption"
  interruption.watch()
  local ok, result = xpcall(function() return verb(self, arguments) end, function(caught)
    return failure.caught(caught) and caught or interruption.caught(caught) and caught
      or debug.traceback(tostring(caught), 2)
  end)
  if self.made then
    self.made:close()
  end
  if ok then
    return result or status.ok
  elseif interruption.caught(result) then
    return interruption.report(result, arguments)
  end
  local err = failure.caught(result)
  if not err then
    err = { kind = "bug", message = failure.redact(tostring(result)), next = "please report this" }
  end
  if not err.closed then
    failure.report(err, arguments.output)
  end
  return status.of(err)
end

return session
