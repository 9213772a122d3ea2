-- SPDX-License-Identifier: Apache-2.0
-- Since when all stores have held ensure's current key: its soak counts from then, and not from the create, as a store
-- may be written much later. ensure has no state folder. So a store that is a file has a note beside it,
-- `.<file>.ensured`, with the seconds since 1970 by the service's clock, and the key's id and time of creation. Without
-- such a store, or where its disk has vanished, the time of creation is all that is known.

local calls = require "confidentai.rotation.calls"
local generations = require "confidentai.rotation.generations"
local target = require "confidentai.store.target"

local published_at = {}

-- Bytes: the longest file name beside which a note is kept, as the note's own must not be longer than 255.
local LONGEST_NAME = 180

-- Seconds by which a note may lie ahead of the service's clock.
local AHEAD = 300

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

-- What the note says of a key, after the seconds.
local function text_of(self, key)
  local identity = calls.identity(self, key)
  return ("%s %s"):format(identity.id, identity.created_at or "-")
end

---Notes that all stores hold a key now. Does nothing where no store is a file, or the service did not say what time it
---is: then the next run notes it, by its own time.
---@param self confidentai.Job
---@param key confidentai.ApiKey
---@return true?
---@return string? problem
function published_at.note(self, key)
  local note, now = note_of(self), self:mark().service
  if not note or not now then
    return true
  end
  local done, problem = target.change(note, function()
    return ("%.0f %s\n"):format(math.floor(now), text_of(self, key))
  end)
  return done, problem
end

---Returns since when all stores have held the current key.
---@param self confidentai.Job
---@param key confidentai.ApiKey the current one, which all stores hold now
---@param late boolean whether this run had to write one of them
---@return number? seconds since 1970, by the service's clock
---@return string? problem it is not known
function published_at.read(self, key, late)
  local created, note, now = generations.created(key), note_of(self), self:mark().service
  if not created then
    return nil, "when the current key was created cannot be read"
  elseif not note then
    return late and now or created
  end
  local text, problem = target.read(note.spec.path)
  if text == nil then
    return nil, ("%s: %s"):format(note.label, problem)
  end
  local seconds, of = (text or ""):match "^(%d+) (.-)\n$"
  seconds = of == text_of(self, key) and tonumber(seconds) or nil
  if text == false and not late then
    return created
  elseif seconds and not late and seconds <= now + AHEAD then
    return math.max(created, seconds)
  end
  local done
  done, problem = published_at.note(self, key)
  if not done then
    return nil, problem
  end
  return now
end

return published_at
