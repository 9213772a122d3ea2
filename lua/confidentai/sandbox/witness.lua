-- SPDX-License-Identifier: Apache-2.0
-- Looks into files at the moment of a change: which key's secret they hold, and whether it works. The secret itself
-- goes nowhere.

local witness = {}

-- The largest part of a file that is looked at.
local max_text = 2 ^ 20

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read(max_text)
  file:close()
  return text or ""
end

-- The keys whose secrets occur in a text, in their order there.
local function keys_in(service, text)
  local found, seen = {}, {}
  for word in text:gmatch("confident_us_[%w_+/=]+") do
    local key = service.secrets[word]
    if key and not seen[key] then
      seen[key] = true
      found[#found + 1] = key
    end
  end
  return found
end

---Looks at the files that the settings name, before a change.
---@param service table
---@return table observations for `conclude`
function witness.look(service)
  local observations = {}
  for index, path in ipairs(service.settings.witness) do
    local text = read(path)
    local observation = { path = path, missing = text == nil, keys = keys_in(service, text or ""), before = {} }
    for position, key in ipairs(observation.keys) do
      observation.before[position] = service:authenticate(key.secret) ~= nil
    end
    observations[index] = observation
  end
  return observations
end

local function identity(key)
  return { scope = key.scope, project_id = key.project_id, id = key.id }
end

---What was seen, for the log, right after the change.
---@param service table
---@param observations table as `look` gives them
---@return table? seen by path: { missing } or { holds?, valid?, others? }; nil when no file is watched
function witness.conclude(service, observations)
  if #observations == 0 then return nil end
  local seen = {}
  for _, observation in ipairs(observations) do
    local entry = { missing = observation.missing or nil }
    for position, key in ipairs(observation.keys) do
      local found = {
        holds = identity(key),
        valid = { before = observation.before[position], after = service:authenticate(key.secret) ~= nil },
      }
      if position == 1 then
        entry.holds, entry.valid = found.holds, found.valid
      else
        entry.others = entry.others or {}
        table.insert(entry.others, found)
      end
    end
    seen[observation.path] = entry
  end
  return seen
end

return witness
