-- SPDX-License-Identifier: Apache-2.0
-- A helper for busted: full collections all the time, also within calls, so that what is freed too early shows.

local function collect()
  collectgarbage()
end

-- Hooks belong to coroutines; a new one inherits its creator's.
debug.sethook(collect, "", 3000)
collectgarbage("incremental", 100, 400, 1)
