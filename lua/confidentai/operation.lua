-- SPDX-License-Identifier: Apache-2.0
-- One operation of the service, from request to result: started, waited for, told to on_event, decoded.

local core = require "confidentai.core"
local events = require "confidentai.events"
local scheduler = require "confidentai.scheduler"

local operation = {}

---@class confidentai.Request
---@field method "GET"|"POST"|"PUT"|"DELETE"
---@field path string[] segments, unescaped
---@field body? table
---@field shape string what the answer's data holds (call:result)
---@field owner? confidentai.ApiKeys whose keys it holds

-- The error of a request that was not made, as nothing could wait for it here.
local function unready(request, problem)
  return core.failure {
    kind = "config", message = problem, outcome = request.method ~= "GET" and "not_applied" or nil,
    method = request.method, path = "/" .. table.concat(request.path, "/"), attempts = 0,
  }
end

---Performs a request. Raises when the client is closed.
---@param client confidentai.Client
---@param request confidentai.Request
---@return any result or nil
---@return confidentai.Error? err
---@return confidentai.Call? call
function operation.perform(client, request)
  local driver = core.environment(client).driver
  local problem = driver.refuse and driver.refuse()
  if problem then
    return nil, unready(request, problem)
  end
  local call = client:start(request.method, request.path, request.body)
  scheduler.wait(driver, call)
  local result, err = call:result(request.shape, request.owner)
  events.tell(client, call)
  return result, err, call
end

return operation
