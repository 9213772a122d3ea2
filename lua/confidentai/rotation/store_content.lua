-- SPDX-License-Identifier: Apache-2.0
-- What a store holds, told to a person without a secret; and whether it is a .env file in the place of one secret.

local calls = require "confidentai.rotation.calls"
local stores = require "confidentai.rotation.stores"

local store_content = {}

-- Characters from which on a text may be told by its last six.
local LEGIBLE = 30

---Says what a store holds, without a secret.
---@param job confidentai.Job
---@param content string|false
---@return string
function store_content.words(job, content)
  local record = job.record
  if stores.is_nothing(content) then
    return "nothing"
  elseif record.old and stores.is_secret(content, record.old.last6) then
    return "the old key's secret"
  elseif record.new and stores.is_secret(content, record.new.last6) then
    return "the new key's secret"
  elseif stores.is_key(content) and #content > LEGIBLE then
    return ("a secret that ends in %s"):format(content:sub(-6))
  end
  return "something that is not the secret of a key"
end

---Returns the only key whose secret a store holds, as far as the last characters tell; nil: there is none, or several.
---@param keys confidentai.ApiKey[]
---@param content string|false|nil
---@return confidentai.ApiKey?
function store_content.owner(keys, content)
  local found
  for _, key in ipairs(keys) do
    if calls.shows_end(key) and stores.is_secret(content, key.value:sub(-6)) then
      if found then
        return nil
      end
      found = key
    end
  end
  return found
end

-- Returns the variable of a .env file: the first whose value is a key, else the first; nil: the text is another.
local function variable_of(content)
  local first
  for line in content:gmatch "[^\r\n]+" do
    local name, value = line:gsub("^%s*export%s+", ""):match "^%s*([%a_][%w_]*)%s*=(.*)$"
    if name and value:find("confident_", 1, true) then
      return name
    elseif name and not name:find "^confident_" then
      first = first or name
    end
  end
  return first
end

---Finds out whether what a store holds is a .env file, which is not to be replaced as a whole.
---@param store confidentai.Store
---@param content string|false
---@return string? problem nil: it is not
---@return boolean? several it has several lines, so that nothing lets it be replaced
---@return string? spec the store that is meant, as the option --store takes it
function store_content.env_file_problem(store, content)
  local variable = content and not stores.is_key(content) and variable_of(content)
  if not variable then
    return nil
  end
  local path = store.kind == "file" and store.spec.path or "PATH"
  local spec = ("env_file:%s:%s"):format(path, variable)
  return ("%s looks like a .env file, which would be lost: use %s"):format(store.label, spec),
    content:find "[\r\n]%s*%S" ~= nil, store.kind == "file" and spec or nil
end

return store_content
