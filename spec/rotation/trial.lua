-- SPDX-License-Identifier: Apache-2.0
-- One run of the library, in a process of its own that really dies when it is killed.

local boundary = require "boundary"
local cjson = require "cjson"
local confidentai = require "confidentai"
local disk = require "spec.rotation.disk"
local endings = require "spec.rotation.endings"
local files = require "spec.files"
local nursery = require "spec.rotation.nursery"

-- Loaded before the fork: a child has better things to do.
require "confidentai.rotation"
for _, kind in ipairs { "file", "env_file" } do
  assert(confidentai.store[kind])
end

local trial = {}

local function plain(err)
  return type(err) == "table" and { kind = err.kind, message = err.message, state = err.state, outcome = err.outcome }
    or err and { kind = "raised", message = tostring(err) } or nil
end

-- What a rotation that was just advanced came to.
local function outcome(rotation, state, wait)
  if not state then
    return { err = plain(wait) }
  end
  return { state = state, wait = wait, reason = rotation:status().reason }
end

-- Advances what is under way; where nothing was ever begun, begins.
local function go_on(world, api_keys, given, intent)
  local list, err, problems = confidentai.rotation.open(given.client, given.open)
  if not list or problems[1] then
    return { err = plain(err or problems[1]) }
  elseif list[1] and intent == "back" then
    local state, problem = list[1]:rollback()
    return outcome(list[1], state, state and list[1]:status().due or problem)
  elseif list[1] then
    return outcome(list[1], list[1]:advance())
  elseif endings.records(world.watch, { files = given.files })[1] then
    return { idle = true }
  end
  local rotation, problem = api_keys:rotate(world.what.old_id, given.rotate)
  return rotation and { state = rotation.state, wait = 0 } or { err = plain(problem) }
end

local function common(world, moved, more)
  local clock = world.start + tonumber(moved)
  local given = { state_dir = world.state_dir, clock = function() return clock end,
    pause = function(seconds) return nil, { kind = "wait", message = ("waits %g s"):format(seconds) } end }
  for name, value in pairs(more) do
    given[name] = value
  end
  return given
end

-- The life of a run, which may be killed: its result is a file.
local function live(world, mutate, order, out, into)
  local action, at, moved, intent = order:match "^(%l+) (%d+) (%S+) (%l+)$"
  boundary.use_fresh_memory()
  boundary.redirect(world.output)
  if mutate then
    mutate()
  end
  local scenario = world.scenario
  local client = confidentai.check(confidentai.new {
    api_key = scenario.credential(world), base_url = world.service.base_url, timeout = 60, max_retries = 0, proxy = "",
  })
  local rotate = common(world, moved, scenario.options)
  rotate.store = scenario.stores(world)
  local given = { client = client, files = disk.read(world.roots), rotate = rotate, open = common(world, moved, {}) }
  boundary.arm(action, tonumber(at), out, into)
  local ok, result = pcall(go_on, world, scenario.api_keys(client, world), given, intent)
  local count = boundary.disarm()
  result = ok and result or { err = plain(result) }
  result.boundaries = count
  files.write(world.output .. ".result", cjson.encode(result))
  boundary.leave(0)
end

-- The process that forks the runs of a world; a machine that is broken on purpose has one of its own.
local function nursery_of(world, mutate)
  local kept = world.nursery
  if kept and kept.mutate ~= mutate then
    kept:close()
    kept = nil
  end
  if not kept then
    kept = nursery.new(function(order, out, into) live(world, mutate, order, out, into) end)
    kept.mutate, world.nursery = mutate, kept
  end
  return kept
end

---Runs the library from a state.
---@param world table
---@param state table
---@param orders { action: string?, at: integer?, mutate: function? }
---@param meet? fun(number: integer, what: string, path: string, pid: integer) at each boundary, with action "ask"
---@return table result { state, wait, err, idle, boundaries } or { killed = true }
function trial.run(world, state, orders, meet)
  world:restore(state)
  os.remove(world.output .. ".result")
  local order = ("%s %d %.17g %s"):format(orders.action or "count", orders.at or 0, state.moved, state.intent)
  local status, signal = nursery_of(world, orders.mutate):run(order, meet)
  if signal == 9 and orders.action == "kill" then
    return { killed = true }
  elseif status ~= 0 then
    error(("the run ended with status %d, signal %d:\n%s"):format(status, signal, tostring(files.read(world.output))))
  end
  return cjson.decode(files.read(world.output .. ".result"))
end

---What the last run has put out.
---@param world table
---@return string
function trial.output(world)
  return files.read(world.output) or ""
end

return trial
