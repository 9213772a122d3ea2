-- SPDX-License-Identifier: Apache-2.0
-- Operations that take effect later, after a time that really passes or one that passes on the service's clock. They
-- are kept as plain data, so that they can be part of a snapshot.

local cqueues = require "cqueues"

local json = require "confidentai.sandbox.json"

local Late = {}
Late.__index = Late

---Nothing is under way yet.
---@param fields table { service, changes, spawn: runs a function beside }
---@return table late
function Late.new(fields)
  fields.items = {}
  return setmetatable(fields, Late)
end

-- Takes an item out; false when it is no longer there.
local function take(self, item)
  for index, other in ipairs(self.items) do
    if other == item then return table.remove(self.items, index) end
  end
  return false
end

local function commit(self, item)
  if not take(self, item) then return end -- a reset has forgotten it
  if not item.logged then self.changes.journal:add(item.entry) end
  self.changes:carry_out(item.request, item.entry)
end

local function add(self, item)
  self.items[#self.items + 1] = item
  if item.by_clock then return end
  self.spawn(function()
    cqueues.sleep(item.due - self.service.clock.real())
    commit(self, item)
  end)
end

---Lets a request that was admitted take effect later.
---@param request table as operations.perform takes it
---@param entry table of the log
---@param wait table { seconds } or { clock_seconds }
function Late:add(request, entry, wait)
  local by_clock = wait.clock_seconds ~= nil
  local start = by_clock and self.service:now() or self.service.clock.real()
  add(self, {
    due = start + (wait.clock_seconds or wait.seconds), by_clock = by_clock,
    request = request, entry = entry, logged = true,
  })
end

local function earliest_due(self)
  local now, found = self.service:now(), nil
  for _, item in ipairs(self.items) do
    if item.by_clock and item.due <= now and (not found or item.due < found.due) then found = item end
  end
  return found
end

---Lets everything take effect that the service's clock has reached, in the order of time.
function Late:settle()
  while #self.items > 0 do
    local item = earliest_due(self)
    if not item then return end
    commit(self, item)
  end
end

local request_fields = {
  "method", "path", "operation", "scope", "project_id", "key_id", "body", "content_type", "newer",
}

---What is under way.
---@return table list for JSON, with the time that is left where it is real time
function Late:plain()
  local list = json.array()
  for index, item in ipairs(self.items) do
    local request = { credential = { name = item.request.credential.name } }
    for _, name in ipairs(request_fields) do request[name] = item.request[name] end
    list[index] = {
      by_clock = item.by_clock, due = item.by_clock and item.due or nil,
      left = not item.by_clock and math.max(item.due - self.service.clock.real(), 0) or nil,
      request = request, entry = item.entry,
    }
  end
  return list
end

---Checks what `plain` gave.
---@param list table raises when it is no such thing
---@return table items for `replace`
function Late.from_plain(list)
  local items = {}
  for index, item in ipairs(list) do
    assert(type(item.by_clock and item.due or item.left) == "number")
    assert(type(item.request.credential) == "table" and type(item.entry) == "table")
    items[index] = item
  end
  return items
end

---Replaces what is under way.
---@param items table as `from_plain` gives them; their requests get new entries in the log when they take effect
function Late:replace(items)
  self.items = {}
  for _, item in ipairs(items) do
    add(self, {
      due = item.due or self.service.clock.real() + item.left, by_clock = item.by_clock,
      request = item.request, entry = item.entry,
    })
  end
end

---Forgets everything that has not taken effect.
function Late:clear()
  self.items = {}
end

return Late
