-- SPDX-License-Identifier: Apache-2.0
-- Broken answers of the service, on real sockets through the binding; with sanitizers by scripts/fuzz:
--   scripts/run lua5.4 spec/fuzz/service.lua    see runner.lua for how long, and how to repeat
-- $CONFIDENTAI_FUZZ_GROWTH: fails when the process grows; not for a build with sanitizers, which keep freed memory.

local answers = require "spec.fuzz.service.answers"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local judge = require "spec.fuzz.service.judge"
local runner = require "spec.fuzz.runner"
local server = require "spec.fuzz.service.server"

-- Bytes of an answer that are taken, and by which the process may grow once it has done everything many times.
local LARGEST, GROWTH = 65536, 24 * 2 ^ 20

local service = server.start()
local client = confidentai.check(confidentai.new { api_key = answers.OWN, base_url = service.base_url, max_retries = 0,
  timeout = 1, max_response_bytes = LARGEST, driver = service:driver() })
local organization, project = client:organization(), client:project "p1"

local operations, names = {}, {}

local function add(name, answer, shape, run, more)
  local operation = more or {}
  operation.name, operation.answer, operation.shape, operation.run = answer, answer, shape, run
  operations[name] = operation
  names[#names + 1] = name
end

for scope, keys in pairs { organization = organization.api_keys, project = project.api_keys } do
  local function of_keys(name, shape, run, more)
    more = more or {}
    more.scope, more.project_id = scope, scope == "project" and "p1" or nil
    add(scope .. " " .. name, name, shape, run, more)
  end
  local force = { force = true }
  of_keys("list", "keys", function() return keys:list() end)
  of_keys("get", "key", function() return keys:get(7) end)
  of_keys("create", "key", function() return keys:create "ci" end, { changes = true })
  of_keys("enable", "key", function() return keys:enable(7) end, { changes = true, valid = true })
  of_keys("disable", "key", function() return keys:disable(7, force) end, { changes = true, valid = false })
  of_keys("delete", "deleted", function() return keys:delete(7, force) end, { changes = true })
end
add("projects", "projects", "projects", function() return client.projects:list() end)
add("project", "project", "record", function() return project:get() end)
add("organization", "organization", "record", function() return organization:get() end)
table.sort(names) -- so that a seed means the same each time

local function try(name, random)
  local operation = operations[name]
  local answer = answers.make(operation.answer, random)
  service:prepare(answer)
  local ok, result, err = pcall(operation.run)
  runner.require(ok, answer.raw, "it raised: %s", tostring(result))
  judge.call(operation, answer, service.requests, result, err)
  runner.require(core.engine():in_flight() == 0, answer.raw, "%d calls are left", core.engine():in_flight())
end

-- Bytes of the process that are in memory; 0 where the system does not say.
local function resident()
  local file = io.open "/proc/self/statm"
  local pages = file and tonumber(file:read("*a"):match "^%d+ (%d+)") or 0
  if file then
    file:close()
  end
  return pages * 4096
end

local before

-- Whatever is kept for each call shows after some thousand.
local function watch(count)
  collectgarbage()
  if count == 4096 then
    before = resident()
  elseif before then
    local grown = resident() - before
    runner.require(grown < GROWTH or not os.getenv "CONFIDENTAI_FUZZ_GROWTH", nil, "%.1f MiB more after %d calls",
      grown / 2 ^ 20, count)
  end
end

runner.run("scripts/run lua5.4 spec/fuzz/service.lua", names, try, watch)
print(("%.1f MiB in memory, %.1f MiB more than after 4096 runs"):format(resident() / 2 ^ 20,
  before and (resident() - before) / 2 ^ 20 or 0))
client:close()
service:stop()
