-- SPDX-License-Identifier: Apache-2.0
-- Waits by blocking the process, as a script expects it. A signal ends the step, so that the interpreter can see it.

local blocking = {}

---Returns when what is awaited is done.
---@param engine confidentai.Engine
---@param awaited confidentai.Call|confidentai.Group
function blocking.wait(engine, awaited)
  while not awaited:done() do
    engine:step(-1)
  end
end

return blocking
