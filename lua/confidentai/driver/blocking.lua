-- SPDX-License-Identifier: Apache-2.0
-- Waits by blocking the process, as a script expects it. A signal ends the step, so that the interpreter can see it.

local blocking = {}

---Returns when the call is finished.
---@param engine confidentai.Engine
---@param call confidentai.Call
function blocking.wait(engine, call)
  while not call:done() do
    engine:step(-1)
  end
end

return blocking
