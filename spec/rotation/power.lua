-- SPDX-License-Identifier: Apache-2.0
-- What a power cut would leave. The kernel may keep back whatever was not synced: bytes of a file until the file is,
-- names in a folder (new ones, renames, removals) until the folder is. This is the worst case of all that it may lose.

local Power = {}
Power.__index = Power

local power = {}

local function parent(path)
  return path:match "^(.*)/[^/]*$"
end

local function note_names(self, image, folder)
  local names = {}
  for path, entry in pairs(image) do
    if parent(path) == folder then
      names[path] = { file = entry.file, mode = entry.mode, kind = entry.kind }
    end
  end
  self.names[folder] = names
end

---Begins with everything synced.
---@param image table of disk.read
---@return table power
function power.new(image)
  local self = setmetatable({ contents = {}, names = {} }, Power)
  for path, entry in pairs(image) do
    if entry.kind == "directory" then
      note_names(self, image, path)
    else
      self.contents[entry.file] = entry.content
    end
  end
  return self
end

---A file or folder has been synced.
---@param image table as it was at that moment
---@param path string
function Power:sync(image, path)
  local entry = image[path]
  if entry and entry.kind == "directory" then
    note_names(self, image, path)
  elseif entry then
    self.contents[entry.file] = entry.content
  end
end

---The disk after a power cut.
---@param image table as it is now
---@return table image
function Power:cut(image)
  local left = {}
  for path, entry in pairs(image) do
    if entry.kind == "directory" then -- folders are made once, before anything is at stake
      left[path] = entry
      for name, known in pairs(self.names[path] or {}) do
        if known.kind ~= "directory" then
          left[name] = { kind = known.kind, mode = known.mode, file = known.file,
            content = self.contents[known.file] or "" }
        end
      end
    end
  end
  return left
end

return power
