-- SPDX-License-Identifier: Apache-2.0
-- Runs a rotation with faults, again without, until it ends, and judges both. For matrix_spec.lua.

local confidentai = require "confidentai"
local disturbances = require "spec.rotation.disturbances"
local judge = require "spec.rotation.judge"
local memory = require "spec.rotation.memory"
local oracle = require "spec.rotation.oracle"
local scene = require "spec.rotation.scene"
local sealed = require "confidentai.rotation.sealed"

local Matrix = {}
Matrix.__index = Matrix

local matrix = {}

local DAY = 86400

-- From how many sequences on each fault is tried alone with every kind of rotation; below, with a project's only.
local ALL = 5000

-- Where a rotation may end or stop when nobody but the service misbehaves; and when somebody else is at work, too.
local ENDS = { done = true, aborted = true, ambiguous = true, name_altered = true }
local STOPS = { conflict = true, superseded = true, stalled = true, needs_store = true }

-- What is rotated. How many requests that takes, undisturbed, is counted by `matrix.new`.
local kinds = {
  { name = "project", scope = "project", store = "key", soak = 0, grace = 0 },
  { name = "self", scope = "organization", store = "manager", soak = 0, grace = 0, own = true },
  { name = "waiting", scope = "project", store = "key", soak = 600, grace = 1200 },
}

local count_requests

---A matrix on a sandbox that runs.
function matrix.new(service)
  local self = setmetatable({ service = service, stage = scene.make(service), starts = {} }, Matrix)
  assert(service:reset())
  local _, managers = self.stage:on_service "organization"
  self.other = managers["2"].value -- another manager's key, with which anybody may resume
  for i, kind in ipairs(kinds) do
    assert(service:reset())
    local keys = self.stage:keys(kind.scope)
    -- Look-alikes, which have to survive. What is rotated is the last of them.
    for _, name in ipairs { "svc-2", "svc~g1~abcdefgh", "svc~g1~", "svcx~g9~abcdefgh", "svc" } do
      local key = confidentai.check(keys:create(name))
      self.starts[i] = { id = key.id, secret = key.value }
    end
    self.starts[i].snapshot = assert(service:snapshot())
  end
  for i, kind in ipairs(kinds) do
    kind.requests = count_requests(self, i)
  end
  return self
end

function Matrix:finish()
  self.stage:finish()
end

-- Everything as at the start.
local function prepare(self, which)
  local start, kind, stage = self.starts[which], kinds[which], self.stage
  stage.ahead = 0
  assert(self.service:restore(start.snapshot))
  assert(self.service:set_clock(0))
  stage:store(kind.store, start.secret)
  return {
    oracle = oracle.watch(self.service, { scope = kind.scope, old_id = start.id, base = "svc", state_dir = stage.folder,
      project_id = kind.scope == "project" and self.service.projects[1].id or nil,
      stores = { stage:path(kind.store) } }), -- the service is a witness of the stores from here on
    kind = kind, start = start, state = memory.new(), texts = {},
    watch = { old = ("%s %.0f"):format(kind.scope, start.id), pattern = "^svc~g%d+~%w+$", named = {},
      before = judge.keys(self.service, self.service.projects[1].id) },
  }
end

local function client_of(self, run)
  local secret = self.service.api_key
  if run.kind.own then
    local held = self.stage:read(run.kind.store):gsub("\n$", "")
    secret = run.resumed == "again" and self.other or run.resumed and held or run.start.secret
  end
  -- It is patient once there are no more faults: a busy machine is none.
  return confidentai.check(confidentai.new { api_key = secret, base_url = self.service.base_url, max_retries = 0,
    timeout = (run.resumed or run.counted) and 10 or 0.15, max_response_bytes = 100000 })
end

