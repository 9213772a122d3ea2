-- SPDX-License-Identifier: Apache-2.0
-- Time that has passed, by two clocks: this machine's and the service's (its Date header). Neither is trusted alone: a
-- clock that was set wrong must neither end a soak nor hold it up.

local elapsed = {}

-- Seconds by which the two may differ.
local TOLERANCE = 300

---What both clocks say now.
---@param here number seconds since 1970
---@param service? number the same by the service's last answer
---@return { here: number, service: number? }
function elapsed.mark(here, service)
  return { here = here, service = service }
end

---When a mark was made, as the service dates things: by its clock, where that was heard.
---@param mark { here: number, service: number? }
---@return number seconds since 1970
function elapsed.dated(mark)
  return mark.service or mark.here
end

---Seconds since a mark: the fewer of both clocks'. Where this machine's has gone backwards it was set, and the
---service's counts.
---@param mark { here: number, service: number? }
---@param now { here: number, service: number? }
---@return number seconds 0 at least
---@return string? doubt what to say when the clocks disagree
function elapsed.since(mark, now)
  local here = now.here - mark.here
  local service = mark.service and now.service and now.service - mark.service
  local seconds = math.max(0, here < 0 and service or math.min(here, service or here))
  if service and math.abs(here - service) > TOLERANCE then
    local doubt = "by this machine's clock %.0f s have passed, by the service's %.0f s: the %s count"
    return seconds, doubt:format(here, service, here < 0 and "service's" or "fewer")
  end
  return seconds
end

return elapsed
