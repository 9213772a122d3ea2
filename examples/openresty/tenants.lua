-- SPDX-License-Identifier: Apache-2.0
-- POST /tenants/NAME: makes the key of a tenant, once, and gives its secret.
-- luacheck: globals ngx

local cjson = require "cjson"
local service = require "service"

local tenants = {}

-- Seconds. A lock outlives the longest that the two calls below can take, each of two attempts of 5 s and up to 60 s
-- that the service asks to wait between; it ends by itself when a worker dies. After a create whose outcome is unknown,
-- the service may still be at it: for so long, a list without the key proves nothing.
local LOCK, SETTLE = 180, tonumber(os.getenv "TENANT_SETTLE_SECONDS") or 120

local shared = ngx.shared.tenants

local function answer(status, value)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  if value.retry_after then
    ngx.header["Retry-After"] = value.retry_after
  end
  ngx.say(cjson.encode(value))
end

-- The service, or the way to it, failed: the caller may come again, and finds out then what is there.
local function fail(tenant, err)
  ngx.log(ngx.WARN, "tenant ", tenant, ": ", tostring(err)) -- never holds a secret
  answer(502, { error = err.kind, message = err.message, outcome = err.outcome })
end

-- A create that may have happened is noted, and said, but not repeated.
local function create(tenant, name)
  local key, err = service.api_keys:create(name)
  if key then
    return answer(201, { id = key.id, name = key.name, secret = key.value })
  elseif err.outcome ~= "unknown" then
    return fail(tenant, err)
  end
  shared:set("unclear:" .. tenant, true, SETTLE)
  ngx.log(ngx.ERR, "tenant ", tenant, ": a key may have been created: ", tostring(err))
  answer(502, { error = "unknown", message = "a key may have been created; ask again later", retry_after = SETTLE })
end

local function provision(tenant)
  local name = "tenant-" .. tenant
  local found, err = service.api_keys:find(name)
  if not found then
    return fail(tenant, err)
  elseif found[1] then
    -- The secret was shown when the key was made. Who has lost it deletes the key, and asks for a new one.
    return answer(409, { error = "exists", id = found[1].id, name = name, message = "the tenant has a key already" })
  elseif shared:get("unclear:" .. tenant) then
    return answer(503, { error = "unsettled", message = "an earlier create may still happen", retry_after = 10 })
  end
  return create(tenant, name)
end

---The handler. One request for a tenant at a time, in all workers of this nginx. Several machines need a lock that they
---share.
function tenants.provision()
  local tenant = ngx.var.uri:match "^/tenants/(%l[%l%d-]*)$"
  if not tenant or #tenant > 40 then
    return answer(404, { error = "name", message = "a tenant's name is of a-z, 0-9 and -, up to 40" })
  elseif ngx.req.get_method() ~= "POST" then
    ngx.header["Allow"] = "POST"
    return answer(405, { error = "method", message = "POST makes a key" })
  end
  local locked, problem = shared:add("lock:" .. tenant, true, LOCK)
  if not locked then
    return answer(503, { error = "busy", message = "another request is at it: " .. problem, retry_after = 1 })
  end
  local ok, raised = pcall(provision, tenant)
  shared:delete("lock:" .. tenant)
  if not ok then
    error(raised, 0)
  end
end

return tenants
