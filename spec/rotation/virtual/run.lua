-- SPDX-License-Identifier: Apache-2.0
-- One run in virtual time: a drawn plan, carried out to its end, and judged.

local acts = require "spec.rotation.virtual.acts"
local confidentai = require "confidentai"
local judge = require "spec.rotation.virtual.judge"
local plan = require "spec.rotation.virtual.plan"
local process = require "spec.rotation.virtual.process"
local scene = require "spec.rotation.scene"
local uv = require "luv"
local verbs = require "spec.rotation.virtual.verbs"
local world = require "spec.rotation.virtual.world"

local Runs = {}
Runs.__index = Runs

local runs = {}

local DAY = 86400

---A folder for what stores hold, which the sandbox looks into.
---@return string path
function runs.folder()
  return assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/confidentai-virtual-XXXXXX"))
end

---Runs on a sandbox.
---@param service confidentai.Sandbox
---@param folder string of runs.folder, the sandbox's witness_folder
---@return table
function runs.new(service, folder)
  local self = setmetatable({ service = service, starts = {}, figures = {}, acts = {}, kills = 0, count = 0,
    folder = folder }, Runs)
  assert(service:reset())
  assert(service:stop_clock(world.MADE))
  local client = confidentai.check(confidentai.new { api_key = service.api_key, base_url = service.base_url })
  self.person = confidentai.check(client:organization().api_keys:create "person")
  self.person_secret = self.person.value
  local project = service.projects[1].id
  for _, scope in ipairs { "project", "organization" } do
    local keys = scope == "project" and client:project(project).api_keys or client:organization().api_keys
    for _, name in ipairs { "svc-2", "svc~g1~abcdefgh", "svcx" } do
      confidentai.check(keys:create(name))
    end
    -- No consumer uses a key of the organization.
    local elsewhere = scope == "project" and confidentai.check(keys:create "web~g3~abcdefgh") or {}
    local key = confidentai.check(keys:create "svc")
    self.starts[scope] = { id = key.id, secret = key.value, elsewhere = elsewhere }
  end
  self.snapshot = assert(service:snapshot())
  client:close()
  return self
end

function Runs:finish()
  for _, name in ipairs { "store1", "store2" } do
    os.remove(self.folder .. "/" .. name)
  end
  uv.fs_rmdir(self.folder)
end

-- The figures of a kind of consumer and a verb.
local function figures_of(self, verb, kind)
  self.figures[verb] = self.figures[verb] or {}
  self.figures[verb][kind] = self.figures[verb][kind] or { requests = 0, ours = 0, others = 0 }
  return self.figures[verb][kind]
end

-- What we have done to keys in all runs of a verb.
local function acts_of(self, verb)
  self.acts[verb] = self.acts[verb] or { runs = 0, created = 0, disabled = 0, enabled = 0, deleted = 0 }
  return self.acts[verb]
end

