-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate VERB`. A verb's module is loaded when it is run.

local help = require "confidentai.cli.help"
local options = require "confidentai.cli.rotate.options"
local selection = require "confidentai.cli.selection"
local session = require "confidentai.cli.session"

local rotate = {}

local MODULES = {
  start = "start", advance = "advance", status = "show", list = "show", history = "show", confirm = "change",
  rollback = "change", abort = "change", keep = "change", republish = "change", abandon = "change", doctor = "doctor",
}

local function define_start(command)
  local start = command:command("start", "Replace a key: create a new one, write it to the stores, and, once its "
    .. "consumers use it, disable and delete the old one.")
  start:argument("id", "The id of the key to replace, as `keys list` shows it.")
  selection.define_one(start)
  require("confidentai.cli.store_option").define(start, "Where the new secret goes")
  options.define_start(start)
  help.examples(start, {
    "confidentai rotate start 7 --project ID --store file:/etc/app/key --soak 2d",
    "confidentai rotate start 7 --store file:key --on-published 'pkill -HUP app'",
    "confidentai rotate start 7 --store file:/etc/app/key --dry-run",
    "confidentai rotate start 7 --store file:/etc/app/key --compromised",
  })
  return start
end

local function define_advance(command)
  local advance = command:command("advance", "Do what is due of these rotations, or of all. For cron and timers.")
  advance:argument("ids", "Rotations, by id or by the name of their key; without one, all."):args "*":argname "ROTATION"
  options.define_waiting(advance)
  options.define_old_secret(advance)
  require("confidentai.cli.store_option").define(advance, "Give a store again that stops a rotation as needs_store")
  help.examples(advance, {
    "confidentai rotate advance",
    "confidentai rotate advance ci-pipeline --require-done",
    "confidentai rotate advance --quiet >/dev/null   # as cron has it, hourly",
  })
  return advance
end

local function define_readers(command)
  local status = command:command("status", "Show what a rotation has done, its evidence, what is next and when, and "
    .. "which commands lead on.")
  status:argument("rotation", "The rotation, by its id or by the name of its key.")
  help.examples(status, { "confidentai rotate status ci-pipeline", "confidentai rotate status ID --output json" })
  local list = command:command("list", "List the rotations that are under way.")
  list:flag("--all -a", "Include those that have ended.")
  list:flag("--fail-overdue", "Exit with 3 when one is overdue or has stopped, for monitoring."):target "fail_overdue"
  help.examples(list, { "confidentai rotate list", "confidentai rotate list --fail-overdue --output jsonl" })
  local history = command:command("history", "List the rotations that have ended.")
  history:argument("rotation", "Only those of a key, by its name, or one by its id."):args "?"
  help.examples(history, { "confidentai rotate history", "confidentai rotate history ci-pipeline --output jsonl" })
  return { status, list, history }
end

local function define_changes(command)
  local confirm = command:command("confirm", "Confirm that everybody uses the new key (ends the soak), or accept a "
    .. "late use of the old one.")
  help.examples(confirm, { "confidentai rotate confirm ID && confidentai rotate advance ID" })
  local rollback = command:command("rollback",
    "Go back: enable the old key and put it into the stores again, then remove the new one.")
  rollback:flag("--now", "Disable the new key at once, without a soak.")
  help.examples(rollback, { "confidentai rotate rollback ID", "confidentai rotate rollback ID --now" })
  local abort = command:command("abort",
    "Cancel a rotation before it has published anything, and remove its new key.")
  help.examples(abort, { "confidentai rotate abort ID" })
  local keep = command:command("keep", "Withdraw a rollback: the new key stays.")
  help.examples(keep, { "confidentai rotate keep ID && confidentai rotate advance ID" })
  local republish = command:command("republish", "Write the new secret into the stores again, over what they hold now.")
  help.examples(republish, { "confidentai rotate republish ID && confidentai rotate advance ID" })
  local abandon = command:command("abandon", "Close the record of a rotation. Its keys stay as they are, and are "
    .. "listed.")
  help.examples(abandon, { "confidentai rotate abandon ID" })
  local verbs = { confirm, rollback, abort, keep, republish, abandon }
  for _, verb in ipairs(verbs) do
    verb:argument("rotation", "The rotation, by its id or by the name of its key.")
    options.define_old_secret(verb)
  end
  return verbs
end

local function define_doctor(command)
  local doctor = command:command("doctor", "Compare the records of rotations with the service.")
  doctor:option("--fix", "Fix these findings, given by their ids."):args "+":count "*":argname "FINDING"
  doctor:flag("--fail", "Exit with 3 when there are findings.")
  doctor:flag("--yes -y", "Do not ask.")
  help.examples(doctor, { "confidentai rotate doctor --fail", "confidentai rotate doctor --fix stray:PROJECT/12" })
  return doctor
end

---Tells the parser about the verbs.
---@param command table of argparse
function rotate.define(command)
  command:command_target("verb"):require_command(true)
  help.examples(command, {
    "confidentai rotate start 7 --project ID --store file:/etc/app/key",
    "confidentai rotate list",
    "confidentai rotate advance",
  })
  local verbs = { define_start(command), define_advance(command) }
  for _, define in ipairs { define_readers, define_changes } do
    for _, verb in ipairs(define(command)) do
      verbs[#verbs + 1] = verb
    end
  end
  verbs[#verbs + 1] = define_doctor(command)
  for _, verb in ipairs(verbs) do
    options.define_state(verb)
    session.define(verb)
  end
end

---Runs a verb.
---@param arguments table parsed
---@return integer status
function rotate.run(arguments)
  local verb = require("confidentai.cli.rotate." .. MODULES[arguments.verb])[arguments.verb]
  return session.run(arguments, verb)
end

return rotate
