-- SPDX-License-Identifier: Apache-2.0
-- Rotations as records. The names of the columns are the stable contract of JSON and CSV; what holds more than one
-- value is in JSON only.

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

local function history(status)
  local events = {}
  for i, event in ipairs(status.history) do
    events[i] = { at = time.iso(event.at), state = event.state, what = event.what, key = event.key, store = event.store,
      problem = event.problem }
  end
  return events
end

-- What a table has no room for.
local function details()
  return {
    { name = "options", json = "object", value = function(status) return status.options end },
    { name = "notice", json = "object", value = function(status) return status.notice end },
    { name = "stores", json = "array", value = function(status) return status.stores end },
    { name = "suspects", json = "array", value = function(status) return status.suspects end },
    { name = "commands", json = "array", value = function(status) return status.commands end },
    { name = "history", json = "array", value = history },
  }
end

local function plain(name)
  return { name = name, value = function(status) return status[name] end }
end

---The columns of rotations, which are what `rotation:status()` gives.
---@param now number seconds since 1970
---@param with_error? boolean a row may tell why its rotation could not go on
---@return confidentai.Column[]
function records.columns(now, with_error)
  local columns = {
    { name = "id", title = "ID", value = function(status) return status.id end },
    { name = "base", title = "NAME", shrinks = true, value = function(status) return status.base end },
    plain "kind", plain "scope",
    { name = "project_id", title = "PROJECT", shrinks = true, value = function(status) return status.project_id end,
      text = function(status) return status.project_id or "(organization)" end },
    { name = "state", title = "STATE", value = function(status) return status.state end, text = state_text },
    plain "stop", plain "reason",
    { name = "since", title = "SINCE", value = function(status) return time.iso(status.since) end,
      text = function(status) return status.since and time.relative(status.since, now) or "-" end },
    plain "old_id", plain "new_id", plain "evidence", plain "next", plain "due",
    { name = "due_at", title = "DUE", value = function(status) return due_at(status, now) end, text = due_text },
    { name = "attention", title = "ATTENTION", value = function(status) return status.attention end,
      text = function(status) return status.attention or "-", status.attention and "red" or nil end },
    plain "doubt", plain "finished", plain "settled", plain "dry_run",
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
