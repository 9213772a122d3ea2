-- SPDX-License-Identifier: Apache-2.0
-- `confidentai identify`: whose key is this secret? Or, with --scan, whose are the secrets in this text?

local failure = require "confidentai.cli.failure"
local help = require "confidentai.cli.help"
local identification = require "confidentai.cli.identification"
local progress = require "confidentai.cli.progress"
local secret_input = require "confidentai.cli.secret_input"
local session = require "confidentai.cli.session"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"
local verdict = require "confidentai.verdict"

local identify = {}

---Tells the parser about the options.
---@param command table of argparse
function identify.define(command)
  secret_input.define(command)
  command:flag("--scan", "Find every secret in any text.")
  command:flag("--probe", "Try the secret, at this service only, to prove which key it belongs to. Its last use is "
    .. "noted before.")
  command:flag("--fail", "Exit with 3 unless every secret is known to be dead and the whole text could be read.")
  session.define(command)
  help.examples(command, {
    "confidentai identify                     # asks for the secret",
    "confidentai identify --probe --file leaked.txt --output json",
    "git log -p | confidentai identify --scan --fail",
  })
end

-- Whether nobody can use a secret any more, as far as is known: a disabled key's is refused. When an enabled key ends
-- like one that is refused, it may have been copied wrongly.
local function is_dead(report)
  if report.probe == "accepted" or report.probe == "refused" then
    return report.probe == "refused" and not verdict.doubtful(report)
  end
  for _, match in ipairs(report) do
    if match.key.valid then
      return false
    end
  end
  return #report > 0
end

local function ask(self, arguments, secrets)
  local client = self:client()
  return failure.check(progress.during(arguments, "Reading keys", function(on_progress)
    local reports, err = client:identify(secrets, { probe = arguments.probe, on_progress = on_progress })
    return reports, err
  end))
end

-- The exit status: 0 when a key was found, or a text was looked through.
local function status_of(reports, arguments)
  local alive, found = 0, arguments.scan
  for _, report in ipairs(reports) do
    alive = alive + (is_dead(report) and 0 or 1)
    for _, match in ipairs(report) do
      found = found or match.certainty ~= "excluded"
    end
  end
  if arguments.fail and alive > 0 then
    return status.findings
  end
  return found and status.ok or status.failed
end

local function run_scan(self, arguments)
  local found, secrets, reports = secret_input.scan(arguments), {}, {}
  for i, entry in ipairs(found) do
    secrets[i] = entry.secret
  end
  if #secrets > 0 then
    reports = ask(self, arguments, secrets)
  end
  for i, entry in ipairs(found) do
    reports[i].found = { lines = entry.lines, count = entry.count }
  end
  identification.write_all(reports, arguments, self:now())
  if reports[1] then
    identification.tell_unreadable(reports[1], arguments)
  end
  if found.problem then
    terminal.say("confidentai: the text may hold more secrets: ", found.problem)
  end
  if arguments.output == "table" then
    self:say(#reports == 0 and "no secret was found"
      or ("%d secret%s found"):format(#reports, #reports == 1 and "" or "s"))
  end
  return found.problem and arguments.fail and status.findings or status_of(reports, arguments)
end

local function run(self, arguments)
  if arguments.scan then
    local result = run_scan(self, arguments)
    return result
  end
  local reports = ask(self, arguments, { secret_input.secret(arguments, arguments.probe) })
  identification.write(reports[1], arguments, self:now())
  identification.tell_unreadable(reports[1], arguments)
  return status_of(reports, arguments)
end

---Runs the command.
---@param arguments table parsed
---@return integer status
function identify.run(arguments)
  return session.run(arguments, run)
end

return identify
