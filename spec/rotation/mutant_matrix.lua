-- SPDX-License-Identifier: Apache-2.0
-- Whether the kill matrix notices machines that are broken on purpose (mutants.lua): each must draw a complaint.
--   RUN_UNDER="env LD_PRELOAD=build/lua5.4/boundary.so" scripts/run lua5.4 spec/rotation/mutant_matrix.lua [NAME...]

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local explore = require "spec.rotation.explore"
local mutants = require "spec.rotation.mutants"
local scenarios = require "spec.rotation.scenarios"
local trial = require "spec.rotation.trial"
local World = require "spec.rotation.world"

-- Where a mutant shows; "project" if not here.
local scenario_of = {
  ["lets a key disable itself"] = "own",
  ["leaves the new key when it goes back"] = "project_back",
  ["disables the new key at once when it goes back"] = "project_back",
}

-- What shows by a key only whose create has lost its answer begins where there is one: from the start, the matrix comes
-- there after minutes.
local begins_late = {
  ["disables keys in quarantine only"] = true, ["leaves keys in quarantine behind"] = true,
  ["takes every key for gone"] = true, ["takes no key for its own"] = true,
  ["removes a key at once, without a look"] = true,
}

local worlds, starts, late_starts = {}, {}, {}

-- Kills a run where the service has made the key, and its answer has not come.
local function lose_answer(world, start)
  local function count()
    return #assert(world.service:state()).keys
  end
  local before, at = count(), nil
  trial.run(world, start, { action = "ask" }, function(number)
    at = at or count() > before and number or nil
  end)
  local result = trial.run(world, start, { action = "kill", at = assert(at, "no key was made") })
  assert(result.killed and count() > before, "the run was not killed where its key was made")
  return world:capture(0, "forward")
end

local function world_of(name, late)
  if not worlds[name] then
    worlds[name] = World.new(scenarios[name])
    starts[name] = worlds[name]:capture(0, "forward")
  end
  if late and not late_starts[name] then
    late_starts[name] = lose_answer(worlds[name], starts[name])
  end
  worlds[name]:restore((late and late_starts or starts)[name])
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
  local world = world_of(scenario_of[name] or "project", begins_late[name])
  local ok, report = pcall(explore.run, world, mutants[name])
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
