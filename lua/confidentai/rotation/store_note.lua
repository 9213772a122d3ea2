-- SPDX-License-Identifier: Apache-2.0
-- What ensure knows beside the store and the service's list: since when all stores have held the current key, as a
-- store may be written much later than the key is made; and since when older keys are disabled, which the service does
-- not tell. ensure has no state folder. So a store that is a file has a note beside it, `.<file>.ensured`: in each line
-- the seconds since 1970 by the service's clock, and a key's id and time of creation. The first is of the current key.
-- Without such a store, or where its disk has vanished, the time of creation is all that is known.

local calls = require "confidentai.rotation.calls"
local generations = require "confidentai.rotation.generations"
local target = require "confidentai.store.target"

local store_note = {}

-- Bytes: the longest file name beside which a note is kept, as the note's own must not be longer than 255.
local LONGEST_NAME = 180

-- Seconds by which a note may lie ahead of the service's clock.
local AHEAD = 300

---Since when something is so, in seconds since 1970 by the service's clock.
---@class confidentai.StoreNote
---@field since number all stores hold the current key
---@field disabled? table<string, number> by key, as of store_note.of: it is disabled; nil: no note is kept

-- The note, as a store; nil: no store is a file.
local function note_of(self)
  for _, store in ipairs(self.stores) do
    local spec = store.spec
    local folder, name = (spec and spec.path or ""):match "^(.*/)([^/]+)$"
    if folder and #name <= LONGEST_NAME then
      local path = ("%s.%s%s.ensured"):format(folder, name, spec.variable and "." .. spec.variable:sub(1, 60) or "")
      return { label = "file:" .. path, spec = { path = path } }
    end
  end
end

---What the note says of a key, after the seconds.
---@param self confidentai.Job
---@param key confidentai.ApiKey
---@return string
function store_note.of(self, key)
  local identity = calls.identity(self, key)
  return ("%s %s"):format(identity.id, identity.created_at or "-")
end

---Writes the note. Does nothing where no store is a file.
---@param self confidentai.Job
---@param key confidentai.ApiKey the current one
---@param known confidentai.StoreNote
---@return true?
---@return string? problem
function store_note.write(self, key, known)
  local note, lines = note_of(self), { ("%.0f %s\n"):format(math.floor(known.since), store_note.of(self, key)) }
  for other, since in pairs(known.disabled) do
    lines[#lines + 1] = ("%.0f %s\n"):format(math.floor(since), other)
  end
  local done, problem = true, nil
  if note then
    done, problem = target.change(note, function() return table.concat(lines) end)
  end
  return done, problem
end

---Returns which keys of the base are disabled, and since when: where that is not known, since now.
---@param self confidentai.Job which knows the service's time
---@param view confidentai.GenerationView
---@param known? table<string, number> as of confidentai.StoreNote
---@return table<string, number> disabled
---@return boolean changed
function store_note.see(self, view, known)
  local disabled, changed = {}, known == nil
  for _, list in ipairs { { view.current }, view.older, view.newer } do
    for _, key in ipairs(list) do
      local of = store_note.of(self, key)
      local since = known and known[of]
      disabled[of] = not key.valid and (since or self:mark().service) or nil
      changed = changed or (since == nil) ~= key.valid
    end
  end
  return disabled, changed
end

---Notes that all stores hold a key from now on. Does nothing where the service did not say what time it is: then the
---next run notes it, by its own time.
---@param self confidentai.Job
---@param view confidentai.GenerationView
---@param key confidentai.ApiKey
---@return confidentai.StoreNote? known
---@return string? problem
function store_note.start(self, view, key)
  local known = { since = self:mark().service }
  if not known.since then
    return known
  end
  known.disabled = store_note.see(self, view)
  local done, problem = store_note.write(self, key, known)
  return done and known, problem
end

-- The lines of a note, without those that lie ahead: when the first key was noted, which key that is, and the others.
local function parse(text, now)
  local at, first, disabled = nil, nil, {}
  for digits, of in (text or ""):gmatch "(%d+) ([^\n]*)\n" do
    local seconds = tonumber(digits)
    seconds = seconds <= now + AHEAD and seconds or nil
    if not first then
      at, first = seconds, of
    else
      disabled[of] = seconds
    end
  end
  return at, first, disabled
end

---Returns what is known of the current key and older ones.
---@param self confidentai.Job which knows the service's time
---@param view confidentai.GenerationView whose current key all stores hold now
---@param late boolean whether this run had to write one of them
---@return confidentai.StoreNote? known
---@return string? problem it is not known
function store_note.read(self, view, late)
  local created, note, now = generations.created(view.current), note_of(self), self:mark().service
  if not created then
    return nil, "the time when the current key was created cannot be read"
  elseif not note then
    return { since = late and now or created }
  end
  local text, problem = target.read(note.spec.path)
  if text == nil then
    return nil, ("%s: %s"):format(note.label, problem)
  elseif text == false and not late then
    return { since = created }
  end
  local at, first, disabled = parse(text, now)
  if at and first == store_note.of(self, view.current) and not late then
    return { since = math.max(created, at), disabled = disabled }
  end
  local known
  known, problem = store_note.start(self, view, view.current)
  return known, problem
end

return store_note
