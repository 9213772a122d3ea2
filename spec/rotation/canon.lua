-- SPDX-License-Identifier: Apache-2.0
-- When two states are the same: service, files and clock, but for what cannot make a difference to what follows:
-- names that were drawn at random, ids and secrets that were counted on, which are replaced by their order; times, of
-- which only the age counts; deleted keys; history, and what else is only shown to people; what a temporary file holds,
-- as nobody reads one; who held a lock.

local cjson = require "cjson"
local oracle = require "spec.rotation.oracle"

local canon = {}

local dropped = { history = true, revision = true, seen = true, trouble = true }

local Canon = {}
Canon.__index = Canon

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

local function sorted_keys(value)
  local keys, are_texts = {}, true
  for key in pairs(value) do
    keys[#keys + 1] = key
    are_texts = are_texts and type(key) == "string"
  end
  table.sort(keys, not are_texts and by_text or nil)
  return keys
end

local function dump(value, now, parts)
  if type(value) == "string" then
    parts[#parts + 1] = ("%q"):format((value:gsub("%d+%-%d+%-%d+T[%d:.]+Z", "T")))
  elseif type(value) ~= "table" then
    parts[#parts + 1] = tostring(value)
  elseif type(value.here) == "number" then
    parts[#parts + 1] = ("@%g"):format(now - value.here)
  else
    parts[#parts + 1] = "{"
    for _, key in ipairs(sorted_keys(value)) do
      if not dropped[key] then
        parts[#parts + 1] = tostring(key) .. "="
        dump(value[key], now, parts)
        parts[#parts + 1] = ","
      end
    end
    parts[#parts + 1] = "}"
  end
end

-- How often was tried counts only until a key is there.
local function forget_attempts(record)
  if record.attempt and record.state ~= "planned" and record.state ~= "creating" then
    record.attempt = { op = record.attempt.op, name = record.attempt.name }
  end
end

-- A file of the state folder, without versions and checksums.
local function read_sealed(content, now)
  local sealed = content:match "^confidentai%-state 1 %x+ %w+ %d+ [^\n]*\n(.*)$"
  local kind, text = (sealed or ""):match "^confidentai (%l+) 1 %x+\n(.*)\n$"
  local ok, value = pcall(cjson.decode, text or "")
  if not ok and content:byte() == 0 and not content:find "[^%z]" then
    return ("%d zeros"):format(#content) -- reserved
  elseif not ok then
    return ("%q"):format(sealed or content)
  end
  forget_attempts(value)
  local parts = { kind }
  dump(value, now, parts)
  return table.concat(parts)
end

function Canon:sealed(content, now)
  local known = self.contents[now] or {}
  self.contents[now] = known
  known[content] = known[content] or read_sealed(content, now)
  return known[content]
end

-- Whether a file can make a difference. Locks are free when their holder is dead; of temporary files, only one that
-- holds a secret counts: what is left of the others is removed by the next write, and nobody reads it.
local function counts(path, entry)
  local name = path:match "[^/]*$"
  if name:find "^%.confidentai%-" then
    return entry.content:find("confident_us_", 1, true) ~= nil
  end
  return name ~= ".lock" and name ~= ".confidentai.lock" and not name:find "^%.hold%-"
end

local function describe_files(self, files, now, parts)
  local list = {}
  for path, entry in pairs(files) do
    if counts(path, entry) then
      local name, is_temporary = path:gsub("%.confidentai%-%x+$", ".confidentai-*")
      list[#list + 1] = ("%s %o %s"):format(name, entry.mode,
        is_temporary == 1 and "secret" or entry.content and self:sealed(entry.content, now) or entry.kind)
    end
  end
  table.sort(list)
  for _, line in ipairs(list) do
    parts[#parts + 1] = line
  end
end

local function has_all(image, other)
  for path, entry in pairs(other) do
    local is = image[path]
    if not (is and is.content == entry.content and is.mode == entry.mode) and counts(path, entry) then
      return false
    end
  end
  return true
end

---Whether two images certainly have the same text.
---@param a table of disk.read
---@param b table
---@return boolean
function canon.is_same(a, b)
  return a == b or has_all(a, b) and has_all(b, a)
end

-- Adds the keys that are there, and gathers what stands for what: secrets and ids of new keys.
local function describe_keys(self, keys, parts)
  local names, ids, count = {}, {}, 0
  for _, key in ipairs(keys) do
    local initial = self.initial[oracle.name(key)]
    local label = initial and key.id or "gone"
    if not initial and not key.gone then
      count = count + 1
      label = "new" .. count
    end
    if not key.gone then
      parts[#parts + 1] = ("%s %s %s %s"):format(key.scope, label, tostring(key.name), tostring(key.valid))
    end
    if not initial then
      names[#names + 1] = { text = key.value, label = "secret-" .. label }
      names[#names + 1] = { text = key.value:sub(-6), label = "last-" .. label }
      ids[key.id] = label
    end
  end
  return names, ids
end

-- What there is to know of a snapshot, found out once.
function Canon:service(snapshot)
  local known = self.services[snapshot]
  if not known then
    local parts = {}
    known = { keys = oracle.keys(snapshot) }
    known.names, known.ids = describe_keys(self, known.keys, parts)
    known.text = table.concat(parts, "\n")
    self.services[snapshot] = known
  end
  return known
end

local function replace(text, from, to)
  local parts, at = {}, 1
  while true do
    local first, last = text:find(from, at, true)
    if not first then
      parts[#parts + 1] = text:sub(at)
      return table.concat(parts)
    end
    parts[#parts + 1] = text:sub(at, first - 1)
    parts[#parts + 1] = to
    at = last + 1
  end
end

-- Replaces ops, which were drawn at random, by their order.
local function rename_ops(text)
  local order, count = {}, 0
  for op in text:gmatch "~g%d+~(%w%w%w%w%w%w%w%w)" do
    if not order[op] then
      count = count + 1
      order[op] = "OP" .. count
    end
  end
  local id = text:match 'record{.-,id="(%w%w%w%w%w%w%w%w)"'
  if id then
    order[id] = "ID"
  end
  return (text:gsub("%w+", order))
end

---A text that is the same for states that are the same.
---@param state { snapshot: table, files: table, moved: number, intent: string }
---@return string
function Canon:text(state)
  local service = self:service(state.snapshot)
  local names, ids = service.names, service.ids
  local parts = { state.intent, service.text }
  describe_files(self, state.files, self.start + state.moved, parts)
  local text = table.concat(parts, "\n")
  for _, name in ipairs(names) do
    text = replace(text, name.text, name.label)
  end
  text = text:gsub('id="(%d+)"', function(id) return ids[id] and 'id="' .. ids[id] .. '"' end)
  text = text:gsub('\\"id\\":(%d+)', function(id) return ids[id] and '"id":' .. ids[id] end)
  return rename_ops(text)
end

---Compares the states of one world.
---@param start number the clock at the start of everything
---@param initial table<string, table> the keys that were there, by name
---@return table
function canon.new(start, initial)
  return setmetatable({ start = start, initial = initial, contents = {},
    services = setmetatable({}, { __mode = "k" }) }, Canon)
end

return canon
