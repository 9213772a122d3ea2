-- SPDX-License-Identifier: Apache-2.0
-- One run of the library, in a process of its own that really dies when it is killed.

local boundary = require "boundary"
local cjson = require "cjson"
local confidentai = require "confidentai"
local endings = require "spec.rotation.endings"
local files = require "spec.files"

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

local function common(world, state, more)
  local clock = world.start + state.moved
  local given = { state_dir = world.state_dir, clock = function() return clock end,
    pause = function(seconds) return nil, { kind = "wait", message = ("waits %g s"):format(seconds) } end }
  for name, value in pairs(more) do
    given[name] = value
  end
  return given
end

-- The child's life.
local function live(world, state, orders, out, into)
  collectgarbage "stop" -- it would write to every page that is shared with the parent, whose memory is large
  boundary.redirect(world.output)
  local scenario = world.scenario
  if orders.mutate then
    orders.mutate()
  end
  local client = confidentai.check(confidentai.new {
    api_key = scenario.credential(world), base_url = world.service.base_url, timeout = 5, max_retries = 0, proxy = "",
  })
  local rotate = common(world, state, scenario.options)
  rotate.store = scenario.stores(world)
  local given = { client = client, files = state.files, rotate = rotate, open = common(world, state, {}) }
  boundary.arm(orders.action or "count", orders.at or 0, out, into)
  local ok, result = pcall(go_on, world, scenario.api_keys(client, world), given, state.intent)
  local count = boundary.disarm()
  result = ok and result or { err = plain(result) }
  result.boundaries = count
  files.write(world.output .. ".result", cjson.encode(result))
  boundary.leave(0)
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
  local pid, out, into = boundary.spawn()
  if pid == 0 then
    pcall(live, world, state, orders, out, into)
    boundary.leave(1)
  end
  for line in function() return meet and boundary.read(out) end do
    local number, what, path = line:match "^(%d+) (%l+) (.*)$"
    meet(tonumber(number), what, path, pid)
    boundary.write(into, "g")
  end
  local status, signal = boundary.wait(pid)
  boundary.close(out)
  boundary.close(into)
  if signal == 9 and orders.action == "kill" then
    return { killed = true }
  elseif status ~= 0 then
    error(("the run ended with status %s, signal %s:\n%s"):format(tostring(status), tostring(signal),
      tostring(files.read(world.output))))
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
