-- SPDX-License-Identifier: Apache-2.0
-- One service and some folders, which can be brought into any state that was seen before.

local canon = require "spec.rotation.canon"
local control = require "spec.rotation.control"
local disk = require "spec.rotation.disk"
local files = require "spec.files"
local oracle = require "spec.rotation.oracle"
local sandbox = require "confidentai.sandbox"
local uv = require "luv"

local World = {}
World.__index = World

local world = {}

local function write(path, text)
  files.write(path, text)
  assert(uv.fs_chmod(path, 384)) -- 0600
end

---Starts a service and makes folders for a scenario.
---@param scenario table of scenarios.lua
---@return table world
function world.new(scenario)
  local self = setmetatable({ scenario = scenario, start = os.time() }, World)
  self.root = uv.fs_mkdtemp "/dev/shm/confidentai-rotation-XXXXXX" -- see boundary/files.c
    or assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/confidentai-rotation-XXXXXX"))
  -- With a seed, secrets and ids after a restore are the same each time.
  self.service = assert(sandbox.start { projects = { "web" }, seed = 1, witness_folder = self.root })
  self.state_dir, self.output = self.root .. "/state", self.root .. "/output"
  assert(uv.fs_mkdir(self.state_dir, 448)) -- 0700
  local what = { state_dir = self.state_dir, stores = {}, soak = scenario.options.soak }
  scenario.prepare(self, what, write)
  self.what, self.stores = what, what.stores
  self.watch = oracle.watch(self.service, what)
  self.roots = self.watch.roots
  self.canon = canon.new(self.start, self.watch.initial)
  return self
end

---A folder of the world's own, for a store.
---@param name string
---@return string path
function World:folder(name)
  local path = self.root .. "/" .. name
  assert(uv.fs_mkdir(path, 448))
  return path
end

---The state of the world.
---@param moved number seconds by which the clocks were moved ahead since the start
---@param intent string what the next run is to do
---@return table state { snapshot, files, moved, intent, canon }
function World:capture(moved, intent)
  local state = { snapshot = control.snapshot(self.service), files = disk.read(self.roots), moved = moved,
    intent = intent }
  state.canon = self.canon:text(state)
  return state
end

---A state that differs from another in some fields.
---@param state table
---@param fields table
---@return table
function World:derive(state, fields)
  local new = { snapshot = state.snapshot, files = state.files, moved = state.moved, intent = state.intent }
  for name, value in pairs(fields) do
    new[name] = value
  end
  new.canon = self.canon:text(new)
  return new
end

---Goes back, or on, to a state.
---@param state table
function World:restore(state)
  disk.write(self.roots, state.files)
  control.restore(self.service, state.snapshot)
  control.request(self.service, "POST", "/clock", ('{"offset":%d}'):format(state.moved))
end

---What the oracle looks at.
---@param state table
---@return table view
function World.view(_, state)
  return { keys = oracle.keys(state.snapshot), files = state.files }
end

---Ends everything.
function World:close()
  if self.nursery then -- of trial.lua
    self.nursery:close()
  end
  self.service:stop()
  local complaints = self.service:errors()
  disk.remove { self.root }
  assert(complaints == "", complaints)
end

return world
