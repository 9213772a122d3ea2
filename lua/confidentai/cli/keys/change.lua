-- SPDX-License-Identifier: Apache-2.0
-- `confidentai keys enable|disable|delete`. What may break somebody's work says when the key was last used.

local columns = require "confidentai.cli.columns"
local failure = require "confidentai.cli.failure"
local ids = require "confidentai.cli.keys.id"
local interruption = require "confidentai.cli.interruption"
local output = require "confidentai.cli.output"
local selection = require "confidentai.cli.selection"
local time = require "confidentai.cli.time"

local change = {}

-- Without this, `disable` and `delete` of the own key would be the last call that the credential makes.
local function check_own(session, key, force)
  local own = false
  if key.scope == "organization" and not force then
    own = session:client():owns(key)
  end
  if own ~= false then
    failure.raise { kind = "guard", outcome = "not_applied",
      message = ("%s %s: without it you are locked out"):format(selection.describe(key), own
        and "is the one that this command itself uses"
        or "may be the one that this command itself uses, as the service does not show how it ends"),
      next = "use another organization key for this, or --force", exit = require("confidentai.cli.status").refused }
  end
end

-- What is to be changed, as it is now.
local function find(session, arguments)
  local api_keys = selection.one(session, arguments)
  local key, err = api_keys:get(ids.check(api_keys, arguments.id))
  if not key then
    err.outcome = "not_applied"
    failure.raise(ids.name_missing(api_keys, arguments.id, err))
  end
  return api_keys, key
end

-- An interruption in the middle leaves it open whether the change was made.
local function apply(act, key, done)
  interruption.leaves(("%s may be %s by now; see: %s"):format(selection.describe(key), done,
    selection.command("keys get", key)))
  local result = failure.check(act())
  interruption.leaves(nil)
  return result
end

local function show(session, key, arguments)
  output.record(columns.of_keys(session:now(), key.scope == "project"), key, arguments)
end

---@param session table
---@param arguments table parsed
function change.enable(session, arguments)
  local api_keys, key = find(session, arguments)
  local enabled = apply(function()
    local result, err = api_keys:enable(key)
    return result, err
  end, key, "enabled")
  show(session, enabled, arguments)
end

---@param session table
---@param arguments table parsed
function change.disable(session, arguments)
  local api_keys, key = find(session, arguments)
  check_own(session, key, arguments.force)
  local used, recently = time.last_use(key.last_used, session:now())
  session:say(("%s: %s"):format(selection.describe(key), used))
  if recently then
    session:confirm "It may be in use. Disable it anyway?"
  end
  local disabled = apply(function()
    local result, err = api_keys:disable(key, { force = arguments.force })
    return result, err
  end, key, "disabled")
  show(session, disabled, arguments)
  session:say("To enable it again: " .. selection.command("keys enable", key))
end

---@param session table
---@param arguments table parsed
function change.delete(session, arguments)
  local api_keys, key = find(session, arguments)
  check_own(session, key, arguments.force)
  local used, recently = time.last_use(key.last_used, session:now())
  session:say(("%s: %s"):format(selection.describe(key), used))
  session:confirm(recently and "It may be in use. Delete it for good anyway?" or "Delete it for good?")
  local deleted = apply(function()
    local result, err = api_keys:delete(key, { force = arguments.force })
    return result, err
  end, key, "deleted")
  output.record(columns.of_deleted, { key = key, deleted = deleted.deleted }, arguments)
end

return change
