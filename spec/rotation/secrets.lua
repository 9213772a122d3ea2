-- SPDX-License-Identifier: Apache-2.0
-- Finds secrets where they should not be.

local secrets = {}

-- Characters from the middle of a secret that betray it: the last 6 are shown everywhere, and a part is a leak as well.
local LENGTH = 16

---The part of a secret to look for.
---@param secret string
---@return string
function secrets.core(secret)
  local body = secret:match "^confident_us_%l+_(.*)$" or secret
  return body:sub(1, LENGTH)
end

---Whether a text has one of these secrets, or most of it. JSON's escapes hide none.
---@param text string
---@param keys table[] with `value`
---@return table? key the first whose secret is there
function secrets.find(text, keys)
  if #text < LENGTH then
    return nil
  end
  local plain = text:gsub("\\", "")
  for _, key in ipairs(keys) do
    if plain:find(secrets.core(key.value), 1, true) then
      return key
    end
  end
end

return secrets
