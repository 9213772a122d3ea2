-- SPDX-License-Identifier: Apache-2.0
-- One operation of the service, from request to result: started, waited for, told to on_event, decoded.

local core = require "confidentai.core"
local scheduler = require "confidentai.scheduler"

local operation = {}

-- Seconds by which two clocks may differ and are taken for one: answers have their time, and dates whole seconds.
local TOLERANCE = 300

---@class confidentai.Request
---@field method "GET"|"POST"|"PUT"|"DELETE"
---@field path string[] segments, unescaped
---@field body? table
---@field shape string what the answer's data holds (call:result)
---@field owner? confidentai.ApiKeys whose keys it holds
---@field flags? table of client:start

-- Keeps what a call said about the service's clock, by which the service's times go.
local function hear(client, call)
  local date = call:info().date
  if date then
    core.environment(client).ahead = date - os.time()
  end
end

---Returns the time by the service's clock, as it was last heard, where this machine's differs. By a wrong clock, a key
---in use seems long unused.
---@param client confidentai.Client
---@return number seconds since 1970
function operation.now(client)
  local ahead = core.environment(client).ahead or 0
  return os.time() + (math.abs(ahead) > TOLERANCE and ahead or 0)
end

-- The error of a request that was not made, as nothing could wait for it here.
local function unready(request, problem)
  return core.failure {
    kind = "config", message = problem, outcome = request.method ~= "GET" and "not_applied" or nil,
    method = request.method, path = "/" .. table.concat(request.path, "/"), attempts = 0,
  }
end

---Sends a request and waits for its end; its answer is not yet interpreted. Raises when the client is closed.
---@param client confidentai.Client
---@param request confidentai.Request
---@return confidentai.Call? call finished
---@return confidentai.Error? err nothing was sent
function operation.send(client, request)
  local driver = core.environment(client).driver
  local problem = driver.refuse and driver.refuse()
  if problem then
    return nil, unready(request, problem)
  end
  local call = client:start(request.method, request.path, request.body, request.flags)
  scheduler.wait(driver, call)
  return call
end

---Interprets the answer of a call that was sent.
---@param client confidentai.Client
---@param request confidentai.Request
---@param call confidentai.Call
---@return any result or nil
---@return confidentai.Error? err
function operation.take(client, request, call)
  local result, err = call:result(request.shape, request.owner)
  hear(client, call)
  local tell = core.environment(client).tell
  if tell then
    tell(client, call)
  end
  return result, err
end

---Performs a request. Raises when the client is closed.
---@param client confidentai.Client
---@param request confidentai.Request
---@return any result or nil
---@return confidentai.Error? err
---@return confidentai.Call? call
function operation.perform(client, request)
  local call, err = operation.send(client, request)
  if not call then
    return nil, err
  end
  local result
  result, err = operation.take(client, request, call)
  return result, err, call
end

---Returns what a method gives to its caller: exactly one value if it succeeded, so that the call can stand last among
---arguments; else nil and the rest.
---@param result any nil: it failed
---@param err? confidentai.Error
---@param partial? any
---@return any result or nil
---@return confidentai.Error? err
---@return any partial
function operation.one(result, err, partial)
  if result ~= nil then
    return result
  elseif partial ~= nil then
    return nil, err, partial
  end
  return nil, err -- and no third value: LuaJIT's assert raises the last one
end

return operation
