-- SPDX-License-Identifier: Apache-2.0
-- Rotations as records. The names of the columns are the stable contract of JSON and CSV; what holds more than one
-- value is in JSON only.

local failure = require "confidentai.cli.failure"
local output = require "confidentai.cli.output"
local time = require "confidentai.cli.time"

local records = {}

local STYLES = { done = "green", aborted = "dim" }

local function state_text(status)
  return status.state, STYLES[status.state] or status.stop and "red" or nil
end

-- When something can be done, for people.
local function due_text(status)
  if status.finished then
    return "-"
  elseif not status.due then
    return "up to you", "yellow"
  end
  return status.due > 0 and "in " .. time.length(status.due) or "now"
end

local function due_at(status, now)
  return status.due and time.iso(now + status.due)
end

local function field(name)
  return { name = name, value = function(event) return event[name] end }
end

-- The columns of what has happened.
local events = {
  { name = "at", value = function(event) return time.iso(event.at) end },
  field "state", field "what", field "key", field "store", field "problem",
}

---The columns of rotations that have ended, which are what `confidentai.rotation.history` gives.
---@param now number seconds since 1970
---@return confidentai.Column[]
function records.ended(now)
  local function at(name)
    return { name = name, title = name:upper(), value = function(entry) return time.iso(entry[name]) end,
      text = function(entry) return entry[name] and time.relative(entry[name], now) or "-" end }
  end
  return {
    { name = "id", title = "ID", value = function(entry) return entry.id end },
    { name = "base", title = "NAME", shrinks = true, value = function(entry) return entry.base end },
    field "kind", field "scope",
    { name = "project_id", title = "PROJECT", shrinks = true, value = function(entry) return entry.project_id end,
      text = function(entry) return entry.project_id or "(organization)" end },
    { name = "state", title = "STATE", value = function(entry) return entry.state end,
      text = function(entry) return entry.state, STYLES[entry.state] or "red" end },
    field "reason", at "began", at "ended", field "old_id", field "new_id", field "generation", field "organization",
    { name = "stores", json = true, value = function(entry) return output.list(entry.stores) end },
    { name = "history", json = true, value = function(entry) return output.list(entry.history, events) end },
  }
end

local function trouble_of(status)
  local trouble = status.trouble
  return trouble and { at = time.iso(trouble.at), message = failure.redact(trouble.message), count = trouble.count }
end

-- What a table has no room for.
local function details()
  return {
    { name = "options", json = true, value = function(status) return status.options end },
    { name = "trouble", json = true, value = function(status) return trouble_of(status) end },
    { name = "notice", json = true, value = function(status) return status.notice end },
    { name = "stores", json = true, value = function(status) return output.list(status.stores) end },
    { name = "suspects", json = true, value = function(status) return output.list(status.suspects) end },
    { name = "commands", json = true, value = function(status) return output.list(status.commands) end },
    { name = "history", json = true, value = function(status) return output.list(status.history, events) end },
  }
end

---The columns of rotations, which are what `rotation:status()` gives.
---@param now number seconds since 1970
---@param with_error? boolean a row may tell why its rotation could not go on
---@return confidentai.Column[]
function records.columns(now, with_error)
  local columns = {
    { name = "id", title = "ID", value = function(status) return status.id end },
    { name = "base", title = "NAME", shrinks = true, value = function(status) return status.base end },
    field "kind", field "scope",
    { name = "project_id", title = "PROJECT", shrinks = true, value = function(status) return status.project_id end,
      text = function(status) return status.project_id or "(organization)" end },
    { name = "state", title = "STATE", value = function(status) return status.state end, text = state_text },
    field "stop", field "reason", field "cause",
    { name = "since", title = "SINCE", value = function(status) return time.iso(status.since) end,
      text = function(status) return status.since and time.relative(status.since, now) or "-" end },
    field "old_id", field "new_id", field "evidence", field "next", field "due",
    { name = "due_at", title = "DUE", value = function(status) return due_at(status, now) end, text = due_text },
    { name = "attention", title = "ATTENTION", value = function(status) return status.attention end,
      text = function(status) return status.attention or "-", status.attention and "red" or nil end },
    field "doubt", field "finished", field "settled", field "dry_run", field "organization", field "base_url",
  }
  if with_error then
    columns[#columns + 1] = { name = "error", title = "ERROR", shrinks = true,
      value = function(status) return status.error end }
  end
  for _, column in ipairs(details()) do
    columns[#columns + 1] = column
  end
  return columns
end

return records
