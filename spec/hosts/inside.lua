-- SPDX-License-Identifier: Apache-2.0
-- Runs one entry of behaviour.lua inside of a host.

local inside = {}

---Runs the entry of a name.
---@param name string
---@param facts { base_url: string, api_key: string, project_id: string } of the sandbox
---@return boolean ok
---@return string? message why not
function inside.run(name, facts)
  local confidentai = require "confidentai"
  local t = { confidentai = confidentai, project_id = facts.project_id }
  function t.client(options)
    local given = { api_key = facts.api_key, base_url = facts.base_url, timeout = 5 }
    for option, value in pairs(options or {}) do
      given[option] = value
    end
    return confidentai.check(confidentai.new(given))
  end
  for _, entry in ipairs(require "spec.hosts.behaviour") do
    if entry.name == name then
      local ok, problem = pcall(entry.run, t)
      return ok, not ok and tostring(problem) or nil
    end
  end
  return false, "no such entry: " .. name
end

return inside
