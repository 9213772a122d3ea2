-- SPDX-License-Identifier: Apache-2.0
-- Waits in OpenResty, or nginx with its Lua module, by sleeping between steps: the worker serves other requests.
-- luacheck: globals ngx

local blocking = require "confidentai.driver.blocking"
local core = require "confidentai.core"
local stack = require "confidentai.stack"

local nginx = {}

-- Where ngx.sleep works (https://github.com/openresty/lua-nginx-module#ngxsleep).
local sleeping = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, ssl_cert = true,
  ssl_session_fetch = true, ssl_client_hello = true, preread = true,
}

-- A pause is a small part of the time waited so far: short calls are found done soon, long ones cost little. Seconds.
local PART = 1 / 50
local SHORTEST, LONGEST = 0.001, 0.01

-- Whoever waits steps the engine for all; one step in this time is enough. Seconds.
local FRESH = 0.0005

---Why nothing can wait here, or nil.
---@return string?
function nginx.refuse()
  local phase = ngx.get_phase()
  if phase == "init" then
    return nil
  elseif not sleeping[phase] then
    return ("nginx cannot wait in its phase '%s': make the call in a timer, ngx.timer.at(0, f)"):format(phase)
  elseif stack.is_below_c() then -- ngx.sleep finds out only when its timer is set already
    return "nginx cannot wait below a C function, such as string.gsub, table.sort or require: call outside of it"
  end
end

-- What is waited for in this worker, and when its waiter last looked. A request that is aborted, or a light thread that
-- is killed, leaves a waiter that looks no more.
local waits = {}

-- A waiter that has not looked for so long is gone, as it looks every LONGEST seconds. Seconds.
local GONE = 1

local watching = false

-- Cancels what nobody waits for any more, as the caller is not there to hear what came of it. Goes on while anything is
-- in flight, and steps, so that what it does not know of (a gather that ended while a task was busy elsewhere) ends at
-- its time limit. A worker that exits (premature) takes all with it.
local function watch(premature)
  watching = false
  if premature then
    return
  end
  local now = core.now()
  for awaited, looked in pairs(waits) do
    if now - looked > GONE then
      waits[awaited] = nil
      awaited:cancel()
    end
  end
  if core.engine():step(0) > 0 then
    watching = ngx.timer.at(GONE, watch) ~= nil
  end
end

-- Tasks of a group run in done(), and may take their time: meanwhile it is not watched.
local function is_done(awaited)
  waits[awaited] = nil
  local done = awaited:done()
  if not done then
    waits[awaited] = core.now()
  end
  return done
end

---Returns when what is awaited is done. Whoever calls it has asked `refuse` before. While nginx starts (init_by_lua) it
---blocks, as there is nobody to serve.
---@param engine confidentai.Engine
---@param awaited confidentai.Call|confidentai.Group
function nginx.wait(engine, awaited)
  if ngx.get_phase() == "init" then
    blocking.wait(engine, awaited)
    return
  end
  engine:step(0) -- what is new is sent at once
  local started, in_flight = core.now(), engine:in_flight()
  while not is_done(awaited) do
    if engine:in_flight() > in_flight then -- by tasks, whose calls are new, too
      engine:step(0)
      started = core.now()
    end
    watching = watching or ngx.timer.at(GONE, watch) ~= nil
    ngx.sleep(math.max(SHORTEST, math.min(LONGEST, (core.now() - started) * PART)))
    if engine:age() >= FRESH then
      engine:step(0)
    end
    in_flight = engine:in_flight()
  end
end

return nginx
