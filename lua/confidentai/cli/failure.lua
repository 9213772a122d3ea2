-- SPDX-License-Identifier: Apache-2.0
-- How the command fails: an error is raised as a table, caught in one place, and told to a person or to a program.

local refusal = require "confidentai.refusal"
local terminal = require "confidentai.cli.terminal"

local failure = {}

local metatable = { __tostring = function(self) return self.err.message end }

---Ends the command with an error.
---@param err confidentai.Error|{ kind: string, message: string, next?: string, exit?: integer } exit: the status
function failure.raise(err)
  error(setmetatable({ err = err }, metatable), 0)
end

---Ends the command because of its arguments.
---@param message string
---@param next? string what to do instead
function failure.usage(message, next)
  failure.raise { kind = "usage", message = message, next = next, exit = require("confidentai.cli.status").usage }
end

---Returns its arguments, or ends the command when the first is nil.
function failure.check(value, err, ...)
  if value == nil then
    failure.raise(err)
  end
  return value, err, ...
end

---The error in what a pcall caught; nil: it was none of these, but a bug or an interruption.
---@param caught any
---@return table? err
function failure.caught(caught)
  return getmetatable(caught) == metatable and caught.err or nil
end

---Makes text one line that is fit for a terminal, and masks what looks like a secret.
---@param text string
---@return string
function failure.redact(text)
  local ok, core = pcall(require, "confidentai.core")
  return ok and type(core) == "table" and core.redact(text)
    or terminal.clean((text:gsub("confident_[%w_+/=-]+", "***************")))
end

-- What can be done about an error, where it does not say so itself.
local function advice(err)
  if err.next then
    return err.next
  elseif err.outcome == "unknown" and err.method == "POST" then
    return "the key may exist, and its secret is lost: look for it with: confidentai keys find NAME, and delete it"
  elseif err.outcome == "unknown" then
    return "the change may have happened: look with: confidentai keys get ID"
  elseif err.kind == "config" then
    return "check --base-url, --region and --ca-file, and CONFIDENT_ORG_API_KEY, CONFIDENT_BASE_URL, CONFIDENT_REGION"
  elseif refusal.is_of_other(err, 401, 403, 404) then
    return "this answer is not from the service: check the proxy, and --base-url or CONFIDENT_BASE_URL"
  elseif err.status == 401 then
    return "the key is wrong, disabled or deleted: set CONFIDENT_ORG_API_KEY to an enabled organization key, or use "
      .. "--profile"
  elseif err.status == 403 then
    return "use an organization key: this may be a project key"
  elseif err.status == 404 then
    return "see: confidentai keys list, or confidentai projects list"
  elseif err.status == 429 or err.status == 503 then
    return err.retry_after and ("try again in %.0f s"):format(err.retry_after) or "try again in a few seconds"
  elseif err.kind == "network" then
    return "check the network, and --base-url or CONFIDENT_BASE_URL"
  elseif err.kind == "timeout" then
    return "try again, with a larger --timeout"
  elseif err.kind == "tls" then
    return "check this machine's clock and CA certificates; --ca-file names others; verification cannot be turned off"
  end
end

-- Options of the library that are named in its messages without a value, where they are named otherwise here.
local FLAGS = { old_secret = "--old-secret-file", require_other_manager = "--other-manager-file",
  manager_store = "--manager-store", on_published = "--on-published", state_dir = "--state-dir" }

---A message of the library, which names options as Lua has them, for whoever has a command line.
---@param message string
---@return string
function failure.in_options(message)
  message = message:gsub(", or set allow_plain_http = true if that is what you want", "") -- the command has no such
  message = message:gsub("{ ([%l_]+) = true }", "%1 = true"):gsub("([%l_]+) = true", function(name)
    return name ~= "allow_plain_http" and "--" .. name:gsub("_", "-") or nil
  end):gsub("([%l_]+) = id", function(name)
    return "--" .. name:gsub("_", "-") .. " ID"
  end)
  return (message:gsub("the option (%l+_)", "%1"):gsub("%f[%w_]%l+_[%l_]+%f[^%w_]", FLAGS))
end

---Fields of an error that programs get, beside `next`.
failure.fields = {
  "kind", "message", "status", "outcome", "state", "method", "path", "attempts", "retry_after", "link", "rotation",
  "cause",
}

-- The ways on that an error gives, as command lines, each with what it is for.
local function ways_of(err)
  local list = {}
  for i, way in ipairs(err.ways or {}) do
    list[i] = { purpose = failure.redact(failure.in_options(way.purpose)),
      line = failure.redact(require("confidentai.cli.continuation").line(way)) }
  end
  return list
end

---Tells of an error.
---@param err table
---@param format? string "json" and "jsonl": as JSON
function failure.report(err, format)
  local ways = ways_of(err)
  local next = (err.next or not ways[1]) and advice(err) or nil
  if format == "json" or format == "jsonl" then
    local object = { error = { next = next } }
    for _, name in ipairs(failure.fields) do
      object.error[name] = err[name]
    end
    object.error.message = failure.redact(failure.in_options(tostring(err.message)))
    for i, way in ipairs(ways) do
      object.error.commands = object.error.commands or {}
      object.error.commands[i], object.error.next = way.line, object.error.next or way.purpose
    end
    for i, fact in ipairs(err.facts or {}) do
      object.error.facts = object.error.facts or {}
      object.error.facts[i] = failure.redact(fact)
    end
    local json, ok, core = require("cjson").new().encode(object), pcall(require, "confidentai.core")
    json = ok and type(core) == "table" and core.escape_json(json) or json:gsub("[\128-\255]", "?")
    terminal.write(2, json .. "\n")
    return
  end
  terminal.say("confidentai: ", failure.redact(failure.in_options(tostring(err.message))))
  for _, fact in ipairs(err.facts or {}) do
    terminal.say("  ", failure.redact(fact))
  end
  if next then
    terminal.say("  ", failure.redact(next))
  end
  for _, way in ipairs(ways) do
    terminal.say("  ", way.purpose, ":")
    terminal.say("    ", way.line)
  end
end

return failure
