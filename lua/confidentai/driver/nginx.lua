-- SPDX-License-Identifier: Apache-2.0
-- Waits in OpenResty, or nginx with its Lua module, by sleeping between steps: the worker serves other requests.
-- luacheck: globals ngx

local blocking = require "confidentai.driver.blocking"
local core = require "confidentai.core"

local nginx = {}

-- Where ngx.sleep works (https://github.com/openresty/lua-nginx-module#ngxsleep).
local sleeping = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, ssl_cert = true,
  ssl_session_fetch = true, ssl_client_hello = true, preread = true,
}

-- A pause is a small part of the time waited so far: short calls are found done soon, long ones cost little. Seconds.
local PART = 1 / 25
local SHORTEST, LONGEST = 0.001, 0.01

-- Whoever waits steps the engine for all; one step in this time is enough. Seconds.
local FRESH = 0.0005

---Why nothing can wait here, or nil.
---@return string?
function nginx.refuse()
  local phase = ngx.get_phase()
  if not sleeping[phase] and phase ~= "init" then
    return ("nginx cannot wait in its phase '%s': make the call in a timer, ngx.timer.at(0, f)"):format(phase)
  end
end

---Returns when what is awaited is done. While nginx starts (init_by_lua) it blocks, as there is nobody to serve.
---@param engine confidentai.Engine
---@param awaited confidentai.Call|confidentai.Group
function nginx.wait(engine, awaited)
  if ngx.get_phase() == "init" then
    blocking.wait(engine, awaited)
    return
  end
  local started = core.now()
  while true do
    if engine:age() >= FRESH then
      engine:step(0)
    end
    if awaited:done() then
      return
    end
    ngx.sleep(math.max(SHORTEST, math.min(LONGEST, (core.now() - started) * PART)))
  end
end

return nginx
