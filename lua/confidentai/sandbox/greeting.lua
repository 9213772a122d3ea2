-- SPDX-License-Identifier: Apache-2.0
-- What the sandbox prints when it is ready.

local json = require "confidentai.sandbox.json"
local uv = require "luv"

local greeting = {}

local function authority(host, port)
  return (host:find(":", 1, true) and "[" .. host .. "]" or host) .. ":" .. string.format("%.0f", port)
end

---The facts a client needs.
---@param options table complete
---@param parts table { service, port, control_port, ca_file? }
---@return table facts { base_url, control_url, api_key, global_key, organization_id, projects, ca_file?, pid }
function greeting.facts(options, parts)
  local service = parts.service
  local base_path = (options.base_path or ""):gsub("/+$", "")
  local facts = {
    base_url = (options.tls and "https://" or "http://") .. authority(options.host, parts.port) .. base_path,
    control_url = "http://" .. authority(options.host, parts.control_port),
    organization_id = service.organization.id, global_key = service.global_secret, projects = json.array(),
    ca_file = parts.ca_file, pid = uv.os_getpid(),
  }
  local first = service.organization.keys:at()[1]
  facts.api_key = first and first.key.secret
  for index, project in ipairs(service.projects) do
    local entry = project.keys:at()[1]
    facts.projects[index] = { id = project.id, name = project.name, api_key = entry and entry.key.secret }
  end
  return facts
end

local function text(facts)
  local lines = {
    "The confidentai sandbox is ready. In another terminal:",
    "",
    "  export CONFIDENT_ORG_API_KEY=" .. tostring(facts.api_key),
    "  export CONFIDENT_BASE_URL=" .. facts.base_url,
    "",
  }
  if facts.ca_file then
    lines[#lines + 1] = "CA file     " .. facts.ca_file .. "  (the client's option ca_file)"
  end
  for _, project in ipairs(facts.projects) do
    lines[#lines + 1] = ("Project     %s  %s"):format(project.id, project.name)
  end
  lines[#lines + 1] = "Control     " .. facts.control_url .. "  (faults, log, state, reset)"
  lines[#lines + 1] = "Stop        Ctrl-C, or kill " .. string.format("%.0f", facts.pid)
  return table.concat(lines, "\n")
end

---Prints the facts, for a person or as one line of JSON.
---@param options table complete
---@param parts table as for `facts`
function greeting.print(options, parts)
  local facts = greeting.facts(options, parts)
  io.stdout:write(options.output == "json" and json.encode(facts) or text(facts), "\n")
  io.stdout:flush()
end

return greeting
