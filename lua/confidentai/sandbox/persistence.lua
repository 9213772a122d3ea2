-- SPDX-License-Identifier: Apache-2.0
-- The state file: JSON, readable by its owner only, always replaced as a whole.

local json = require "confidentai.sandbox.json"
local uv = require "luv"

local persistence = {}

---Reads a state file.
---@param file string
---@return table? state nil without a message when there is no such file
---@return string? message when the file cannot be read or used
function persistence.load(file)
  local handle, message, code = io.open(file, "rb")
  if not handle then
    if code == 2 then return nil end -- ENOENT: the first start
    return nil, message
  end
  local text = handle:read("*a")
  handle:close()
  local state = text and json.decode(text)
  if type(state) ~= "table" or state.version ~= 2 or type(state.organization) ~= "table" then
    return nil, file .. " is not a state file of this sandbox; move it away or name another"
  end
  return state
end

local function write(fd, text)
  local ok, message = uv.fs_write(fd, text, 0)
  if ok and ok ~= #text then ok, message = nil, "short write" end
  if ok then ok, message = uv.fs_fsync(fd) end
  uv.fs_close(fd)
  return ok, message
end

---Replaces a file, so that whoever reads it sees the old content or the new. The new one is made under a name that was
---free, mode 0600: in a folder of many, another user's link or file under that name is neither followed nor written to.
---@param file string
---@param text string
---@return boolean? ok
---@return string? message
function persistence.replace(file, text)
  local fd, temporary = uv.fs_mkstemp(file .. ".XXXXXX")
  if not fd then return nil, ("%s: %s"):format(file, tostring(temporary)) end
  local ok, message = write(fd, text)
  if ok then ok, message = uv.fs_rename(temporary, file) end
  if not ok then
    uv.fs_unlink(temporary)
    return nil, message
  end
  return true
end

---Writes a state file.
---@param file string
---@param state table as Service:export gives it
---@return boolean? ok
---@return string? message
function persistence.save(file, state)
  return persistence.replace(file, json.encode(state))
end

return persistence
