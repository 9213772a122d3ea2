-- SPDX-License-Identifier: Apache-2.0
-- The options of confidentai.new, as data: one table drives their check, the reference and the type annotations.
-- Wrong types and unknown names raise; wrong values are for the caller to report as `config`.

local argument = require "confidentai.argument"

local options = {}

---@class confidentai.Option
---@field name string
---@field type string type of the value, or several with | between
---@field annotation? string its type for the reference and lua-language-server, where `type` says less
---@field default any
---@field positive? boolean a number above 0
---@field whole? boolean a whole number
---@field least? number
---@field most? number
---@field doc string

---@type confidentai.Option[]
options.list = {
  { name = "api_key", type = "string", doc = "organization key; default: $CONFIDENT_ORG_API_KEY" },
  { name = "base_url", type = "string", doc = "where the service is; default: $CONFIDENT_BASE_URL, else by region" },
  { name = "region", type = "string",
    doc = "US, EU or AU, in any case; default: $CONFIDENT_REGION, else by the key's prefix, else US" },
  { name = "allow_plain_http", type = "boolean", default = false,
    doc = "allow http:// to other hosts than this machine" },
  { name = "timeout", type = "number", default = 30, positive = true, doc = "seconds, for each attempt" },
  { name = "connect_timeout", type = "number", default = 10, positive = true,
    doc = "seconds until connected, for each attempt" },
  { name = "deadline", type = "number", positive = true,
    doc = "seconds for a whole call: waiting for a place, attempts and the pauses between them; default: none" },
  { name = "max_connections", type = "number", annotation = "integer", default = 64, whole = true, least = 1,
    most = 1024,
    doc = "reads of one host at the same time, each on a connection, and as many calls that change something; over "
      .. "HTTP/2, 100 reads share one" },
  { name = "max_retries", type = "number", annotation = "integer", default = 3, whole = true, least = 0, most = 20,
    doc = "attempts after the first, 0 to 20" },
  { name = "max_response_bytes", type = "number", annotation = "integer", default = 33554432, whole = true, least = 1,
    most = 2 ^ 40,
    doc = "the largest answer that is read, in bytes" },
  { name = "proxy", type = "string",
    doc = "as libcurl takes it; default: the environment's when the client is made, as libcurl reads it" },
  { name = "ca_file", type = "string", doc = "PEM file of the authorities to trust; default: libcurl's" },
  { name = "driver", type = "string|table", annotation = '"blocking"|"nginx"|"uv"|confidentai.Driver',
    doc = "how to wait: \"blocking\", \"nginx\" or \"uv\", or a table with a function wait; default: the host's" },
  { name = "on_event", type = "function", annotation = "fun(event: confidentai.Event)",
    doc = "called with what happened at each call, before its result is returned; must not wait; what it raises is "
      .. "counted in client.event_errors" },
}

local by_name = {}
for _, option in ipairs(options.list) do
  by_name[option.name] = option
end

local function number_problem(option, value)
  if value ~= value or value == math.huge or value == -math.huge then
    return "a finite number is expected"
  elseif option.positive and value <= 0 then
    return "a number above 0 is expected"
  elseif option.whole and (value % 1 ~= 0 or value < option.least or value > option.most) then
    return ("a whole number from %.0f to %.0f is expected"):format(option.least, option.most)
  end
end

local function problem_with(name, value)
  local option = by_name[name]
  if not option then
    return ("unknown option '%s'"):format(tostring(name))
  elseif not argument.has_type(value, option.type) then
    return ("option '%s': %s expected, got %s"):format(name, (option.type:gsub("|", " or ")), type(value))
  end
  local problem = option.type == "number" and number_problem(option, value)
  return problem and ("option '%s': %s"):format(name, problem)
end

---Checks the options that a user gave and fills the defaults in.
---@param given? table
---@return table? checked a new table
---@return string? problem
function options.check(given)
  if given ~= nil and type(given) ~= "table" then
    return nil, "table expected, got " .. type(given)
  end
  local checked = {}
  for name, value in pairs(given or {}) do
    local problem = problem_with(name, value)
    if problem then
      return nil, problem
    end
    checked[name] = value
  end
  for _, option in ipairs(options.list) do
    if checked[option.name] == nil then
      checked[option.name] = option.default
    end
  end
  return checked
end

return options
