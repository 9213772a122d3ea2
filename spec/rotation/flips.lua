-- SPDX-License-Identifier: Apache-2.0
-- Flipped bits: in the record, the escrow and the store, at each state that an undisturbed run passes.

local canon = require "spec.rotation.canon"
local carry_on = require "spec.rotation.carry_on"
local disk = require "spec.rotation.disk"
local trial = require "spec.rotation.trial"

local flips = {}

-- Where in a file: a part of its length.
local PLACES = { 0.01, 0.5, 0.97 }

local function flip(content, part)
  local at = math.max(1, math.floor(#content * part))
  local byte = content:byte(at)
  return content:sub(1, at - 1) .. string.char(byte % 2 == 0 and byte + 1 or byte - 1) .. content:sub(at + 1)
end

-- The states that an undisturbed run passes, each once.
local function passed(world, start)
  local list, last = {}, nil
  trial.run(world, start, { action = "ask" }, function(number, what, path)
    if number == 1 or what == "send" or what == "sync" and path == world.state_dir then
      local files = disk.read(world.roots)
      if not last or not canon.is_same(files, last) then
        list[#list + 1] = world:capture(0, "forward")
        list[#list].story = ("at %d, %s %s"):format(number, what, path)
        last = files
      end
    end
  end)
  return list
end

local function kind_of(world, path)
  for _, store in ipairs(world.stores) do
    if path == store then
      return "stores"
    end
  end
  local kind = path:match "/(%l+),[^/]*$"
  return (kind == "records" or kind == "escrows") and kind or nil
end

-- What took effect on keys.
local function changed(world)
  for _, entry in ipairs(assert(world.service:log())) do
    if entry.change then
      return true
    end
  end
  return false
end

-- A damaged record stops its rotation, and the message names it. Nothing is changed.
local function judge_record(world, state, path, complain)
  local result = trial.run(world, state, {})
  if not result.err then
    complain(("went on with a damaged record (%s)"):format(tostring(result.state)))
  elseif not result.err.message:find(path:match "[^/]*$", 1, true) then
    complain("the error does not name the damaged record: " .. result.err.message)
  end
  if changed(world) then
    complain "changed keys with a damaged record"
  end
end

-- A damaged escrow or store: whatever is done, the old key goes only when what the stores hold works.
local function judge_rest(world, state, kind, complain)
  local last = carry_on.run(world, state, function(list)
    for _, text in ipairs(list) do
      if kind == "escrows" or text:find "the old key goes" then
        complain(text)
      end
    end
  end)
  if kind == "escrows" then
    for _, text in ipairs(world.watch:instant(world:view(last.state))) do
      complain(text)
    end
  end
  return last
end

---Flips bits in everything.
---@param world table
---@param start table the state to begin with
---@param complain fun(text: string, story: string)
---@return table count { total, records, escrows, stores }
function flips.run(world, start, complain)
  local count = { total = 0, records = 0, escrows = 0, stores = 0 }
  for _, state in ipairs(passed(world, start)) do
    for path, entry in pairs(state.files) do
      local kind = kind_of(world, path)
      for _, part in ipairs(kind and entry.content:byte() ~= 0 and PLACES or {}) do
        local files = {}
        for name, other in pairs(state.files) do
          files[name] = other
        end
        files[path] = { kind = entry.kind, mode = entry.mode, content = flip(entry.content, part) }
        local function tell(text)
          complain(text, ("a bit flipped in %s, %g of its length, %s"):format(path, part, state.story))
        end
        local damaged = world:derive(state, { files = files })
        count.total, count[kind] = count.total + 1, count[kind] + 1
        if kind == "records" then
          judge_record(world, damaged, path, tell)
        else
          judge_rest(world, damaged, kind, tell)
        end
      end
    end
  end
  return count
end

return flips
