-- SPDX-License-Identifier: Apache-2.0
-- The options of the verbs of `confidentai rotate`, and of `confidentai ensure`, as the parser knows them and as the
-- library takes them.

local time = require "confidentai.cli.time"

local options = {}

---Adds an option that takes a length of time.
---@param command table of argparse
---@param name string such as "--soak"
---@param doc string
function options.duration(command, name, doc)
  command:option(name, doc):argname("TIME"):convert(time.argument)
end

---Adds the option that names the state folder.
---@param command table of argparse
function options.define_state(command)
  command:option("--state-dir", "The folder of the records; by default $STATE_DIRECTORY, else "
    .. "$XDG_STATE_HOME/confidentai, else ~/.local/state/confidentai."):argname("PATH"):target("state_dir")
end

---Adds the options by which the old key's secret is given.
---@param command table of argparse
function options.define_old_secret(command)
  command:option("--old-secret-file", "File with the old secret (-: standard input), if no store has it. Needed to "
    .. "prove that it is refused, and to roll back."):argname("PATH"):target("old_secret_file")
  command:flag("--ask-old-secret", "Prompt for the old secret, without showing it."):target("ask_old_secret")
end

---Adds the options of verbs that can go on to the end.
---@param command table of argparse
function options.define_waiting(command)
  command:flag("--wait", "Continue through soak and grace to the end.")
  command:flag("--require-done", "Exit with 7 when it has not reached its end."):target("require_done")
end

---Adds the option of a command that tells of a new secret.
---@param command table of argparse
---@param doc string
function options.define_on_published(command, doc)
  command:option("--on-published", doc
    .. " One argument, split into words as a shell splits it; no shell is run."):argname("COMMAND")
    :target("on_published")
end

---Adds the options of `rotate start`.
---@param command table of argparse
function options.define_start(command)
  options.duration(command, "--soak", "How long both keys work; default 24h. 0: no soak.")
  options.duration(command, "--soak-max", "Stop as `stalled` when no evidence has shown for this long that the new "
    .. "key is in use; default 30d.")
  options.duration(command, "--grace", "How long the old key is kept, disabled; default 7d.")
  command:option("--adoption", "What ends the soak: observe (lastUsed of both keys), time, or confirm.")
    :choices { "observe", "time", "confirm" }:argname("HOW")
  command:option("--base", "The name under which the key is known from now on."):argname("NAME")
  options.define_on_published(command,
    "Command to run once all stores hold the new secret, such as a reload of a service.")
  command:flag("--replace", "Allow an old key that is disabled or deleted; no soak.")
  command:flag("--compromised", "No soak, no grace, and no way back to the old key.")
  command:flag("--replace-store", "Overwrite a store that holds something other than the old "
    .. "secret."):target("replace_store")
  options.define_old_secret(command)
  command:option("--other-manager-file", "File with the secret of another organization key: this command's own key "
    .. "is replaced only while that one works."):argname("PATH"):target("other_manager_file")
  options.duration(command, "--settle", "How long to look for a key whose creation got no answer.")
  command:flag("--dry-run", "Show the plan, and change nothing."):target("dry_run")
  options.define_waiting(command)
end

---The words of --on-published; nil without it. Ends the command when it cannot be split.
---@param arguments table parsed
---@return string[]?
function options.on_published(arguments)
  if not arguments.on_published then
    return nil
  end
  local list, problem = require("confidentai.cli.shell_words").split(arguments.on_published)
  if not list or not list[1] or list[1] == "" then
    require("confidentai.cli.failure").usage("--on-published: " .. (problem or "a command is expected"),
      "quote it; or, for pipes and variables, run a shell: --on-published \"sh -c '...'\"")
  end
  return list
end

---The old key's secret, as the options say; nil: none was given.
---@param arguments table parsed
---@return string?
function options.old_secret(arguments)
  local secret_input = require "confidentai.cli.secret_input"
  if arguments.old_secret_file and arguments.ask_old_secret then
    require("confidentai.cli.failure").usage(
      "--old-secret-file and --ask-old-secret cannot be used together", "use only one of them")
  elseif arguments.old_secret_file then
    return secret_input.of_file("--old-secret-file", arguments.old_secret_file)
  end
  return arguments.ask_old_secret and secret_input.ask("--ask-old-secret", "Secret of the old key: ") or nil
end

return options
