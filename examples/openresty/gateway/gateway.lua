-- SPDX-License-Identifier: Apache-2.0
-- The key of a gateway: made once, kept in a file, replaced by rotations, and taken over by all workers without a
-- reload.
-- luacheck: globals ngx

local confidentai = require "confidentai"

local gateway = {}

-- All of it is read in init_by_lua, while nginx still has its environment.
local FOLDER = os.getenv "GATEWAY_FOLDER" or "/var/lib/confidentai"
local PROJECT = os.getenv "GATEWAY_PROJECT_ID" or ""
assert(PROJECT ~= "", "set GATEWAY_PROJECT_ID to the id of the project whose key this is to be")

local function seconds(name, default)
  local text = os.getenv(name) or tostring(default)
  return assert(tonumber(text:match "^%d+$"), name .. ": seconds are wanted, as a number")
end

local SOAK = seconds("GATEWAY_SOAK_SECONDS", 86400) -- for so long both keys work
local GRACE = seconds("GATEWAY_GRACE_SECONDS", 604800) -- for so long the old one is kept, disabled
local ADVANCE = seconds("GATEWAY_ADVANCE_SECONDS", 60) -- between two looks at what is due
local LOOK = 1 -- between two looks at the file

local client = confidentai.check(confidentai.new { timeout = 10 }) -- wrong settings: nginx does not start
local api_keys = client:project(PROJECT).api_keys
local path = FOLDER .. "/gateway.key"
local store = confidentai.store.file { path = path }
local state_dir = FOLDER .. "/state"

local secret -- of the file, in this worker

-- A small file of this machine: it is read faster than a timer is made. Where it is gone, what was read stays.
local function look()
  local file = io.open(path)
  if not file then
    return false
  end
  secret = file:read "*l" or secret
  file:close()
  return true
end

-- Calls a function now and then, in a timer: the next time is set at the end of each, so that two never overlap.
-- `premature`: this worker ends, and another goes on.
local function every(period, task)
  local function run(premature)
    if premature then
      return
    end
    local ok, problem = pcall(task)
    if not ok then
      ngx.log(ngx.ERR, "confidentai: ", tostring(problem)) -- errors hold no secret
    end
    assert(ngx.timer.at(period, run))
  end
  assert(ngx.timer.at(0, run))
end

-- What has been begun in this place and is not done.
local function under_way()
  local list, err, damaged = confidentai.rotation.open(client, { state_dir = state_dir })
  for _, problem in ipairs(damaged or {}) do
    ngx.log(ngx.ERR, "confidentai: ", tostring(problem))
  end
  return confidentai.check(list, err)
end

local told = {} -- by rotation: the stop that is in the log already

-- What waits for a person is in the log, once in each worker 0.
local function tell(begun)
  local status = begun:status()
  if status.attention == "stopped" and told[begun.id] ~= status.stop then
    told[begun.id] = status.stop
    ngx.log(ngx.ERR, "confidentai: ", (status.text:gsub("%s*\n%s*", " ")))
  end
end

-- What is due. All of it is on record before it is done, so that a worker may be killed at any time: whoever comes next
-- goes on.
local function work()
  for _, begun in ipairs(under_way()) do
    local state, err = begun:advance()
    if state then
      tell(begun)
    else -- kind "state": another worker is at it, which has just begun it
      ngx.log(err.kind == "state" and ngx.WARN or ngx.ERR, "confidentai: ", begun.base, ": ", tostring(err))
    end
  end
  if not look() then -- the first key: created exactly once, and in the file
    confidentai.check(api_keys:provision("gateway", { store = store, state_dir = state_dir }))
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

-- What a person wants to know, without the command's lines: it would look in another folder.
local function describe(rotation)
  return (rotation:status().text:gsub("\n  [^\n]*", ""))
end

-- The key whose secret is in the file.
local function current()
  look()
  for _, key in ipairs(confidentai.check(api_keys:find "gateway")) do
    local mask = key.value:match "[^*]*$" -- its last characters
    if secret and key.valid and mask ~= "" and secret:sub(-#mask) == mask then
      return key
    end
  end
  error("no enabled key of the project is the one in " .. path, 0)
end

-- One rotation at a time: while it is under way, it is shown. One in its grace is ended by the next.
local function rotate()
  for _, begun in ipairs(under_way()) do
    local status = begun:status()
    -- Not the first key, on its way.
    if status.kind == "rotation" and not status.finished and status.state ~= "grace" then
      return describe(begun)
    end
  end
  return describe(confidentai.check(api_keys:rotate(current(), {
    store = store, state_dir = state_dir, soak = SOAK, grace = GRACE,
  })))
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
  ngx.say((tostring(result):gsub("^/%S+:%d+: ", "")))
end

return gateway
