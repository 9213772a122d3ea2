-- SPDX-License-Identifier: Apache-2.0
-- Machines that are broken on purpose (virtual/mutants.lua), in virtual time: the run of the seed on record beside each
-- must draw a complaint, which it does not draw of the machine as it is. Where a change has made such a run another
-- one, a search finds a new seed.
--   scripts/run lua5.4 spec/rotation/virtual_mutant_matrix.lua [NAME [FIRST LAST]]    FIRST LAST: the seeds of a search

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local mutants = require "spec.rotation.virtual.mutants"
local process = require "spec.process"
local runs = require "spec.rotation.virtual.run"
local sandbox = require "confidentai.sandbox"

-- The name under which the machine as it is takes part.
local NONE = "none"

-- Carries out a function with runs on a sandbox of their own.
local function with_runs(work)
  local folder = runs.folder()
  local service = assert(sandbox.start { projects = { "web" }, seed = 1, witness_folder = folder })
  local all = runs.new(service, folder)
  local result = work(all)
  all:finish()
  service:stop()
  return result
end

-- Breaks this process's machine, and looks for a run that shows it. True: there is one.
local function try(name, first, last)
  return with_runs(function(all)
    mutants[name].apply()
    for seed = first, last do
      local complaint = all:run(seed)[1]
      assert(not (complaint or ""):find("mutants.lua", 1, true), complaint) -- a mutant that fails shows nothing
      if complaint then
        print(("%-40s noticed with seed %d: %s"):format(name, seed, complaint))
        return true
      end
    end
    print(("%-40s MISSED"):format(name))
    return false
  end)
end

-- The same runs, of the machine as it is. True: they draw no complaint.
local function try_none()
  return with_runs(function(all)
    local fine = true
    for name, mutant in pairs(mutants) do
      for _, complaint in ipairs(all:run(mutant.seed)) do
        print(("%-40s BROKEN: seed %d, of '%s': %s"):format(NONE, mutant.seed, name, complaint))
        fine = false
      end
    end
    return fine
  end)
end

if arg[1] then
  local found
  if arg[1] == NONE then
    found = try_none()
  else
    local first = tonumber(arg[2]) or mutants[arg[1]].seed
    found = try(arg[1], first, tonumber(arg[3]) or first)
  end
  os.exit(found and 0 or 1)
end

local names, missed = { NONE }, 0
for name in pairs(mutants) do
  names[#names + 1] = name
end
table.sort(names)
for _, name in ipairs(names) do
  local child = process.start(process.interpreter(), { "spec/rotation/virtual_mutant_matrix.lua", name })
  local status = child:wait(600000)
  child:finish()
  io.write(child.output, child.errors)
  missed = missed + (status == 0 and 0 or 1)
end
print(("%d mutants, %d missed"):format(#names - 1, missed))
os.exit(missed == 0 and 0 or 1)
