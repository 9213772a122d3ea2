-- SPDX-License-Identifier: Apache-2.0
-- The files that scripts/reference writes. For scripts/reference, which says more, and for its spec.

local annotations = require "scripts.docs.annotations"
local pages = require "scripts.docs.pages"
local picture = require "scripts.docs.picture"
local sections = require "scripts.docs.sections"

local reference = {}

---What the files should hold. Raises when something is not documented.
---@return table<string, string> texts by path
---@return docs.Section[] list what they tell of
function reference.texts()
  local list = sections.read()
  return {
    ["docs/session.svg"] = picture.svg(),
    ["docs/reference.md"] = pages.write(list),
    ["types/confidentai.lua"] = annotations.write(list, "confidentai"),
    ["types/confidentai/sandbox.lua"] = annotations.write(list, "confidentai.sandbox"),
  }, list
end

---Writes the files.
function reference.write()
  for path, text in pairs(reference.texts()) do
    local file = assert(io.open(path, "w"))
    assert(file:write(text))
    assert(file:close())
  end
end

return reference
