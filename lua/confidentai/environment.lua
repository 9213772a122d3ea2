-- SPDX-License-Identifier: Apache-2.0
-- Variables of the environment. nginx takes them away from its workers, but for those named by `env`: what was there
-- while this module loaded, in init_by_lua, serves where nothing is there later.

local environment = {}

local NAMES = {
  "CONFIDENT_ORG_API_KEY", "CONFIDENT_BASE_URL", "CONFIDENT_REGION", "CONFIDENT_PROFILE", "STATE_DIRECTORY",
  "XDG_STATE_HOME", "HOME",
}

local loaded = {}
for _, name in ipairs(NAMES) do
  loaded[name] = os.getenv(name)
end

---The value of a variable; an empty one counts as none.
---@param name string one of those that the library reads
---@return string?
function environment.get(name)
  local value = os.getenv(name) or (ngx and loaded[name]) -- luacheck: globals ngx
  return value ~= "" and value or nil
end

return environment
