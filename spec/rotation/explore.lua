-- SPDX-License-Identifier: Apache-2.0
-- The kill matrix of one scenario: kills at every boundary, in the run, in the resume, in the resume of that, and so
-- on, until no state appears that was not there before.
--
-- Each state (service, files, clock) is resumed once under observation: the run stops at each boundary, and what a kill
-- would leave there is looked at and judged. Where that is a new state, a run is really killed there, and what it
-- leaves must be what was observed; that state is resumed in its turn. In undisturbed runs every boundary is killed at,
-- whether its state is new or not; in resumed ones a sample of those whose state is known. What a power cut would leave
-- at a boundary is resumed as well, where it is a new state.

local Power = require "spec.rotation.power"
local canon = require "spec.rotation.canon"
local control = require "spec.rotation.control"
local disk = require "spec.rotation.disk"
local secrets = require "spec.rotation.secrets"
local trial = require "spec.rotation.trial"

local Explore = {}
Explore.__index = Explore

local explore = {}

-- Seconds after which nobody looks for suspects any more (docs/rotation.md says 24 hours).
local AFTER_SUSPECTS = 90000

-- One of so many boundaries of resumed runs is killed at although its state is known, another one in each run.
local SAMPLE = 97

-- Complaints after which it is enough.
local MOST_COMPLAINTS = 20

local NAMED_STOPS = { done = true, ambiguous = true, aborted = true }

