-- SPDX-License-Identifier: Apache-2.0
-- What decides whether a key may be taken away, broken on purpose, a point at a time. Each has `apply`, which breaks
-- the machine of the process that calls it, and `seed`, of a run that shows it.

local guard = require "confidentai.rotation.guard"

local mutants = {}

-- Finds a local that a function uses: its place and its value.
local function look_for_local(f, name)
  for i = 1, 255 do
    local label, value = debug.getupvalue(f, i)
    if label == name then
      return i, value
    end
  end
  error(("there is no local '%s' any more"):format(name))
end

local function find_local(f, name)
  local _, value = look_for_local(f, name)
  return value
end

local function replace_local(f, name, value)
  debug.setupvalue(f, (look_for_local(f, name)), value)
end

local function yes()
  return true
end

mutants["removes what a store holds"] = { seed = 714, apply = function()
  replace_local(guard.check, "is_unheld", yes)
end }

mutants["removes what others use"] = { seed = 1364, apply = function()
  require("confidentai.rotation.last_used").is_unused = yes
end }

mutants["removes what others made"] = { seed = 228, apply = function()
  guard.is_ours = yes
end }

mutants["deletes at once"] = { seed = 84, apply = function()
  guard.watch = function() return 0 end
end }

mutants["removes without the guard"] = { seed = 208, apply = function()
  local calls = require "confidentai.rotation.calls"
  guard.check = function(job, identity)
    local key, err = calls.get(job, identity.id)
    if key == nil then
      return nil, err
    end
    return true, key
  end
end }

mutants["disables without soak"] = { seed = 1, apply = function()
  require("confidentai.rotation.adoption").look = function() return "adopted", "broken on purpose" end
end }

mutants["disables without a look at the stores"] = { seed = 117, apply = function()
  require("confidentai.rotation.stores").hold_new = yes
end }

mutants["takes every lastUsed for evidence"] = { seed = 119, apply = function()
  local last_used = require "confidentai.rotation.last_used"
  last_used.lag = function() return 0 end
  last_used.lag_in, last_used.is_shown = last_used.lag, yes
end }

mutants["retires what is in use"] = { seed = 47, apply = function()
  local retirement = require "confidentai.rotation.retirement"
  replace_local(retirement.work, "left", function(_, key, options, _, facts)
    return facts.since + options.soak + (key.valid and 0 or options.grace) - facts.now
  end)
end }

mutants["takes young keys for strays"] = { seed = 29, apply = function()
  local strays = require "confidentai.rotation.strays"
  local defence = find_local(strays.find, "defence")
  replace_local(find_local(defence, "sign_of_life"), "ALIVE", 0)
end }

mutants["goes back without soak"] = { seed = 9, apply = function()
  require("confidentai.rotation.rollback").LONGEST_SOAK = 0
end }

return mutants
