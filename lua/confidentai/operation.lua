-- SPDX-License-Identifier: Apache-2.0
-- One operation of the service, from request to result: started, waited for as the client's driver waits, told to
-- on_event, decoded.

local core = require "confidentai.core"
local events = require "confidentai.events"

local operation = {}

---@class confidentai.Request
---@field method "GET"|"POST"|"PUT"|"DELETE"
---@field path string[] segments, unescaped
---@field body? table
---@field shape string what the answer's data holds (call:result)
---@field owner? confidentai.ApiKeys whose keys it holds

---Performs a request. Raises when the client is closed.
---@param client confidentai.Client
---@param request confidentai.Request
---@return any result or nil
---@return confidentai.Error? err
---@return confidentai.Call call
function operation.perform(client, request)
  local call = client:start(request.method, request.path, request.body)
  core.environment(client).driver.wait(core.engine(), call)
  local result, err = call:result(request.shape, request.owner)
  events.tell(client, call)
  return result, err, call
end

return operation
