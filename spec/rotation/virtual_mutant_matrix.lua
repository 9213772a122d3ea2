-- SPDX-License-Identifier: Apache-2.0
-- Whether runs in virtual time notice machines that are broken on purpose (virtual/mutants.lua): each must draw a
-- complaint within so many runs.
--   scripts/run lua5.4 spec/rotation/virtual_mutant_matrix.lua [NAME]

package.path = "./?.lua;" .. package.path
io.stdout:setvbuf "line"

local mutants = require "spec.rotation.virtual.mutants"
local process = require "spec.process"
local runs = require "spec.rotation.virtual.run"
local sandbox = require "confidentai.sandbox"

-- Runs of each before it counts as missed.
local MOST = 150

-- Breaks this process's machine, and runs until something is noticed.
local function try(name)
  local folder = runs.folder()
  local service = assert(sandbox.start { projects = { "web" }, seed = 1, witness_folder = folder })
  local all = runs.new(service, folder)
  mutants[name]()
  local complaint
  for seed = 1, MOST do
    complaint = all:run(seed)[1]
    if complaint then
      print(("%-40s noticed with seed %d: %s"):format(name, seed, complaint))
      break
    end
  end
  all:finish()
  service:stop()
  if not complaint then
    print(("%-40s MISSED"):format(name))
  end
  os.exit(complaint and 0 or 1)
end

if arg[1] then
  try(arg[1])
end

local names, missed = {}, 0
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
print(("%d mutants, %d missed"):format(#names, missed))
os.exit(missed == 0 and 0 or 1)
