-- SPDX-License-Identifier: Apache-2.0
-- `confidentai rotate start`

local check_id = require("confidentai.cli.keys.id").check
local failure = require "confidentai.cli.failure"
local interruption = require "confidentai.cli.interruption"
local options = require "confidentai.cli.rotate.options"
local output = require "confidentai.cli.output"
local records = require "confidentai.cli.rotate.records"
local run = require "confidentai.cli.rotate.run"
local secret_input = require "confidentai.cli.secret_input"
local selection = require "confidentai.cli.selection"
local store_option = require "confidentai.cli.store_option"
local time = require "confidentai.cli.time"
local words = require "confidentai.cli.rotate.words"

local start = {}

-- Options that the library takes as they are.
local SAME = { "soak", "soak_max", "grace", "adoption", "base", "replace", "compromised", "replace_store", "settle",
  "dry_run", "state_dir" }

local function options_of(arguments, on_step)
  local given = { on_step = on_step, on_published = options.on_published(arguments) }
  for _, name in ipairs(SAME) do
    given[name] = arguments[name]
  end
  given.store = store_option.stores(arguments) or failure.usage("--store is missing: it says where the new secret goes",
    "such as --store file:/etc/app/key, where the consumers of the key read it")
  if given.base and (given.base == "" or not require("confidentai.core").is_utf8(given.base)) then
    failure.usage "--base: the name must be valid UTF-8, and not empty"
  end
  given.old_secret = options.old_secret(arguments)
  if arguments.other_manager_file then
    given.require_other_manager = secret_input.of_file("--other-manager-file", arguments.other_manager_file)
  end
  return given
end

-- One that was under way goes on as it was begun: that its options are others would not be noticed.
local function tell_resumed(session, status, begun)
  local first = status.history[1]
  if first and first.at < begun then
    session:say(("this rotation was begun %s, and continues with the options that it was begun with"):format(
      time.relative(first.at, begun)))
  end
end

local function show(status, arguments)
  if arguments.output ~= "table" then
    output.record(records.columns(os.time()), status, arguments)
  elseif status.dry_run then
    output.write(words.plan(status))
  else
    output.write(words.status(status, arguments) .. (arguments.quiet and "" or words.schedule(status, arguments)))
  end
end

---@param session table
---@param arguments table parsed
---@return integer status
function start.start(session, arguments)
  local on_step, seen = run.observer(arguments)
  local given, begun = options_of(arguments, on_step), os.time()
  local api_keys = selection.one(session, arguments)
  local rotation, err = api_keys:rotate(check_id(api_keys, arguments.id), given)
  if not rotation then
    run.fail(err, seen.last and seen.last.rotation)
  end
  if arguments.wait and not arguments.dry_run then
    local state
    state, err = rotation:run()
    if not state then
      run.fail(err, rotation.id)
    end
  end
  local status = rotation:status()
  interruption.leaves(nil)
  tell_resumed(session, status, begun)
  show(status, arguments)
  if status.unshown then -- the rotation is done, and what it was begun for is not certain
    run.tell(status, "has ended; " .. status.doubt, arguments)
  end
  return status.dry_run and 0 or run.exit(status, arguments)
end

return start
