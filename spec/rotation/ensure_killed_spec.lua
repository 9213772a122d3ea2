-- SPDX-License-Identifier: Apache-2.0
-- ensure in jobs that are killed: each run is a process of its own, without any disk but the store, and many of them
-- die by SIGKILL in the middle of a request, before or after it took effect. $CONFIDENTAI_SEED says which; it is
-- printed.

local process = require "spec.process"
local scene = require "spec.rotation.scene"
local uv = require "luv"

local DAY = 86400
local RUNS, STEP = 40, 3 * DAY -- so that a month is ten runs

local PROGRAM = [[
  local confidentai = require "confidentai"
  local ahead = tonumber(os.getenv "AHEAD")
  local client = confidentai.check(confidentai.new {
    api_key = os.getenv "API_KEY", base_url = os.getenv "BASE_URL", timeout = 20, max_retries = 0 })
  local result, err = client:project(os.getenv "PROJECT").api_keys:ensure("svc", {
    store = confidentai.store.file { path = os.getenv "STORE" }, max_age = 30 * 86400, soak = 2 * 86400,
    abandon = os.getenv "ABANDON", grace = 4 * 86400, clock = function() return os.time() + ahead end })
  print(result and result.action or tostring(err))
]]

describe("ensure", function()
  local s = scene.register { projects = { "web" } }
  local seed = tonumber(os.getenv "CONFIDENTAI_SEED") or 1
  local random = scene.random(seed)
  local abandoned -- id of the key that a run has used and was killed before it wrote the store for the first time

  -- One job. `fatal`: the number of requests after which it is killed, and whether the last one took effect.
  local function run(fatal, applied)
    assert(s.service:clear_faults())
    local before = #assert(s.service:log())
    if fatal then
      s:fault { type = "hang", skip = fatal, apply = applied }
    end
    local child = process.lua(PROGRAM, { API_KEY = s.service.api_key, BASE_URL = s.service.base_url,
      PROJECT = s.service.projects[1].id, STORE = s:path "key", AHEAD = tostring(s.ahead),
      ABANDON = abandoned })
    local deadline = uv.hrtime() + 1e10
    while not child.status and uv.hrtime() < deadline do
      uv.run "nowait"
      if fatal and #assert(s.service:log(before)) > fatal then
        child:kill "sigkill"
        break
      end
      uv.sleep(2)
    end
    local status = child:wait(10000)
    assert.is_true(fatal ~= nil or status == 0, child.errors)
    abandoned = child.output:match "the store holds nothing, and key (%d+) is enabled" or abandoned
    return child.signal == 9 and "killed" or child.output:gsub("\n", "")
  end

  local function of_base()
    local found = {}
    for _, key in ipairs((s:on_service())) do
      if key.name:find("^svc~g") then
        found[#found + 1] = key
      end
    end
    return found
  end

  it(("ends every month with one current key, though killed at random (seed %d)"):format(seed), function()
    local seen = {}
    local function one(...)
      seen[#seen + 1] = run(...)
      if s:read "key" then
        assert.is_true((s:holder() or {}).valid, "the store holds a key that works: " .. table.concat(seen, ", "))
      end
      s:pass(STEP)
    end
    for i = 1, RUNS do
      local byte, position, effect = random(3):byte(1, 3)
      local killed = i % 10 > 0 and byte % 3 > 0
      one(killed and position % 9 or nil, effect % 2 == 1)
      if i % 10 == 0 then
        local left = 6 -- runs, left alone: remove, create, disable, delete
        while #of_base() ~= 1 and left > 0 do
          one()
          left = left - 1
        end
        local list, trail = of_base(), table.concat(seen, ", ")
        assert.equal(1, #list, trail)
        assert.is_true(list[1].valid, trail)
        assert.equal(list[1].id, s:holder().id, trail)
      end
    end
    assert.equal(1 + 1, #s:on_service()) -- and the project's first key
  end)
end)
