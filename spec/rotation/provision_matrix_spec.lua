-- SPDX-License-Identifier: Apache-2.0
-- Every fault of the sandbox at every request of a provisioning: a key in the store, or nothing at all; and the next
-- run makes it one key.

local confidentai = require "confidentai"
local disturbances = require "spec.rotation.disturbances"
local memory = require "spec.rotation.memory"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("provision", function()
  local s = scene.register { projects = { "web" } }

  local function provision(state, client)
    local options = s:options { state_dir = state, store = s:store("key", false) }
    options.soak, options.grace = nil, nil
    local key, err = s:keys("project", client):provision("svc", options)
    return key, err
  end

  -- Keys of the service beside the project's first.
  local function made()
    local found = s:on_service()
    table.remove(found, 1)
    return found
  end

  -- Those of them that work. A key that is being removed is disabled, and watched before it is deleted.
  local function working()
    local found = {}
    for _, key in ipairs(made()) do
      found[#found + 1] = key.valid and key or nil
    end
    return found
  end

  local function disturb(fault, skip)
    assert(s.service:reset())
    s.ahead = 0
    os.remove(s:path "key")
    local state, what = memory.new(), ("%s %s at request %d"):format(fault.type, fault.status or "", skip)
    local copy = { skip = skip }
    for name, value in pairs(fault) do
      copy[name] = value
    end
    s:fault(copy)
    local client = s:client { timeout = 0.15, max_response_bytes = 100000 }
    local key, err = provision(state, client)
    assert(s.service:clear_faults())
    client = s:client { max_response_bytes = 100000 } -- patient, as there are no more faults: a busy machine is none
    if key then
      assert.equal(1, #working(), what)
      assert.equal(tostring(key.id), (s:holder() or {}).id, what)
    elseif #made() == 1 and s:holder() then
      assert.equal("done", err.state, what) -- it is there and published, and could not be shown
    elseif #made() > 0 then
      -- It could not be undone yet: the error says so, or the name is kept and looked for.
      local list = confidentai.rotation.open(client, s:opening { state_dir = state })
      assert.equal(1, #list, what .. ": " .. tostring(err))
    end
    key, err = provision(state, client)
    if not key then -- what was interrupted has been undone; now there is room
      key, err = provision(state, client)
    end
    assert.is_truthy(key, what .. ": " .. tostring(err))
    for _, seconds in ipairs { DAY + 5000, 60 } do -- what came late is disabled, and deleted later
      s:pass(seconds)
      for _, rotation in ipairs(confidentai.rotation.open(client, s:opening { state_dir = state })) do
        check(rotation:advance())
      end
    end
    assert.equal(1, #made(), what)
    assert.equal(tostring(key.id), (s:holder() or {}).id, what)
  end

  it("ends with one key after any fault", function()
    for _, fault in ipairs(disturbances) do
      if fault.type ~= "edit" then
        for skip = 0, fault.type:find "_list$" and 3 or 8 do
          disturb(fault, skip)
        end
      end
    end
  end)
end)
