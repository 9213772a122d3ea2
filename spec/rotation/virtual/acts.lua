-- SPDX-License-Identifier: Apache-2.0
-- What goes wrong in a run, by kind, but for kills. Each function is called with the runs, the world, the machine and
-- the disturbance (plan.lua).

local process = require "spec.rotation.virtual.process"

local people = {}

local function named(w, pattern)
  local found
  for _, key in ipairs(w:person():list() or {}) do
    if key.name:find(pattern) and (not found or key.id > found.id) then
      found = key
    end
  end
  return found
end

local function change(pattern, method)
  return function(w)
    local key = named(w, pattern)
    if key then
      w:person()[method](w:person(), key.id)
    end
  end
end

people["disable new"] = change("^svc~g2~", "disable")
people["delete new"] = change("^svc~g2~", "delete")
people["enable old"] = change("^svc$", "enable")
people["disable old"] = change("^svc$", "disable")
people["create of the same name"] = function(w) w:person():create "svc" end
people["create of the next name"] = function(w) w:person():create "svc~g2~bcdefghi" end

people["write the old secret back"] = function(w)
  w.stores[1]:hold(w.what.secret, true)
end

people["write the new secret back"] = function(w)
  if w.seen then
    w.stores[1]:hold(w.seen, true)
  end
end

-- A person takes the secret out of the store, and uses it from now on.
people["use the secret"] = function(w)
  w:add_consumer({ name = "a person" }, w.stores[1])
  w.seen = w.stores[1].content
end

local acts = {}

function acts.fault(self, w, _, one)
  local fault = { skip = one.skip, path = "api%-keys" }
  for name, value in pairs(one.fault) do
    fault[name] = value
  end
  if not w.calm then
    assert(self.service:fault(fault))
  end
end

-- A cache repeats the answer to a create of long ago: it names another key.
function acts.replay(self)
  local key = self.starts.project.elsewhere
  assert(self.service:fault { type = "body", operation = "create", status = 201, body = ([[{"success":true,"data":{
    "apiKey":{"id":%d,"name":"%s","valid":true,"value":"%s","created_at":"%s","lastUsed":null}}}]]):format(key.id,
    key.name, key.value, key.created_at) })
end

function acts.store(_, w, _, one)
  local store = w.stores[#w.stores]
  if one.what == "unreadable" then
    store.unreadable = true
    w:at(w.ahead + 300, function() store.unreadable = nil end)
    return
  end
  for _ = 1, one.skip do
    store.faults[#store.faults + 1] = "none"
  end
  store.faults[#store.faults + 1] = one.what
end

function acts.restore(_, w, machine, one)
  local copy = process.copy(machine.folder)
  w:at(w.ahead + one.back - one.moment, function()
    if not machine.running then
      machine.folder, machine.restored = copy, true
    end
  end)
end

function acts.clone(_, _, machine, one)
  one.add(process.copy(machine.folder))
end

function acts.clock(_, w, machine, one)
  machine.skew = one.skew
  w:at(one.back, function() machine.skew = 0 end)
end

function acts.person(_, w, _, one)
  w.touched = true
  people[one.what](w)
end

function acts.service(self, _, _, one)
  assert(self.service:set(one.settings))
end

return acts
