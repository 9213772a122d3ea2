-- SPDX-License-Identifier: Apache-2.0
-- What a client tells its on_event about a finished call. The facts are the engine's; no event holds a secret.

local core = require "confidentai.core"

local events = {}

local function tell(settings, event)
  if not pcall(settings.on_event, event) then
    settings.event_errors = settings.event_errors + 1
  end
end

local function tell_attempt(settings, info, number, attempt)
  local function event(type)
    return { type = type, method = info.method, path = info.path, attempt = number }
  end
  tell(settings, event "request")
  local response = event "response"
  response.status, response.failure = attempt.status, attempt.failure
  response.seconds, response.bytes = attempt.seconds, attempt.bytes
  tell(settings, response)
  if attempt.wait then
    local retry = event "retry"
    retry.status, retry.failure, retry.seconds = attempt.status, attempt.failure, attempt.wait
    tell(settings, retry)
  end
end

---Tells a client's on_event what happened at a call, in the coroutine that asked for it. One that raises is ignored and
---counted in `client.event_errors`.
---@param client confidentai.Client that has an on_event
---@param call confidentai.Call finished, its result taken
function events.tell(client, call)
  local settings, info = core.environment(client), call:info()
  for number, attempt in ipairs(info.attempts) do
    tell_attempt(settings, info, number, attempt)
  end
  if info.deprecated then
    tell(settings, { type = "deprecated", method = info.method, path = info.path, link = info.link })
  end
end

return events
