-- SPDX-License-Identifier: Apache-2.0
-- Every fault of the sandbox at every request of two runs of ensure, in each phase of a month: the store holds a key
-- that works all the time, and runs without faults end with one key and nothing else.

local disturbances = require "spec.rotation.disturbances"
local scene = require "spec.rotation.scene"

local DAY = 86400

describe("ensure", function()
  local s = scene.register { projects = { "web" }, seed = 1 }
  local hasty, patient -- what hangs is to end soon; without faults a busy machine is to be no fault

  local function run(client)
    local result, err = s:keys("project", client):ensure("svc", { store = s:store("key", false), max_age = 30 * DAY,
      soak = DAY, grace = 2 * DAY, clock = s.clock, pause = s.pause, random = s.random })
    return result, err
  end

  -- The keys of the base; the store's is among them, and works.
  local function count(what)
    local found, holder = 0, nil
    local held = s:read "key":gsub("\n$", "")
    for _, key in ipairs((s:on_service())) do
      if key.name:find "^svc~g" then
        found = found + 1
        holder = key.value == held and key.valid or holder
      end
    end
    assert.is_true(holder, what .. ": the store holds no key that works")
    return found
  end

  -- At the start of a month; when the old key is to be disabled; when it is to be deleted.
  local function phases()
    local list = {}
    for _, days in ipairs { 31, 2, 3 } do
      assert(run(patient))
      s:pass(days * DAY)
      list[#list + 1] = { snapshot = assert(s.service:snapshot()), ahead = s.ahead, held = s:read "key",
        note = s:read ".key.ensured" }
    end
    return list
  end

  local function disturb(phase, fault, skip)
    s.ahead = phase.ahead
    assert(s.service:restore(phase.snapshot))
    assert(s.service:set_clock(s.ahead))
    s:write("key", phase.held)
    s:write(".key.ensured", phase.note)
    local what, copy = ("%s %s at request %d"):format(fault.type, fault.status or "", skip), { skip = skip }
    for name, value in pairs(fault) do
      copy[name] = value
    end
    s:fault(copy)
    for _ = 1, 2 do
      run(hasty)
      count(what)
    end
    assert(s.service:clear_faults())
    for _ = 1, 7 do -- a lost key is disabled and deleted as the older one is, one step a run
      s:pass(DAY)
      local result, err = run(patient)
      assert.is_table(result, what .. ": " .. tostring(err))
      count(what)
    end
    assert.equal(1, count(what), what)
  end

  it("ends with one key after any fault", function()
    hasty = s:client { timeout = 0.15, max_response_bytes = 100000 }
    patient = s:client { max_response_bytes = 100000 }
    for _, phase in ipairs(phases()) do
      for _, fault in ipairs(disturbances) do
        for skip = 0, fault.type == "edit" and -1 or fault.type:find "_list$" and 2 or 8 do
          disturb(phase, fault, skip)
        end
      end
    end
  end)
end)
