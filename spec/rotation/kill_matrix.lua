-- SPDX-License-Identifier: Apache-2.0
-- The kill matrix (explore.lua says what it does) for scenarios of scenarios.lua:
--   RUN_UNDER="env LD_PRELOAD=build/lua5.4/boundary.so" scripts/run lua5.4 spec/rotation/kill_matrix.lua SCENARIO...

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local explore = require "spec.rotation.explore"
local scenarios = require "spec.rotation.scenarios"
local uv = require "luv"
local World = require "spec.rotation.world"

local failed = false

for _, name in ipairs(arg) do
  local started = uv.hrtime()
  local world = World.new(assert(scenarios[name], "no such scenario: " .. name))
  local ok, report = pcall(explore.run, world)
  world:close()
  assert(ok, report)
  local count, ends = report.count, {}
  for ended, times in pairs(report.endings) do
    ends[#ends + 1] = ("%s %d"):format(ended, times)
  end
  table.sort(ends)
  local line = "%-14s %d boundaries undisturbed, all killed at; %d distinct states, each resumed: %d boundaries "
    .. "judged, %d kills; %d power cuts that lose something, %d of them to a state that no kill leaves; ends: %s; "
    .. "%.0f s"
  print(line:format(name, count.first, count.states, count.boundaries, count.kills, count.lossy, count.cuts,
    table.concat(ends, ", "), (uv.hrtime() - started) / 1e9))
  for _, complaint in ipairs(report.complaints) do
    print("  " .. complaint)
  end
  failed = failed or #report.complaints > 0
end

os.exit(failed and 1 or 0)
