-- SPDX-License-Identifier: Apache-2.0
-- One operation of the service, from request to result: started, waited for as the client's driver waits, told to
-- on_event, decoded.

local core = require "confidentai.core"
local events = require "confidentai.events"

local operation = {}

-- Whether a yield passes through pcall: not on PUC 5.1, where it is used outside of coroutines only.
local pcall_yields = _VERSION ~= "Lua 5.1" or jit ~= nil

-- Waits as the client's driver does. A call that nobody waits for any more must not be sent later, behind the back of
-- a caller who was told that it failed: when the wait is broken off, by Ctrl-C or by an error of the driver, so is it.
local function wait(driver, call)
  local ok, problem = true, nil
  if pcall_yields or not coroutine.running() then
    ok, problem = pcall(driver.wait, core.engine(), call)
  else
    driver.wait(core.engine(), call)
  end
  if not call:done() then
    call:cancel()
    error(ok and "the driver did not wait for the call" or problem, 0)
  end
end

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
  wait(core.environment(client).driver, call)
  local result, err = call:result(request.shape, request.owner)
  events.tell(client, call)
  return result, err, call
end

return operation
