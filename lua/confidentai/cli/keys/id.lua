-- SPDX-License-Identifier: Apache-2.0
-- The argument ID of verbs about one key.

local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"

---Checks the id of a key that was given on the command line. Ends the command when it can be none.
---@param api_keys confidentai.ApiKeys whose key it is
---@param text string
---@return string id
local function check_id(api_keys, text)
  local id, problem = core.key_id(api_keys, text)
  if not id then
    failure.usage("ID: " .. problem, "see: confidentai keys list")
  end
  return id
end

return check_id
