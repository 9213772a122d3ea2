-- SPDX-License-Identifier: Apache-2.0
-- The sandbox for specs: starts the local service as a process of its own and steers it. Works on every Lua,
-- also on those without lua-http, as long as one interpreter on the machine has it.

-- Specs are where these are often missing: the remedy comes before the places where Lua has looked.
for _, name in ipairs { "luv", "socket.http" } do
  local ok, problem = pcall(require, name)
  if not ok then
    error("confidentai.sandbox needs the modules luv and socket in the Lua that loads it\n"
      .. "Debian and Ubuntu: apt-get install lua-luv lua-socket\n"
      .. "LuaRocks: luarocks install luv && luarocks install luasocket\n" .. tostring(problem), 0)
  end
end

local Child = require "confidentai.sandbox.child"
local Clock = require "confidentai.sandbox.clock"
local Faults = require "confidentai.sandbox.faults"
local http = require "socket.http"
local json = require "confidentai.sandbox.json"
local ltn12 = require "ltn12"
local options = require "confidentai.sandbox.options"
local settings = require "confidentai.sandbox.settings"

local sandbox = {}

---A service that runs, as a process of its own. A call that it refuses is a mistake of the spec, which must not pass
---without its fault: it raises there. A service that does not answer returns nil and a message.
---@class confidentai.Sandbox
---@field base_url string what clients connect to
---@field control_url string the control path
---@field api_key string the secret of the manager organization key
---@field global_key string the secret of a global key
---@field organization_id string
---@field projects { id: string, name: string, api_key: string }[] api_key: the secret of its first key
---@field ca_file? string with tls: the certificate to trust
---@field pid integer of the service's process
local Sandbox = {}
Sandbox.__index = Sandbox

local start_seconds = 20
local control_seconds = 10

local here = debug.getinfo(1, "S").short_src

-- Raises at the line of the spec: the first that is not in this file. Tail calls are levels in PUC 5.1 only.
local function refuse(problem)
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and (info.short_src == here or info.what == "tail") do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  error("confidentai.sandbox: " .. problem, level)
end

