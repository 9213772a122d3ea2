-- SPDX-License-Identifier: Apache-2.0
-- `confidentai contain`: the key of a leaked secret is proven, disabled, and the secret shown to be refused.

local failure = require "confidentai.cli.failure"
local help = require "confidentai.cli.help"
local identification = require "confidentai.cli.identification"
local progress = require "confidentai.cli.progress"
local secret_input = require "confidentai.cli.secret_input"
local selection = require "confidentai.cli.selection"
local session = require "confidentai.cli.session"
local store_option = require "confidentai.cli.store_option"
local terminal = require "confidentai.cli.terminal"
local time = require "confidentai.cli.time"

local contain = {}

---Tells the parser about the options.
---@param command table of argparse
function contain.define(command)
  secret_input.define(command)
  command:flag("--yes -y", "Do not ask.")
  command:flag("--replace", "Replace the key, by a rotation without soak and grace. Required for the key that this "
    .. "command itself uses.")
  store_option.define(command, "With --replace: where the new secret goes")
  command:flag("--replace-store", "With --replace: overwrite a store that holds something other than the leaked "
    .. "secret.")
    :target("replace_store")
  command:option("--state-dir", "With --replace: the folder of the rotation's record."):argname("PATH")
    :target("state_dir")
  session.define(command)
  help.examples(command, {
    "confidentai contain --file leaked.txt",
    "confidentai contain --file leaked.txt --yes --output json >incident.json",
    "confidentai contain --replace --store file:/etc/app/confident.key",
  })
end

-- The options of the rotation; nil: none is wanted.
local function replacement(arguments)
  local stores = store_option.stores(arguments)
  if arguments.replace and not stores then
    failure.usage("--replace needs --store: it says where the new secret goes",
      "such as --store file:/etc/app/confident.key")
  elseif not arguments.replace then
    if stores or arguments.state_dir or arguments.replace_store then
      failure.usage("--store, --replace-store and --state-dir go with --replace", "add --replace, or leave them out")
    end
    return nil
  end
  return { store = stores, state_dir = arguments.state_dir, replace_store = arguments.replace_store }
end

local function question_about(match, replace, now)
  return ("%s %s, %s? The service then refuses every request with it."):format(replace and "Replace" or "Disable",
    failure.redact(selection.describe(match.key)),
    (time.last_use(match.last_used, now)))
end

-- A function that asks before anything is changed, and one that tells why the answer was no.
local function asking(self, arguments, replace, watch)
  local interruption, unasked = require "confidentai.cli.interruption", nil -- here: --help does without the core
  local function confirm(match)
    local question = question_about(match, replace, self:now())
    if not arguments.yes then
      local answer = terminal.confirm(question)
      interruption.check()
      if not answer then
        unasked = answer == nil and question
        return false
      end
    end
    watch(match)
    return true
  end
  return confirm, function(err)
    if unasked then
      err.message, err.next = terminal.UNASKED:format(unasked), "add --yes to go ahead"
    end
    return err
  end
end

local function run(self, arguments)
  local interruption = require "confidentai.cli.interruption"
  local replace = replacement(arguments)
  local secret, client = secret_input.secret(arguments, true), self:client()
  local confirm, explain = asking(self, arguments, replace, function(match)
    interruption.leaves(replace and "a rotation may be under way; see: confidentai rotate list"
      or ("%s may be disabled by now, and the secret was not seen to be refused; see: %s"):format(
        selection.describe(match.key), selection.command("keys get", match.key)))
  end)
  local report, err, partial = progress.during(arguments, "Reading keys", function(on_progress)
    local report, err, partial = client:contain(secret, { replace = replace, confirm = confirm,
      on_progress = on_progress })
    return report, err, partial
  end)
  interruption.leaves(nil)
  local shown = report or partial
  if shown then
    identification.write(shown, arguments, self:now())
    identification.tell_unreadable(shown, arguments)
  end
  if not report then
    failure.raise(explain(err))
  end
  self:say(({ contained = "contained: the key is disabled, and the secret is refused",
    replaced = "contained: the key is replaced, and the secret is refused",
    dead = "nothing to do: the service refuses the secret already" })[report.outcome])
end

---Runs the command.
---@param arguments table parsed
---@return integer status
function contain.run(arguments)
  return session.run(arguments, run)
end

return contain
