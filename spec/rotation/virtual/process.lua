-- SPDX-License-Identifier: Apache-2.0
-- Processes of a machine in virtual time: each has a client of its own, shares the state folder of its machine, and can
-- die at any boundary: before or after a request, a write of the state, a read or write of a store.

local blocking = require "confidentai.driver.blocking"
local confidentai = require "confidentai"

local process = {}

-- What a death raises.
local DEATH = setmetatable({}, { __tostring = function() return "the process was killed" end })

---A state folder in memory, which outlives processes and can be copied.
---@return table folder { contents, versions, count, held }
function process.folder()
  return { contents = {}, versions = {}, count = 0, held = {} }
end

---A copy of a folder, as a backup or a cloned machine has one.
---@param folder table
---@return table
function process.copy(folder)
  local copy = process.folder()
  copy.count = folder.count
  for key, bytes in pairs(folder.contents) do
    copy.contents[key], copy.versions[key] = bytes, folder.versions[key]
  end
  return copy
end

-- The folder as a state table; what this process holds is let go of when it dies.
local function state_of(folder, self)
  local state = {}

  function state.get(key)
    return folder.contents[key], folder.versions[key]
  end

  function state.cas(key, bytes, version)
    self.boundary()
    if folder.versions[key] ~= version then
      return nil, "conflict"
    end
    folder.count = folder.count + 1
    folder.contents[key], folder.versions[key] = bytes, bytes and tostring(folder.count) or nil
    self.boundary()
    return bytes and folder.versions[key] or true
  end

  function state.list(prefix)
    local keys = {}
    for key in pairs(folder.contents) do
      if key:sub(1, #prefix) == prefix then
        keys[#keys + 1] = key
      end
    end
    table.sort(keys)
    return keys
  end

  function state.hold(key)
    if folder.held[key] then
      return nil, "another process"
    end
    folder.held[key] = self
    return function() folder.held[key] = nil end
  end

  return state
end

-- The blocking driver, with a boundary before and after each wait.
local function driver_of(self)
  return {
    wait = function(engine, awaited)
      self.boundary()
      blocking.wait(engine, awaited)
      self.boundary()
    end,
  }
end

---Starts a process.
---@param machine table { world, folder, skew }
---@param secret string of the client's key
---@param dies_at? integer the boundary at which it dies, from 1
---@param copy_at? table<integer, function> called at boundaries
---@return table process { client, state, boundary, clock, pause }
function process.start(machine, secret, dies_at, copy_at)
  local world = machine.world
  local self = { passed = 0, folder = machine.folder }

  -- A dead process does nothing more, whoever catches its death.
  function self.boundary()
    self.passed = self.passed + 1
    local copy = copy_at and copy_at[self.passed]
    if copy and not self.dead then
      copy()
    end
    if dies_at and self.passed >= dies_at then
      self.dead = true
      error(DEATH, 0)
    end
  end

  self.state = state_of(machine.folder, self)
  self.client = confidentai.check(confidentai.new { api_key = secret, base_url = world.service.base_url,
    max_retries = 0, timeout = world.calm and 10 or 0.25, driver = driver_of(self) })
  self.clock = function() return world:now() + machine.skew end
  self.pause = function(seconds)
    self.boundary()
    world:pass(seconds)
    self.boundary()
  end
  return self
end

---Runs work in a process, and ends it.
---@param self table process
---@param work function
---@return any result nil: it was killed, or work returned nil
---@return any err
function process.run(self, work)
  local ok, result, err = pcall(work)
  for key, holder in pairs(self.folder.held) do
    if holder == self then
      self.folder.held[key] = nil
    end
  end
  self.client:close()
  if self.dead then
    return nil, DEATH
  elseif not ok then
    return nil, "raised: " .. tostring(result)
  end
  return result, err
end

process.DEATH = DEATH
return process
