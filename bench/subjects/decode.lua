-- SPDX-License-Identifier: Apache-2.0
-- 10,000 keys: WHAT BASE_URL FILE COUNT
--   list    this library: the whole call; and of it, taking the result: decoding, checking and making the objects
--   cjson   cjson.decode of the same text, read from FILE
-- Prints milliseconds, the fastest of COUNT; and by how much the peak of memory grew, in KiB, from before the first.

local core = require "confidentai.core" -- in both, so that both begin with the same memory
local confidentai = require "confidentai"
local cjson = require "cjson"

local what, base_url, path, count = ...

local function memory(field)
  return tonumber(io.open("/proc/self/status"):read("*a"):match(field .. ":%s*(%d+)"))
end

local function read()
  local file = assert(io.open(path))
  local size = file:seek "end"
  file:seek "set"
  local text = file:read(size)
  file:close()
  return text
end

local run = {}

function run.cjson()
  local text = read()
  local started = core.now()
  local answer = cjson.decode(text)
  return core.now() - started, answer
end

local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url,
})
local api_keys = client:organization().api_keys

-- What list() consists of (lua/confidentai/operation.lua), timed while the result is taken.
function run.result()
  local call = client:start("GET", { "v1", "organization", "api-keys" })
  while not call:done() do
    core.engine():step(-1)
  end
  local started = core.now()
  local keys = confidentai.check(call:result("api_keys", api_keys))
  return core.now() - started, keys
end

function run.list()
  local started = core.now()
  local keys = confidentai.check(api_keys:list())
  return core.now() - started, keys
end

collectgarbage()
collectgarbage()
local before, best = memory "VmRSS", math.huge
for i = 1, tonumber(count) do
  collectgarbage()
  local seconds = run[what]()
  best = math.min(best, seconds)
  if i == 1 then
    print(("growth %d"):format(memory "VmHWM" - before))
  end
end
print(("best %.3f"):format(best * 1e3))
