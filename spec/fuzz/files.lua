-- SPDX-License-Identifier: Apache-2.0
-- Damages what the Lua layer reads from files, people and programs, and sees what it makes of it:
--   scripts/run lua5.4 spec/fuzz/files.lua [CASE...]    see runner.lua for how long, and how to repeat

local runner = require "spec.fuzz.runner"

local cases, names = {}, {}
for _, file in ipairs { "state", "dotenv", "text" } do
  for name, case in pairs(require("spec.fuzz.files." .. file)) do
    cases[name] = case
    names[#names + 1] = name
  end
end
table.sort(names) -- so that a seed means the same each time
if arg[1] then
  names = arg
end

runner.run("scripts/run lua5.4 spec/fuzz/files.lua " .. table.concat(arg, " "), names, function(name, random)
  cases[name](random)
end)