function Explore:complain(state, text)
  self.complaints[#self.complaints + 1] = ("%s\n    after: %s"):format(text, state.story)
  if #self.complaints >= (self.mutate and 1 or MOST_COMPLAINTS) then
    error "too many complaints"
  end
end

function Explore:judge(state, list)
  for _, text in ipairs(list) do
    self:complain(state, text)
  end
end

-- Puts a state in the queue, if it is new.
function Explore:add(state, story, kind)
  if self.seen[state.canon] then
    return false
  end
  self.seen[state.canon] = true
  state.story, state.kind = story, kind
  self.queue[#self.queue + 1] = state
  self.count.states = self.count.states + 1
  return true
end

-- Nothing of a secret in what the process shows to others.
local function look_at_process(self, state, pid)
  local texts = {}
  for _, name in ipairs { "cmdline", "environ" } do
    local file = io.open(("/proc/%d/%s"):format(pid, name), "rb")
    if file then
      texts[name] = file:read "*a"
      file:close()
    end
  end
  self:judge(state, self.world.watch.texts(texts, self.world:view(state)))
end

local changes_nothing = { send = true, answer = true, sync = true, chmod = true }

-- Boundaries of locks, about which nobody is asked: they leave what the next one finds.
local function fill(points, last, point)
  for number = (last.number or 0) + 1, point.number - 1 do
    points[number] = { number = number, did = "lock", what = ("%d, a lock"):format(number), moved = point.moved,
      intent = point.intent, files = point.files, snapshot = point.snapshot, durable = point.durable,
      lossy = point.lossy, same = point.same, same_cut = point.same_cut }
    point.same, point.same_cut = true, true
  end
end

-- Follows what the boundaries of a run change. `same`: nothing that makes a difference since the boundary before.
local function follow_changes(self, state, points)
  local world = self.world
  local power, last, stale = nil, {}, true
  return function(number, what, path, pid)
    local sent = last.did == "send" or not power
    local point = { number = number, did = what, what = ("%d, %s %s"):format(number, what, path), moved = state.moved,
      intent = state.intent, files = stale and disk.read(world.roots) or last.files, lossy = last.lossy,
      snapshot = sent and control.snapshot(world.service) or last.snapshot }
    power = power or Power.new(point.files)
    point.durable = (stale or last.did == "sync") and power:cut(point.files) or last.durable
    point.same = not sent and canon.is_same(point.files, last.files)
    point.same_cut = not sent and canon.is_same(point.durable, last.durable)
    if point.files ~= last.files or point.durable ~= last.durable then
      point.lossy = not canon.is_same(point.files, point.durable)
    end
    if what == "sync" then
      power:sync(point.files, path)
    end
    stale = not changes_nothing[what]
    fill(points, last, point)
    points[number], last = point, point
    if number == 1 and pid then
      look_at_process(self, point, pid)
    end
  end
end

-- Runs from a state, stopping at each boundary: the boundaries, each with what a kill would leave.
function Explore:observe(state)
  local points = {}
  local meet = follow_changes(self, state, points)
  local result = trial.run(self.world, state, { action = "ask", mutate = self.mutate }, meet)
  if result.boundaries == 0 and self.count.observed == 0 then
    error "nothing was counted: is boundary.so preloaded?"
  end
  meet(result.boundaries + 1, "end", "") -- locks may have come last
  points[result.boundaries + 1] = nil
  self.count.observed = self.count.observed + 1
  self.count.boundaries = self.count.boundaries + #points
  return points, result
end

-- Kills a run at a boundary. What it leaves is what was observed there.
function Explore:kill(state, point)
  local result = trial.run(self.world, state, { action = "kill", at = point.number, mutate = self.mutate })
  self.count.kills = self.count.kills + 1
  local left = self.world:capture(state.moved, state.intent)
  if not result.killed then
    self:complain(state, ("was to be killed at %s, and was not"):format(point.what))
  elseif left.canon ~= point.canon then
    self:complain(state, ("killed at %s it left another state than was observed:\n%s\n--- observed:\n%s"):format(
      point.what, left.canon, point.canon))
  end
  return left
end

-- What must be true at any moment.
function Explore:look(state)
  if not self.looked[state.canon] then
    self.looked[state.canon] = true
    self:judge(state, self.world.watch:instant(self.world:view(state)))
  end
end

-- What is the same for boundaries in a row is found out once.
local function complete(self, point, last)
  point.canon = point.same and last.canon or self.world.canon:text(point)
  if point.lossy then
    point.cut = point.same_cut and last.cut or self.world:derive(point, { files = point.durable })
  end
end

local function story_of(state, point, how)
  return ("%s; %s at %s"):format(state.story, how, point.what)
end

-- Each boundary of a run that was observed.
function Explore:expand(state, points)
  local undisturbed = state.kind == "undisturbed" and not self.mutate
  for _, point in ipairs(points) do
    complete(self, point, points[point.number - 1])
    point.story = story_of(state, point, "stopped")
    self:look(point)
    local sampled = (point.number + self.count.observed) % SAMPLE == 0 and not self.mutate
    if undisturbed or sampled or not self.seen[point.canon] then
      local left = self:kill(state, point)
      self:add(left, story_of(state, point, "killed"), "killed")
    end
    self.count.lossy = self.count.lossy + (point.cut and 1 or 0)
    if point.cut and self:add(point.cut, story_of(state, point, "power cut"), "cut") then
      self.count.cuts = self.count.cuts + 1
      self:look(point.cut)
    end
    if state.kind == "undisturbed" and self.world.scenario.back and state.intent == "forward" then
      local back = self.world:derive(point, { intent = "back" })
      self:add(back, story_of(state, point, "rolled back after it was killed"), "killed")
    end
  end
end

-- What a run came to: it has ended, or another one follows.
function Explore:follow(state, result)
  local left = self.world:capture(state.moved, state.intent)
  left.story = state.story
  local view = self.world:view(left)
  self:judge(left, self.world.watch:instant(view))
  self:judge(left, self.world.watch:changes(assert(self.world.service:log()), self.world:view(state)))
  self:judge(left, self.world.watch.texts({ output = trial.output(self.world) }, view))
  local ended = result.state
  if result.err then
    if state.intent == "back" and result.err.kind == "guard" then -- too late for that
      self:add(self.world:derive(left, { intent = "forward" }), state.story .. "; refused to go back", "killed")
    else
      self:complain(state, ("%s: %s"):format(result.err.kind, result.err.message))
    end
  elseif result.idle then
    self:finish(left, nil)
  elseif result.wait or not NAMED_STOPS[ended] then
    local wait = NAMED_STOPS[ended] and AFTER_SUSPECTS or result.wait
    if not wait then
      self:complain(state, ("stopped: %s"):format(ended))
      return
    end
    self:judge(left, self.world.watch:ending(view))
    local later = self.world:derive(left, { moved = left.moved + wait })
    if not self:add(later, ("%s; then %s, %g s later"):format(state.story, ended, wait), state.kind) and wait == 0
      and later.canon == state.canon then
      self:complain(state, "a run changes nothing, and says that there is more to do")
    end
  else
    self:finish(left, ended)
  end
end

-- The end of everything: nothing is under way.
function Explore:finish(state, ended)
  local view = self.world:view(state)
  self:judge(state, self.world.watch:ending(view, ended))
  ended = ended or self.world.watch:claims(view) or "nothing"
  self.endings[ended] = (self.endings[ended] or 0) + 1
  if not NAMED_STOPS[ended] then
    self:complain(state, "ends with " .. ended)
  elseif state.kind == "undisturbed" and ended ~= "done" then
    self:complain(state, "undisturbed, and not done, but " .. ended)
  end
  for path, entry in pairs(state.files) do
    local key = entry.content and secrets.find(entry.content, view.keys)
    if key and path:find(self.world.state_dir, 1, true) then
      self:complain(state, path .. " has a secret at the end")
    end
  end
end

---Explores a world.
---@param world table
---@param mutate? function breaks the machine, to see that it is noticed; then the first complaint ends everything
---@return { complaints: string[], count: table, endings: table<string, integer> } report
function explore.run(world, mutate)
  local self = setmetatable({
    world = world, mutate = mutate, seen = {}, looked = {}, queue = {}, complaints = {}, endings = {},
    count = { states = 0, observed = 0, boundaries = 0, kills = 0, cuts = 0, lossy = 0, first = 0 },
  }, Explore)
  self:add(world:capture(0, "forward"), "the start", "undisturbed")
  local ok, problem = pcall(function()
    local at = 0
    while at < #self.queue do
      at = at + 1
      local state = self.queue[at]
      local points, result = self:observe(state)
      if state.kind == "undisturbed" then
        self.count.first = self.count.first + #points
      end
      self:follow(state, result)
      self:expand(state, points)
      state.snapshot, state.files = nil, nil -- not needed any more
    end
  end)
  if not ok and #self.complaints == 0 then
    error(problem, 0)
  end
  return self
end

return explore
