-- SPDX-License-Identifier: Apache-2.0
-- Runs a call in blocks, and prints microseconds per call as subjects/libcurl.c does.

return function(now, blocks, calls, call)
  local walls, cpu = {}, os.clock()
  for i = 1, blocks do
    local started = now()
    for _ = 1, calls do
      call()
    end
    walls[i] = (now() - started) / calls * 1e6
  end
  cpu = (os.clock() - cpu) / calls / blocks * 1e6
  table.sort(walls)
  print(("wall %.3f\nmedian %.3f\ncpu %.3f"):format(walls[1], walls[math.floor(blocks / 2) + 1], cpu))
end