local function control(self, method, path, value)
  if self.stopped then return nil, "the sandbox has been stopped" end
  local body, chunks = value and json.encode(value) or "", {}
  http.TIMEOUT = control_seconds
  local ok, status = http.request {
    method = method, url = self.control_url .. path, sink = ltn12.sink.table(chunks),
    source = ltn12.source.string(body),
    headers = { ["content-length"] = #body, ["content-type"] = "application/json" },
  }
  if not ok then
    return nil, ("the sandbox does not answer: %s\n%s"):format(tostring(status), self.child:errors())
  end
  local answer = json.decode(table.concat(chunks))
  if status ~= 200 and status ~= 201 then
    local problem = type(answer) == "table" and answer.error or ("status " .. tostring(status))
    refuse(("%s %s: %s"):format(method, path, problem))
  end
  return answer
end

--- Queues a fault. Raises when the fault is not well formed: an unknown type, field, operation or value.
---@param fault table { type, method?, path?, operation?, skip?, times?, ... }, see docs/sandbox.md
---@return integer? id
---@return string? message
function Sandbox:fault(fault)
  local problem = Faults.check(fault)
  if problem then refuse("fault: " .. problem) end
  local answer, message = control(self, "POST", "/faults", fault)
  if not answer then return nil, message end
  return answer.id
end

--- Removes all faults.
---@return boolean? ok
---@return string? message
function Sandbox:clear_faults()
  local answer, message = control(self, "DELETE", "/faults")
  return answer and true, message
end

--- The faults that can still hit a request.
---@return table[]? faults
---@return string? message
function Sandbox:faults()
  return control(self, "GET", "/faults")
end

--- The requests received, oldest first.
---@param since? integer only those with a greater number `n`
---@return table[]? entries
---@return string? message
function Sandbox:log(since)
  return control(self, "GET", "/log" .. (since and ("?since=%d"):format(since) or ""))
end

--- All keys with their full secrets.
---@return table? state { organization_id, projects, keys = { { scope, id, name, valid, value, ... } } }
---@return string? message
function Sandbox:state()
  return control(self, "GET", "/state")
end

--- Counts.
---@return table? stats { requests, faults, connections_accepted, connections_open }
---@return string? message
function Sandbox:stats()
  return control(self, "GET", "/stats")
end

--- Back to the keys of the start, without faults, with an empty log.
---@return boolean? ok
---@return string? message
function Sandbox:reset()
  local answer, message = control(self, "POST", "/reset")
  return answer and true, message
end

--- The service as it is now.
---@return table? snapshot for `restore`, to be taken as it is; it has all secrets
---@return string? message
function Sandbox:snapshot()
  return control(self, "POST", "/snapshot")
end

--- Back to a snapshot, without faults, with an empty log. Raises when it is no snapshot of this version.
---@param snapshot table
---@return boolean? ok
---@return string? message
function Sandbox:restore(snapshot)
  local answer, message = control(self, "POST", "/restore", snapshot)
  return answer and true, message
end

-- Changes the clock; the time that it shows then.
local function change_clock(self, change)
  local problem = Clock.check(change)
  if problem then refuse("clock: " .. problem) end
  local answer, message = control(self, "POST", "/clock", change)
  return answer and answer.now, message
end

--- Moves the service's clock: its Date header, created_at and lastUsed. It runs from there on.
---@param seconds number ahead of the real time, or behind it when negative; reset sets it back
---@return boolean? ok
---@return string? message
function Sandbox:set_clock(seconds)
  local now, message = change_clock(self, { offset = seconds })
  return now and true, message
end

--- Stops the service's clock: it moves only by `advance`, until `set_clock` or a reset lets it run again.
---@param at? number seconds since 1970; the time that it shows now, if absent
---@return number? now seconds since 1970
---@return string? message
function Sandbox:stop_clock(at)
  local now, message = change_clock(self, { stop = at or true })
  return now, message
end

--- Moves the service's clock forward, whether it runs or not. What was to commit late by then has taken effect.
---@param seconds number
---@return number? now seconds since 1970
---@return string? message
function Sandbox:advance(seconds)
  local now, message = change_clock(self, { advance = seconds })
  return now, message
end

--- The time on the service's clock.
---@return number? now seconds since 1970
---@return string? message
function Sandbox:now()
  local answer, message = control(self, "GET", "/clock")
  return answer and answer.now, message
end

--- Sets how the service behaves; reset sets it back. Raises at an unknown name or a wrong value.
---@param values table names and values of docs/sandbox.md; those not given stay
---@return table? settings all of them
---@return string? message
function Sandbox:set(values)
  local problem = settings.check(values)
  if problem then refuse("set: " .. problem) end
  return control(self, "POST", "/settings", values)
end

--- How the service behaves.
---@return table? settings
---@return string? message
function Sandbox:settings()
  return control(self, "GET", "/settings")
end

--- What the service has written to its standard error; empty unless something is wrong.
---@return string text
function Sandbox:errors()
  return self.child:errors()
end

--- Ends the service: SIGTERM, then SIGKILL. Does nothing the second time.
---@param seconds? number between the two; default 2
function Sandbox:stop(seconds)
  self.stopped = true
  self.child:stop(seconds)
end

function Sandbox:__close()
  self:stop()
end

--- Starts a service. It ends with this process at the latest. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.SandboxOptions
---@return confidentai.Sandbox? service
---@return string? message what the service wrote to its standard error
function sandbox.start(given)
  local wanted = {}
  if given ~= nil and type(given) ~= "table" then
    error("confidentai.sandbox.start: a table of options is expected", 2)
  end
  for name, value in pairs(given or {}) do wanted[name] = value end
  wanted.port, wanted.output = wanted.port or 0, "json"
  local complete, wrong = options.complete(wanted)
  if not complete then error("confidentai.sandbox.start: " .. wrong, 2) end
  if #complete.projects == 0 then complete.projects = json.array() end
  local child, message = Child.start(complete)
  if not child then return nil, message end
  local line
  line, message = child:line(start_seconds)
  local facts = line and json.decode(line)
  if type(facts) ~= "table" then
    child:stop()
    return nil, message or ("unexpected output: " .. tostring(line))
  end
  facts.child = child
  return setmetatable(facts, Sandbox)
end

return sandbox
