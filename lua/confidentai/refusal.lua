-- SPDX-License-Identifier: Apache-2.0
-- What the service itself refused. Proxies, gateways and cluster ingresses answer with the same statuses: only the
-- service's own envelope is its word (docs/platform.md, "Envelope").

local refusal = {}

---Returns true if an error is the service's own refusal with one of these statuses.
---@param err confidentai.Error
---@param ... integer statuses
---@return boolean
function refusal.is(err, ...)
  for i = 1, err.envelope == true and select("#", ...) or 0 do
    if err.status == (select(i, ...)) then
      return true
    end
  end
  return false
end

---Returns true if an error has one of these statuses without the service's envelope, so that something else answered.
---@param err confidentai.Error
---@param ... integer statuses
---@return boolean
function refusal.is_of_other(err, ...)
  return not err.envelope and refusal.is({ envelope = true, status = err.status }, ...) or false
end

return refusal