local function new_machine(w, drawn, name, folder)
  return { name = name, world = w, plan = drawn, folder = folder or process.folder(), skew = 0, wakes = 0,
    random = scene.random(drawn.seed * 31 + #name) }
end

-- The secret with which a machine's next process acts: a rotation of its own key changes it.
local function secret_of(self, w)
  return w.what.scope == "organization" and w.stores[1].content or self.service.api_key
end

-- The boundaries at which a machine's next process dies, and at which its state folder is copied.
local function boundaries_of(w, machine, drawn)
  local dies_at, copy_at = nil, {}
  for _, one in ipairs(w.calm and {} or drawn.disturbances) do
    if one.wake == machine.wakes and one.kind == "kill" then
      dies_at = one.boundary
    elseif one.wake == machine.wakes and not machine.is_copy then
      copy_at[one.boundary] = function() one.copy(machine) end
    end
  end
  return dies_at, copy_at
end

local function wake(self, w, machine, drawn)
  machine.wakes = machine.wakes + 1
  local dies_at, copy_at = boundaries_of(w, machine, drawn)
  if machine.running then
    return
  end
  machine.running = true
  local started = process.start(machine, secret_of(self, w) or self.service.api_key, dies_at, copy_at)
  local result, err = process.run(started, function()
    local a, b = verbs[drawn.verb](machine, started)
    return a, b
  end)
  machine.running = false
  if err == process.DEATH then
    self.kills = self.kills + 1
  elseif type(err) == "string" and err:find "^raised" then
    w.complaints[#w.complaints + 1] = err
  end
  machine.last = { result = result, err = err }
  w:use()
end

-- The machine wakes up again and again: often while keys are exchanged, less often later.
local function schedule(self, w, machine, drawn)
  local function next_wake()
    wake(self, w, machine, drawn)
    local interval = w.ahead < 3 * drawn.soak and drawn.soak / 6 or math.max(drawn.soak / 2, drawn.grace / 4)
    w:at(w.ahead + math.max(w.calm and 3600 or 60, math.floor(interval)), next_wake)
  end
  w:at(w.ahead, next_wake)
end

local function prepare(self, drawn)
  local start = self.starts[drawn.scope]
  assert(self.service:restore(self.snapshot))
  local w = world.new(self.service, {
    scope = drawn.scope, project_id = drawn.scope == "project" and self.service.projects[1].id or nil,
    soak = drawn.verb == "rollback" and math.min(drawn.soak, 3600) or drawn.soak, folder = self.folder,
    stores = drawn.stores, verb = drawn.verb, secret = start.secret, old_id = start.id, person = self.person_secret,
    person_id = self.person.id,
    counts = function(kind) return figures_of(self, drawn.verb, kind) end, acts = acts_of(self, drawn.verb),
    only_prompt = drawn.only_prompt, drawn = drawn,
  })
  local machine = new_machine(w, drawn, "first")
  local machines = { machine }
  if drawn.verb == "two machines" then
    machines[2] = new_machine(w, drawn, "second")
  elseif drawn.verb == "doctor" then
    machines[2] = new_machine(w, drawn, "doctor")
    machines[2].only_doctor = true
    w:add_consumer({ name = "of a third machine", prompt = true },
      { name = "elsewhere", content = start.elsewhere.value })
  end
  for i, one in ipairs(machines) do
    w:at((i - 1) * 7, function() schedule(self, w, one, drawn) end)
  end
  for _, one in ipairs(drawn.disturbances) do
    one.add = function(folder)
      local clone = new_machine(w, drawn, "clone", folder)
      clone.begun, clone.is_copy = true, true
      schedule(self, w, clone, drawn)
    end
    one.copy = function(copied) acts[one.kind](self, w, copied, one) end
    if acts[one.kind] and not one.boundary then
      w:at(one.moment, function() acts[one.kind](self, w, machine, one) end)
    end
  end
  return w, machine
end

-- From now on the service shows no use of project keys.
local function make_blind(service)
  for _, operation in ipairs { "get", "list" } do
    assert(service:fault { type = "record", operation = operation, scope = "project", times = -1,
      fields = { lastUsed = "null" } })
  end
end

---Carries out the run of a seed.
---@param seed integer
---@return string[] complaints
---@return table world
---@return table machine the first
function Runs:run(seed)
  local drawn = plan.draw(seed)
  local w, machine = prepare(self, drawn)
  local ok, problem = pcall(function()
    if drawn.blind then
      make_blind(self.service)
    end
    w:pass(2 * drawn.soak + 120)
    assert(self.service:clear_faults())
    if drawn.blind then
      make_blind(self.service)
    end
    w.calm = true
    w:pass(3 * drawn.soak + 2 * drawn.grace + 2 * DAY)
  end)
  if not ok then
    w.complaints[#w.complaints + 1] = "the harness: " .. tostring(problem)
  end
  self.count = self.count + 1
  w.what.acts.runs = w.what.acts.runs + 1
  local complaints = judge.all(w)
  w:close()
  return complaints, w, machine
end

---The figures so far, as lines of two tables: what we have done to keys, and what consumers met.
---@return string
function Runs:report()
  local lines = {}
  for verb, done in pairs(self.acts) do
    lines[#lines + 1] = ("| %s | %d | %d | %d | %d | %d |"):format(verb, done.runs, done.created, done.disabled,
      done.enabled, done.deleted)
  end
  for verb, kinds in pairs(self.figures) do
    for kind, figures in pairs(kinds) do
      lines[#lines + 1] = ("| %s | %s | %d | %d | %d |"):format(verb, kind, figures.requests, figures.ours,
        figures.others)
    end
  end
  table.sort(lines)
  return ("%d runs, %d kills\n%s"):format(self.count, self.kills, table.concat(lines, "\n"))
end

---A run in words.
function Runs.describe(_, seed)
  return plan.describe(plan.draw(seed))
end

return runs
