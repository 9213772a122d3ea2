-- SPDX-License-Identifier: Apache-2.0
-- What specs share: a sandbox for the file, clients of it, and a check after each test that nothing stays open.

local confidentai = require "confidentai"
local assert = require "luassert" -- in spec files, it and the words of busted are globals
local busted = require "busted"
local core = require "confidentai.core"
local sandbox_support = require "spec.sandbox.support"

local support = {}

---A client of a service, with options over the defaults of specs.
function support.client(service, options)
  local given = { api_key = service.api_key, base_url = service.base_url, ca_file = service.ca_file, timeout = 5 }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return confidentai.check(confidentai.new(given))
end

---Registers a sandbox with busted, as spec/sandbox/support.lua does, and a check after each test that no call is left.
---@param options? confidentai.SandboxOptions
function support.service(options)
  busted.after_each(function()
    assert.equal(0, core.engine():in_flight())
  end)
  return sandbox_support.service(options)
end

---The entries of the service's log of one method, or all.
function support.requests(service, method)
  local found = {}
  for _, entry in ipairs(assert(service:log())) do
    if not method or entry.method == method then
      found[#found + 1] = entry
    end
  end
  return found
end

---How many requests of a method took effect, as the service counted.
function support.applied(service, method)
  local count = 0
  for _, entry in ipairs(support.requests(service, method)) do
    count = count + (entry.applied and 1 or 0)
  end
  return count
end

---The service's own record of a key, secret included.
function support.key_on_service(service, scope, id, project_id)
  for _, key in ipairs(assert(service:state()).keys) do
    if key.scope == scope and tostring(key.id):gsub("%.0$", "") == tostring(id)
      and (scope == "organization" or key.project_id == project_id) then
      return key
    end
  end
end

---Keys of a name that the service holds at a scope.
function support.keys_named(service, name)
  local found = {}
  for _, key in ipairs(assert(service:state()).keys) do
    if key.name == name then
      found[#found + 1] = key
    end
  end
  return found
end

---Asserts that an error has these fields.
function support.assert_error(expected, err)
  assert.is_table(err)
  for field, value in pairs(expected) do
    assert.equal(value, err[field], ("err.%s of %s"):format(field, tostring(err)))
  end
end

return support
