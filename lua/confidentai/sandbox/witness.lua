-- SPDX-License-Identifier: Apache-2.0
-- Looks into files at the moment of a change: which key's secret they hold, and whether it works. The secret itself
-- goes nowhere. Whoever reaches the control path could ask about any file, so only those are read that are really below
-- the folder that the sandbox was started with.

local uv = require "luv"

local witness = {}

-- The largest part of a file that is looked at.
local max_text = 2 ^ 20

local function is_below(path, folder)
  return folder == "/" or path:sub(1, #folder + 1) == folder .. "/"
end

-- Opened without waiting, as a pipe would let it; that it is a file is asked of what was opened.
local function read(service, path)
  local folder, real = uv.fs_realpath(service.witness_folder or ""), uv.fs_realpath(path)
  if not folder or not real or not is_below(real, folder) then return nil end
  local constants = uv.constants
  local fd = uv.fs_open(real, constants.O_RDONLY + constants.O_NONBLOCK + (constants.O_NOFOLLOW or 0), 0)
  if not fd then return nil end
  local facts = uv.fs_fstat(fd)
  local text = facts and facts.type == "file" and uv.fs_read(fd, max_text, 0) or nil
  uv.fs_close(fd)
  return text
end

---Says what is wrong with the paths of the setting.
---@param service table
---@param paths? table array
---@return string? message nil when these may be looked at, as far as their names tell
function witness.check(service, paths)
  local folder = service.witness_folder
  for _, path in ipairs(paths or {}) do
    if not folder then return "witness: the sandbox was started without the option witness_folder" end
    if path:find("/%.%.?/") or path:find("/%.%.?$") or not is_below(path, (folder:gsub("(.)/+$", "%1"))) then
      return "witness: " .. path .. " is not below the folder that the sandbox was started with"
    end
  end
end

-- The keys whose secrets occur in a text, in their order there: { key, secret }.
local function keys_in(service, text)
  local found, seen = {}, {}
  for word in text:gmatch("confident_us_[%w_+/=]+") do
    local key = service.secrets[word]
    if key and not seen[key] then
      seen[key] = true
      found[#found + 1] = { key = key, secret = word }
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
    local text = read(service, path)
    local observation = { path = path, missing = text == nil, keys = keys_in(service, text or ""), before = {} }
    for position, found in ipairs(observation.keys) do
      observation.before[position] = service:authenticate(found.secret) ~= nil
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
    for position, seen_key in ipairs(observation.keys) do
      local found = {
        holds = identity(seen_key.key),
        valid = { before = observation.before[position], after = service:authenticate(seen_key.secret) ~= nil },
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
