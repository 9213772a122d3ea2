-- SPDX-License-Identifier: Apache-2.0
-- Specifies for a host that behaviour.lua holds in it.

local assert = require "luassert"
local busted = require "busted"
local behaviour = require "spec.hosts.behaviour"
local support = require "spec.support"
local uv = require "luv"

---Registers a spec for each entry.
---@param service table of support.service
---@param run fun(name: string, facts: table): boolean, string? runs the entry inside of the host
return function(service, run)
  for _, entry in ipairs(behaviour) do
    busted.it(entry.name, function()
      for _, fault in ipairs(entry.faults or {}) do
        assert(service:fault(fault))
      end
      local before = uv.hrtime()
      local ok, problem = run(entry.name, {
        base_url = service.base_url, api_key = service.api_key, project_id = service.projects[1].id,
      })
      local seconds = (uv.hrtime() - before) / 1e9
      assert.is_true(ok, problem)
      assert.is_true(seconds < (entry.seconds or 4), ("it took %.1f s"):format(seconds))
      if entry.posts then
        assert.equal(entry.posts, #support.requests(service, "POST"))
      end
    end)
  end
end
