-- SPDX-License-Identifier: Apache-2.0
-- Whether the kill matrix notices machines that are broken on purpose (mutants.lua): each must draw a complaint.
--   RUN_UNDER="env LD_PRELOAD=build/lua5.4/boundary.so" scripts/run lua5.4 spec/rotation/mutant_matrix.lua [NAME...]

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local explore = require "spec.rotation.explore"
local mutants = require "spec.rotation.mutants"
local scenarios = require "spec.rotation.scenarios"
local World = require "spec.rotation.world"

-- Where a mutant shows; "project" if not here.
local scenario_of = {
  ["lets a key disable itself"] = "own",
  ["leaves the new key when it goes back"] = "project_back",
  ["disables the new key at once when it goes back"] = "project_back",
}

local worlds, starts = {}, {}

local function world_of(name)
  if not worlds[name] then
    worlds[name] = World.new(scenarios[name])
    starts[name] = worlds[name]:capture(0, "forward")
  end
  worlds[name]:restore(starts[name])
  return worlds[name]
end

local names, missed = { (unpack or table.unpack)(arg) }, 0 -- luacheck: globals unpack table.unpack
if #names == 0 then
  for name in pairs(mutants) do
    names[#names + 1] = name
  end
  table.sort(names)
end

for _, name in ipairs(names) do
  local ok, report = pcall(explore.run, world_of(scenario_of[name] or "project"), mutants[name])
  local complaint = ok and report.complaints[1] or not ok and "raised: " .. tostring(report) or "nothing"
  local caught = ok and complaint ~= "nothing" and not complaint:find "^raised:"
  missed = missed + (caught and 0 or 1)
  print(("%-48s %s: %s"):format(name, caught and "noticed" or "MISSED", complaint))
end

for _, world in pairs(worlds) do
  world:close()
end
print(("%d mutants, %d missed"):format(#names, missed))
os.exit(missed == 0 and 0 or 1)
