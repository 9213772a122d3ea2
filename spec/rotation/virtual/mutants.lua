-- SPDX-License-Identifier: Apache-2.0
-- What decides whether a key may be taken away, broken on purpose, a point at a time. Each function breaks the machine
-- of the process that calls it.

local guard = require "confidentai.rotation.guard"

local mutants = {}

-- Replaces a local function that a function uses.
local function replace_local(f, name, value)
  for i = 1, 255 do
    local label = debug.getupvalue(f, i)
    if label == name then
      debug.setupvalue(f, i, value)
      return
    end
  end
  error(("there is no local '%s' any more"):format(name))
end

local function yes()
  return true
end

mutants["removes what a store holds"] = function()
  replace_local(guard.check, "is_unheld", yes)
end

mutants["removes what others use"] = function()
  replace_local(guard.check, "is_unused", yes)
end

mutants["removes what others made"] = function()
  guard.is_ours = yes
end

mutants["deletes at once"] = function()
  guard.watch = function() return 0 end
end

mutants["removes without the guard"] = function()
  local calls = require "confidentai.rotation.calls"
  guard.check = function(job, identity)
    local key, err = calls.get(job, identity.id)
    if key == nil then
      return nil, err
    end
    return true, key
  end
end

mutants["disables without soak"] = function()
  require("confidentai.rotation.adoption").look = function() return "adopted", "broken on purpose" end
end

mutants["disables without a look at the stores"] = function()
  require("confidentai.rotation.stores").hold_new = yes
end

return mutants