local function note(run, ...)
  for i = 1, select("#", ...) do
    run.texts[#run.texts + 1] = tostring((select(i, ...)))
  end
end

local function options_of(self, run)
  return {
    state_dir = run.state, clock = self.stage.clock, pause = self.stage.pause, random = self.stage.random,
    on_step = function(event)
      note(run, event.what, event.name, event.state)
    end,
  }
end

local function begin(self, run, client)
  local options = options_of(self, run)
  options.store = confidentai.store.file { path = self.stage:path(run.kind.store) }
  options.soak, options.grace, options.settle, options.adoption = run.kind.soak, run.kind.grace, 10, "time"
  local rotation, err = self.stage:keys(run.kind.scope, client):rotate(run.start.id, options)
  note(run, rotation, err)
  return rotation, err
end

local function record_of(run)
  for key, bytes in pairs(run.state.contents) do
    if key:find "^records/" then
      return assert(sealed.decode("record", bytes))
    end
  end
end

-- One process: it begins or resumes, runs as far as it can, and dies.
local function once(self, run)
  local client = client_of(self, run)
  local ok, result, err = pcall(function()
    if not record_of(run) then
      local rotation, problem = begin(self, run, client)
      if not rotation then
        return nil, problem
      end
    end
    local list, problem = confidentai.rotation.open(client, options_of(self, run))
    if not list or not list[1] then
      return nil, problem
    end
    local state
    state, problem = list[1]:run()
    note(run, list[1]:status().text, problem)
    return state, problem
  end)
  client:close()
  if not ok then
    return "raised: " .. tostring(result)
  end
  note(run, err)
  run.err = err
end

-- The requests of a run from the first to the last.
function count_requests(self, which)
  local run = prepare(self, which)
  run.counted = true
  local raised = once(self, run)
  local record = record_of(run)
  assert(not raised and record.settled and record.state == "done", raised or run.err)
  return #assert(self.service:log())
end

local function named_of(record)
  local named = {}
  for _, list in ipairs { record.suspects or {}, record.quarantine or {} } do
    for _, entry in ipairs(list) do
      named[entry.name] = true
    end
  end
  if not record.finished and record.attempt then
    named[record.attempt.name] = true
  end
  return named
end

local function judge_all(self, run, complaints)
  local kind, watch = run.kind, run.watch
  local record = record_of(run)
  watch.named = record and named_of(record) or {}
  local found = judge.log(watch, assert(self.service:log()))
  local held = self.stage:read(kind.store):gsub("\n$", "")
  for _, complaint in ipairs(judge.ending(watch, judge.keys(self.service, self.service.projects[1].id),
    { [kind.store] = held })) do
    found[#found + 1] = complaint
  end
  for _, complaint in ipairs(found) do
    complaints[#complaints + 1] = complaint
  end
  if not next(watch.touched) and not run.late then -- of which the oracle knows nothing
    for _, complaint in ipairs(run.oracle:changes(assert(self.service:log()))) do
      complaints[#complaints + 1] = complaint
    end
  end
  local text = table.concat(run.texts, "\n")
  for key, bytes in pairs(run.state.contents) do
    text = text .. (key:find "^records/" and bytes or "")
  end
  for _, part in ipairs(self.stage:secrets()) do
    if text:gsub("\\", ""):find(part, 1, true) then
      complaints[#complaints + 1] = "a secret was shown"
    end
  end
end

-- What is wrong with how it ended.
local function judge_end(run, complaints)
  local record = record_of(run)
  if not record and next(run.watch.touched) then
    run.ended = "planned" -- there was nothing to rotate any more
    return
  elseif not record then
    complaints[#complaints + 1] = "it never began: " .. tostring(run.err)
    return
  end
  local state = record.stop or record.state
  if not (record.finished and ENDS[state] or next(run.watch.touched) and STOPS[state]) then
    complaints[#complaints + 1] = ("it ended %s, %s: %s, %s"):format(record.finished and "finished" or "unfinished",
      state, tostring(record.reason), tostring(run.err))
  elseif record.finished and not record.settled then
    complaints[#complaints + 1] = "it never settled: " .. tostring(run.err)
  end
  run.ended = state
end

---Runs one sequence.
---@param which integer the kind of rotation
---@param faults table[]
---@return string[] complaints
---@return string? ended state or stop
function Matrix:run(which, faults)
  local run, complaints = prepare(self, which), {}
  for _, fault in ipairs(faults) do
    if fault.type == "edit" then -- also while a request is about something else
      fault.target_scope = run.kind.scope
      fault.target_project_id = run.kind.scope == "project" and self.service.projects[1].id or nil
    end
    run.late = run.late or fault.type == "late_commit"
    assert(self.service:fault(fault))
  end
  local raised = once(self, run)
  assert(self.service:clear_faults())
  judge_all(self, run, complaints)
  run.resumed = true
  for round = 1, 5 do -- a key that comes late is found, watched, and deleted: a run each
    raised = raised or once(self, run)
    run.resumed = "again"
    self.stage:pass(round < 3 and 100 or DAY)
    local record = record_of(run)
    if record and record.settled then
      break
    end
  end
  complaints[#complaints + 1] = raised
  judge_all(self, run, complaints)
  judge_end(run, complaints)
  return complaints, run.ended
end

local function with(fault, skip)
  local copy = { skip = skip }
  for name, value in pairs(fault) do
    copy[name] = value
  end
  return copy
end

---Every fault alone, at every request; then pairs, drawn by lot.
---@param count integer how many in all, at least
---@param seed integer
---@return table[] sequences { which, faults }
function matrix.sequences(count, seed)
  local list = {}
  for which, kind in ipairs(kinds) do
    for _, fault in ipairs(disturbances) do
      local last = (fault.type:find "_list$") and 4 or kind.requests
      for skip = 0, (which == 1 or count > ALL) and last or -1 do
        list[#list + 1] = { which = which, faults = { with(fault, skip) } }
      end
    end
  end
  local random = scene.random(seed)
  local function draw(limit)
    local a, b = random(2):byte(1, 2)
    return (a * 256 + b) % limit
  end
  while #list < count do
    local which, faults = draw(#kinds) + 1, {}
    for i = 1, 2 + draw(2) do
      faults[i] = with(disturbances[draw(#disturbances) + 1], draw(kinds[which].requests + 1))
    end
    list[#list + 1] = { which = which, faults = faults }
  end
  return list
end

---A sequence in words.
function matrix.describe(sequence)
  local words = { kinds[sequence.which].name }
  for _, fault in ipairs(sequence.faults) do
    local fields = {}
    for name, value in pairs(fault) do
      fields[#fields + 1] = name .. "=" .. (type(value) == "table" and "..." or tostring(value):sub(1, 40))
    end
    table.sort(fields)
    words[#words + 1] = "{ " .. table.concat(fields, ", ") .. " }"
  end
  return table.concat(words, " ")
end

return matrix
