-- SPDX-License-Identifier: Apache-2.0
-- In Neovim: the longest gap of a timer of 5 ms, in milliseconds, while calls run. $SUBJECT: HOW BASE_URL CA_FILE COUNT
-- with - for libcurl's own authorities, and HOW:
--   idle      none run, for 1 s
--   gather    together, by gather
--   blocking  one after the other, by the blocking driver
-- luacheck: globals vim

local uv = vim.loop
local how, base_url, ca_file, count = os.getenv("SUBJECT"):match "(%S+) (%S+) (%S+) (%d+)"

local confidentai = require "confidentai"
local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url, ca_file = ca_file ~= "-" and ca_file or nil,
  driver = how == "blocking" and "blocking" or nil,
})

local tasks = {}
for i = 1, tonumber(count) do
  local project = client:project("clq9z3x1k0001la08f7t3g" .. i)
  tasks[i] = function() return confidentai.check(project.api_keys:list()) end
end

local run = {}

function run.idle()
  vim.wait(1000, function() return false end, 200)
end

function run.gather()
  local _, errors = confidentai.gather(tasks, { concurrency = #tasks })
  assert(next(errors) == nil, next(errors) and tostring(errors[next(errors)]))
end

function run.blocking()
  for _, task in ipairs(tasks) do
    task()
  end
end

local last, longest
local function tick()
  local now = uv.hrtime()
  longest = math.max(longest, (now - last) / 1e6)
  last = now
end

local function measure()
  last, longest = uv.hrtime(), 0
  local timer = uv.new_timer()
  timer:start(5, 5, tick)
  run[how]()
  tick() -- what a timer misses that could not run at all
  vim.wait(10, function() return false end)
  timer:close()
  return longest
end

local first = measure()
local second = measure() -- on the connections that are there
io.stdout:write(("first %.3f\nsecond %.3f\n"):format(first, second))
