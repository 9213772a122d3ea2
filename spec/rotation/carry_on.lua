-- SPDX-License-Identifier: Apache-2.0
-- Carries what a fault has left on to its end, without further faults, as an operator would: again and again, with the
-- clock moved on, taking away what is said to be damaged, going back where that is what the message says.

local trial = require "spec.rotation.trial"

local carry_on = {}

local AFTER_SUSPECTS = 90000 -- seconds; suspects are looked for during 24 hours

local ENDS = { done = true, aborted = true, ambiguous = true, name_altered = true }

-- More runs than any rotation takes.
local MOST_RUNS = 30

-- What an operator does about an error, or what a stop says; nil: there is nothing to be done.
local function answer(message)
  local damaged = message:match "(/%S+) is damaged" or message:match "(/%S+) belongs to another key"
  if damaged then
    return "remove", damaged
  elseif message:find "rollback" then
    return "back"
  end
end

-- The state after one run; nil and its end when there is no further one.
local function follow(world, state, result)
  local left = world:capture(state.moved, state.intent)
  local stopped = result.state == "conflict" and answer(result.reason) == "remove"
  if result.err or stopped then
    local act, path = answer(stopped and result.reason or result.err.message)
    if act == "remove" then
      local files = {}
      for name, entry in pairs(left.files) do
        if name ~= path then
          files[name] = entry
        end
      end
      return world:derive(left, { files = files })
    elseif act == "back" and state.intent ~= "back" then
      return world:derive(left, { intent = "back" })
    end
    return nil, { state = left, err = result.err }
  elseif result.idle then
    return nil, { state = left, ended = world.watch:claims(world:view(left)) }
  elseif result.wait then
    local wait = ENDS[result.state] and AFTER_SUSPECTS or result.wait
    return world:derive(left, { moved = left.moved + wait })
  end
  return nil, { state = left, ended = result.state }
end

---Runs until there is nothing more to be done.
---@param world table
---@param state table
---@param judge fun(complaints: string[], state: table) told what the oracle says after each run
---@return { state: table, ended: string?, err: table? } last
function carry_on.run(world, state, judge)
  for _ = 1, MOST_RUNS do
    local result = trial.run(world, state, {})
    judge(world.watch:changes(assert(world.service:log())), state)
    local following, last = follow(world, state, result)
    if not following then
      judge(world.watch:ending(world:view(last.state), last.err and "an error" or last.ended), last.state)
      return last
    end
    state = following
  end
  return { state = state, err = { kind = "harness", message = "there is no end" } }
end

return carry_on
