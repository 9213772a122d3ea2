-- SPDX-License-Identifier: Apache-2.0
-- Whole files, in any host.

local files = {}

---What a file holds.
---@param path string
---@return string? text
---@return string? message
function files.read(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text = file:read "*a"
  file:close()
  return text
end

---Writes a file, new or over what it held. Raises when it cannot.
---@param path string
---@param text string
function files.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

return files
