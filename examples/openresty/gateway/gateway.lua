-- SPDX-License-Identifier: Apache-2.0
-- The key of a gateway: made once, kept in a file, replaced by rotations, and taken over by all workers without a
-- reload.
-- luacheck: globals ngx

local confidentai = require "confidentai"

local gateway = {}

-- All of it is read in init_by_lua, while nginx still has its environment.
local FOLDER = os.getenv "GATEWAY_FOLDER" or "/var/lib/confidentai"
local PROJECT = assert(os.getenv "GATEWAY_PROJECT_ID", "set GATEWAY_PROJECT_ID to the project whose key this is to be")
local SOAK = tonumber(os.getenv "GATEWAY_SOAK_SECONDS") or 86400 -- for so long both keys work
local LOOK, ADVANCE = 1, tonumber(os.getenv "GATEWAY_ADVANCE_SECONDS") or 60 -- seconds between two times

local client = confidentai.check(confidentai.new { timeout = 10 }) -- wrong settings: nginx does not start
local api_keys = client:project(PROJECT).api_keys
local path = FOLDER .. "/gateway.key"
local store = confidentai.store.file { path = path }
local state_dir = FOLDER .. "/state"

local secret -- of the file, in this worker

-- A small file of this machine: it is read faster than a timer is made.
local function look()
  local file = io.open(path)
  if file then
    secret = file:read "*l" or secret
    file:close()
  end
end

-- Calls a function now and then, in a timer: the next time is set at the end of each, so that two never overlap.
-- `premature`: this worker ends, and another goes on.
local function every(seconds, task)
  local function run(premature)
    if premature then
      return
    end
    local ok, problem = pcall(task)
    if not ok then
      ngx.log(ngx.ERR, "confidentai: ", tostring(problem)) -- errors hold no secret
    end
    assert(ngx.timer.at(seconds, run))
  end
  assert(ngx.timer.at(0, run))
end

-- What has been begun in this place and is not done.
local function under_way()
  return confidentai.check(confidentai.rotation.open(client, { state_dir = state_dir }))
end

-- The key, which is made when there is none: created exactly once, and in the file.
local function provision()
  return confidentai.check(api_keys:provision("gateway", { store = store, state_dir = state_dir }))
end

-- What is due. All of it is on record before it is done, so that a worker may be killed at any time: whoever comes next
-- goes on.
local function work()
  for _, begun in ipairs(under_way()) do
    local state, err = begun:advance()
    if not state then -- perhaps another worker is at it, which has just begun it
      ngx.log(ngx.WARN, "confidentai: rotation of ", begun.base, ": ", tostring(err))
    end
  end
  look()
  if not secret then
    provision()
  end
end

---In init_worker_by_lua. Each worker looks at the file; one of them works on what is due.
function gateway.start()
  every(LOOK, look)
  if ngx.worker.id() == 0 then
    every(ADVANCE, work)
  end
end

---In access_by_lua: the key for a request. None is sent without.
function gateway.key()
  if not secret then
    look()
  end
  if not secret then
    ngx.status, ngx.header["Retry-After"] = 503, 1
    ngx.say "the gateway has no key yet"
    return ngx.exit(503)
  end
  return secret
end

-- One rotation at a time: while it is under way, it is shown.
local function rotate()
  for _, begun in ipairs(under_way()) do
    local status = begun:status()
    if status.kind == "rotation" then -- and not the first key, on its way
      return status.text
    end
  end
  local key = provision() -- finds it
  local rotation = confidentai.check(api_keys:rotate(key, { store = store, state_dir = state_dir, soak = SOAK }))
  return rotation:status().text
end

---In content_by_lua: begins a rotation, and says what comes next. `work` goes on with it.
function gateway.rotate()
  if ngx.req.get_method() ~= "POST" then
    return ngx.exit(405)
  end
  local ok, result = pcall(rotate)
  if not ok then
    ngx.status = 503 -- perhaps another worker is at it
  end
  ngx.say(tostring(result))
end

return gateway
