-- SPDX-License-Identifier: Apache-2.0
-- The sandbox's options, one table for the command, the Lua call and the documentation.

local options = {}

-- `flag` options take no value on the command line. `hidden` ones are for the machinery.
options.list = {
  { name = "port", kind = "number", default = 8787, doc = "port of the service; 0: any free one" },
  { name = "control_port", kind = "number", doc = "port of the control path; default: the one after --port" },
  { name = "host", kind = "string", default = "127.0.0.1", doc = "loopback address to listen on" },
  { name = "tls", kind = "boolean", doc = "serve https://, HTTP/1.1 and HTTP/2" },
  { name = "ca_file", kind = "string", doc = "where to write the certificate that clients must trust" },
  { name = "base_path", kind = "string", doc = "serve below this path prefix" },
  { name = "projects", kind = "names", default = { "web", "research" }, doc = "names of the projects" },
  { name = "generation", kind = "number", default = 1, doc = "of the platform's API: 1, or 2 to serve /v2, too" },
  { name = "seed", kind = "number", doc = "the same ids and secrets at every start" },
  { name = "state", kind = "string", doc = "file that keeps the keys across restarts" },
  { name = "witness_folder", kind = "string", doc = "folder of the files that the setting witness may name" },
  { name = "output", kind = "string", default = "text", doc = "what to print at the start: text or json" },
  { name = "exit_with_fd", kind = "number", hidden = true, doc = "exit when this descriptor ends" },
}

local by_name = {}
for _, option in ipairs(options.list) do by_name[option.name] = option end

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function is_port(value)
  return value % 1 == 0 and value >= 0 and value <= 65535
end

local checks = {
  port = function(value) return is_port(value), "must be a whole number from 0 to 65535" end,
  host = function(value)
    return is_loopback(value), "must be a loopback address, as the sandbox is not for others"
  end,
  base_path = function(value)
    return value:find("^/") and not value:find("[?#%s%%]"), "must begin with a slash"
  end,
  generation = function(value) return value == 1 or value == 2, "must be 1 or 2" end,
  witness_folder = function(value) return value:sub(1, 1) == "/", "must be an absolute path" end,
  output = function(value) return value == "text" or value == "json", "must be text or json" end,
  seed = function(value) return value % 1 == 0 and math.abs(value) < 2 ^ 53, "must be a whole number" end,
}
checks.control_port = checks.port

local function is_names(value)
  if type(value) ~= "table" then return false end
  for _, name in ipairs(value) do
    if type(name) ~= "string" or name == "" then return false end
  end
  return true
end

local function is_of(kind, value)
  if kind == "names" then return is_names(value) end
  return type(value) == kind
end

---Checks options and fills in the defaults.
---@param given table name to value
---@return table? complete
---@return string? message naming the option that is wrong
function options.complete(given)
  local complete = {}
  for name, value in pairs(given) do
    local option = by_name[name]
    if not option then return nil, "unknown option " .. tostring(name) end
    if not is_of(option.kind, value) then
      local expected = option.kind == "names" and "an array of names" or "a " .. option.kind
      return nil, name .. " must be " .. expected
    end
    if checks[name] then
      local ok, message = checks[name](value)
      if not ok then return nil, ("%s %s"):format(name, message) end
    end
    complete[name] = value
  end
  for _, option in ipairs(options.list) do
    if complete[option.name] == nil then complete[option.name] = option.default end
  end
  if complete.ca_file and not complete.tls then return nil, "ca_file is of use with tls only" end
  if not complete.control_port then
    complete.control_port = complete.port == 0 and 0 or complete.port + 1
  end
  return complete
end

return options
