-- SPDX-License-Identifier: Apache-2.0
-- What was received and what became of it, the latest 100,000 requests. Never a secret.

local json = require "confidentai.sandbox.json"

local Journal = {}
Journal.__index = Journal

local capacity = 100000

---A new, empty journal.
---@return table journal
function Journal.new()
  return setmetatable({ entries = {}, first = 1, last = 0 }, Journal)
end

---Adds an entry, which the caller goes on filling in.
---@param entry table
---@return table entry with its number `n`
function Journal:add(entry)
  self.last = self.last + 1
  entry.n = self.last
  self.entries[self.last] = entry
  if self.last - self.first >= capacity then
    self.entries[self.first] = nil
    self.first = self.first + 1
  end
  return entry
end

---Forgets all entries and counts from 1 again.
function Journal:clear()
  self.entries, self.first, self.last = {}, 1, 0
end

---The entries, oldest first.
---@param since? integer only those after this number
---@return table list an array for JSON
function Journal:list(since)
  local list = json.array()
  for n = math.max(self.first, (since or 0) + 1), self.last do list[#list + 1] = self.entries[n] end
  return list
end

return Journal
