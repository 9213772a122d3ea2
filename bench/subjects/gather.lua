-- SPDX-License-Identifier: Apache-2.0
-- Lists the keys of so many projects: BASE_URL CA_FILE PROJECTS CONCURRENCY    CONCURRENCY 0: one after the other
-- Prints milliseconds from the first call to the last answer, connections included.

local confidentai = require "confidentai"
local core = require "confidentai.core"

local base_url, ca_file, projects, concurrency = ...
local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url, ca_file = ca_file,
})

local tasks = {}
for i = 1, tonumber(projects) do
  local project = client:project("clq9z3x1k0001la08f7t3g" .. i)
  tasks[i] = function()
    local keys = confidentai.check(project.api_keys:list())
    return #keys
  end
end

local started = core.now()
if concurrency == "0" then
  for i = 1, #tasks do
    assert(tasks[i]() == 20)
  end
else
  local results, errors = confidentai.gather(tasks, { concurrency = tonumber(concurrency) })
  for i = 1, results.n do
    assert(results[i] == 20, errors[i])
  end
end
print(("wall %.3f"):format((core.now() - started) * 1e3))
