-- SPDX-License-Identifier: Apache-2.0
-- The disk matrix, for scenarios of scenarios.lua: at each operation on files of an undisturbed run it fails once for
-- want of space, once with an I/O error, a write is short; the disk stays full, or broken, from there on. Then a bit
-- flips in each file at each state. What follows is carried on without faults, and judged by the oracle.
--   RUN_UNDER="env LD_PRELOAD=build/lua5.4/boundary.so" scripts/run lua5.4 spec/rotation/disk_matrix.lua SCENARIO...

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local carry_on = require "spec.rotation.carry_on"
local flips = require "spec.rotation.flips"
local scenarios = require "spec.rotation.scenarios"
local trial = require "spec.rotation.trial"
local uv = require "luv"
local World = require "spec.rotation.world"

local FAULTS = { "enospc", "eio", "short", "full", "broken" }

local ENDS = { done = true, aborted = true, ambiguous = true }

-- Errors that a disk may bring about.
local KINDS = { state = true, store = true }

local complaints = 0

local function complain(text, story)
  complaints = complaints + 1
  print(("  %s\n    after: %s"):format(text, story))
end

-- The operations on files of a run, by the numbers of their boundaries.
local function operations(world, start)
  local list, met = {}, {}
  local result = trial.run(world, start, { action = "ask" }, function(number, what, path)
    met[number] = true
    if what ~= "send" and what ~= "answer" then
      list[#list + 1] = { number = number, what = what, text = ("%d, %s %s"):format(number, what, path) }
    end
  end)
  assert(result.state == "done", "the undisturbed run is not done")
  for number = 1, result.boundaries do
    if not met[number] then -- those of locks are not told
      list[#list + 1] = { number = number, what = "lock", text = ("%d, a lock"):format(number) }
    end
  end
  return list
end

-- Whether a run may go on as if nothing had happened: locks are signed for people only; a lock file that cannot be made
-- and a reserved file that cannot be used have a way around; a full disk may be met by nobody; the escrow is
-- overwritten before its name goes, with or without another name.
local function may_be_ignored(fault, operation)
  local name = operation.text:match "[^/]*$"
  return fault == "full" or operation.what == "lock" or name == ".confidentai.lock" or name:find "^%.spare%-"
    or operation.what == "rename" and name:find "^%.confidentai%-"
end

-- One fault; then the rest, if what it left is new.
local function try(world, start, fault, operation, seen)
  local story = ("%s at %s"):format(fault, operation.text)
  local result = trial.run(world, start, { action = fault, at = operation.number })
  local left = world:capture(0, "forward")
  local function judge(list)
    for _, text in ipairs(list) do
      complain(text, story)
    end
  end
  judge(world.watch:changes(assert(world.service:log())))
  judge(world.watch:instant(world:view(left)))
  if result.err and not KINDS[result.err.kind] then
    complain(("%s: %s"):format(result.err.kind, result.err.message), story)
  elseif not result.err and not ENDS[result.state] then
    complain(("ended with %s, and no error"):format(tostring(result.state)), story)
  end
  if not result.err and not may_be_ignored(fault, operation) then
    complain("nobody noticed", story)
  end
  if not seen[left.canon] then
    seen[left.canon] = true
    local last = carry_on.run(world, left, judge)
    if last.err or not ENDS[last.ended] then
      complain(last.err and last.err.message or "ends with " .. tostring(last.ended), story)
    end
  end
  return result.err ~= nil
end

local function count(set)
  local total = 0
  for _ in pairs(set) do
    total = total + 1
  end
  return total
end

for _, name in ipairs(arg) do
  local started, runs, failed, seen = uv.hrtime(), 0, 0, {}
  local world = World.new(assert(scenarios[name], "no such scenario: " .. name))
  local start = world:capture(0, "forward")
  local list = operations(world, start)
  for _, operation in ipairs(list) do
    for _, fault in ipairs(FAULTS) do
      if fault ~= "short" or operation.what == "write" or operation.what == "lock" then
        runs = runs + 1
        failed = failed + (try(world, start, fault, operation, seen) and 1 or 0)
      end
    end
  end
  local line = "%-12s %d operations on files, %d faults: %d runs failed, %d went on; %d states were carried on; %.0f s"
  print(line:format(name, #list, runs, failed, runs - failed, count(seen), (uv.hrtime() - started) / 1e9))
  started = uv.hrtime()
  local flipped = flips.run(world, start, complain)
  print(("%-12s %d bits flipped: %d in records, %d in escrows, %d in stores; %.0f s"):format(name, flipped.total,
    flipped.records, flipped.escrows, flipped.stores, (uv.hrtime() - started) / 1e9))
  world:close()
end

os.exit(complaints == 0 and 0 or 1)
