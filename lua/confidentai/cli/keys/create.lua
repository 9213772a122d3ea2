-- SPDX-License-Identifier: Apache-2.0
-- `confidentai keys create`. A key whose secret reaches nobody is deleted again.

local columns = require "confidentai.cli.columns"
local command_line = require "confidentai.command_line"
local core = require "confidentai.core"
local delivery = require "confidentai.cli.delivery"
local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local interruption = require "confidentai.cli.interruption"
local output = require "confidentai.cli.output"
local selection = require "confidentai.cli.selection"
local status = require "confidentai.cli.status"

local create = {}

local function columns_of(session, api_keys)
  return columns.of_keys(session:now(), api_keys.scope == "project")
end

-- Provisions: the library creates the key exactly once, proves it, and writes the stores; or there is nothing.
local function provision(session, arguments, choice, api_keys)
  if choice.kind == "file" then
    delivery.make_file(choice)
  end
  interruption.leaves "progress is saved: run the same command again to finish"
  local key, err = api_keys:provision(arguments.name,
    { store = choice.stores, replace_store = choice.kind == "file" or arguments.replace_store })
  interruption.leaves(nil)
  if not key then
    if choice.kind == "file" then
      delivery.remove_file(choice)
    end
    failure.raise(err)
  end
  output.record(columns_of(session, api_keys), key, arguments)
  for _, store in ipairs(choice.stores) do
    session:say("The secret is in " .. store.label)
  end
end

-- Keys can have the same name, and hardly anybody wants that: who creates one again has missed that it is there.
local function refuse_duplicate(arguments, api_keys)
  local found = failure.check(api_keys:find(arguments.name))
  if not found[1] then
    return
  end
  local ids = {}
  for i, key in ipairs(found) do
    ids[i] = grid.text(key.id)
  end
  failure.raise { kind = "guard", outcome = "not_applied", exit = status.refused,
    message = ("a key named '%s' exists (id %s); nothing was created"):format(failure.redact(arguments.name),
      table.concat(ids, ", ")),
    next = ("replace it: %s --store ...; or make another one: --allow-duplicate"):format(
      selection.command("rotate start", found[1])) }
end

-- Deletes a key whose secret has been lost; returns in words what has become of it, and the status.
local function undo(api_keys, key)
  local deleted, err = api_keys:delete(key.id, { force = true })
  if deleted then
    return ("%s was deleted again"):format(selection.describe(key)), status.failed
  end
  return ("%s exists, its secret is lost, and it could not be deleted (%s)"):format(selection.describe(key),
    err.message), status.unclear, selection.command("keys delete", key)
end

local function send(arguments, api_keys)
  local key, err = api_keys:create(arguments.name)
  if not key and err.outcome == "unknown" then
    err.next = ("the key may exist, and its secret is lost; find it by: %s, and delete it"):format(
      command_line.about("keys find", arguments.name, api_keys.project_id))
  end
  return key, err
end

-- Delivers the secret, unless a signal asks for the end: whether it has arrived, and what went wrong.
local function deliver(session, arguments, choice, key)
  if interruption.came() then
    return false
  end
  local ok, caught = pcall(delivery.deliver, choice, session, columns_of(session, key), key, arguments)
  return ok or choice.delivered, caught
end

-- Ends the command about a key that was created and deleted again, or could not be.
local function fail(signal, caught, words, exit, next)
  if signal then
    interruption.finish(signal, next and words .. ": " .. next or words)
  end
  local err = failure.caught(caught) or { message = tostring(caught) }
  failure.raise { kind = "output", message = ("the secret could not be delivered: %s. %s"):format(err.message, words),
    next = next, exit = exit }
end

-- Whatever happens to the secret, no key is left behind without it: from the create on, a signal has to wait.
local function plain(session, arguments, choice, api_keys)
  if not arguments.allow_duplicate then
    refuse_duplicate(arguments, api_keys)
  end
  interruption.hold "creating a key: waiting for the answer (signal again to stop now)"
  local key, err = send(arguments, api_keys)
  if not key then
    interruption.release()
    failure.raise(err)
  end
  local arrived, caught = deliver(session, arguments, choice, key)
  local words, exit, next
  if not arrived then
    words, exit, next = undo(api_keys, key)
  end
  local signal = interruption.release()
  key:forget()
  if not arrived then
    fail(signal, caught, words, exit, next)
  elseif caught then
    error(caught, 0) -- the secret is where it belongs; the record could not be written
  end
end

---@param session table
---@param arguments table parsed
function create.create(session, arguments)
  local choice = delivery.choose(arguments)
  if arguments.name == "" or not core.is_utf8(arguments.name) then
    failure.usage "the name must be valid UTF-8, and not empty"
  end
  local api_keys = selection.one(session, arguments)
  if choice.stores then
    provision(session, arguments, choice, api_keys)
  else
    plain(session, arguments, choice, api_keys)
  end
end

return create
