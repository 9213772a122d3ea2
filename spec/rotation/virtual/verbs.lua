-- SPDX-License-Identifier: Apache-2.0
-- What a machine does each time that it wakes up, by verb, as cron or an operator would.

local confidentai = require "confidentai"

local verbs = {}

local function options_of(machine, process, more)
  local options = { state_dir = process.state, clock = process.clock, pause = process.pause, random = machine.random,
    on_step = function() machine.world:use() end }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

local function stores_of(machine, process)
  local list = {}
  for i, store in ipairs(machine.world.stores) do
    list[i] = store:of(process)
  end
  return list
end

local function keys_of(machine, process)
  local what = machine.world.what
  return what.scope == "organization" and process.client:organization().api_keys
    or process.client:project(what.project_id).api_keys
end

local function start(machine, process)
  local drawn = machine.plan
  local rotation, err = keys_of(machine, process):rotate(machine.world.what.old_id, options_of(machine, process, {
    store = stores_of(machine, process), soak = drawn.soak, grace = drawn.grace, adoption = drawn.adoption,
    settle = 60 }))
  return rotation, err
end

local function open(machine, process)
  local list, err = confidentai.rotation.open(process.client, options_of(machine, process,
    { stores = stores_of(machine, process) }))
  return list, err
end

-- Advances what is on record; nothing on record and not yet begun: begins.
function verbs.rotate(machine, process)
  local list, err = open(machine, process)
  if not list then
    return nil, err
  elseif #list == 0 and not machine.begun then
    local rotation
    rotation, err = start(machine, process)
    machine.begun = rotation ~= nil or err.outcome ~= "not_applied"
    return rotation and rotation.state, err
  end
  local state
  for _, rotation in ipairs(list) do
    state, err = rotation:advance()
  end
  return state, err
end

function verbs.rollback(machine, process)
  if machine.world.ahead < machine.plan.back_at or machine.back then
    local state, err = verbs.rotate(machine, process)
    return state, err
  end
  local list, err = open(machine, process)
  for _, rotation in ipairs(list or {}) do
    machine.back = true
    list, err = rotation:rollback()
  end
  return list, err
end

function verbs.ensure(machine, process)
  local drawn, what = machine.plan, machine.world.what
  local options = { store = stores_of(machine, process), max_age = drawn.max_age, soak = drawn.soak,
    grace = drawn.grace, clock = process.clock, pause = process.pause, random = machine.random, settle = 60,
    on_step = function() machine.world:use() end, adopt = what.old_id }
  local result, err = keys_of(machine, process):ensure("svc", options)
  return result, err
end

-- A secret leaked: once, what the first store holds then.
function verbs.contain(machine, process)
  if machine.world.ahead >= machine.plan.back_at and not machine.contained then
    local secret = machine.world.stores[1].content
    if secret then
      machine.contained = true
      machine.world.leaked = machine.world.leaked or {}
      machine.world.leaked[secret] = true
      local report, err = process.client:contain(secret, { clock = process.clock, pause = process.pause })
      return report, err
    end
  end
  local state, err = verbs.rotate(machine, process)
  return state, err
end

-- Rotates, and has the doctor fix everything that it offers to.
function verbs.doctor(machine, process)
  local state, err
  if not machine.only_doctor then
    state, err = verbs.rotate(machine, process)
  end
  local given = { stores = stores_of(machine, process) }
  local report = confidentai.rotation.doctor(process.client, options_of(machine, process, given))
  local ids = {}
  for _, finding in ipairs(report and report.findings or {}) do
    if finding.fixable then
      ids[#ids + 1] = finding.id
    end
  end
  if #ids > 0 then
    given.fix = ids
    confidentai.rotation.doctor(process.client, options_of(machine, process, given))
  end
  return state, err
end

verbs["two machines"] = verbs.rotate

return verbs
