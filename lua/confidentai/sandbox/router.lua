-- SPDX-License-Identifier: Apache-2.0
-- From method and path to the operation that they name.

local path = require "confidentai.sandbox.path"

local router = {}

-- The calls of the platform, below /v1 and /v2. `:name` stands for one segment, kept under that name.
local routes = {}

-- By the name of an operation: the methods and scopes that it is asked with, and the names in its path.
router.operations = {}

local function describe(operation, method, scope, names)
  local known = router.operations[operation] or { methods = {}, scopes = {}, names = {} }
  router.operations[operation] = known
  known.methods[method], known.scopes[scope] = true, true
  for _, name in ipairs(names) do known.names[name] = true end
end

-- `newer`: only below /v2.
local function route(template, scope, operations, newer)
  local segments, names = {}, {}
  for segment in template:gmatch("[^/]+") do
    segments[#segments + 1] = segment
    names[#names + 1] = segment:match("^:(.*)")
  end
  for method, operation in pairs(operations) do describe(operation, method, scope, names) end
  routes[#routes + 1] = { segments = segments, scope = scope, operations = operations, newer = newer }
end

local collection = { GET = "list", POST = "create" }
local item = { GET = "get", PUT = "update", DELETE = "delete" }

route("/organization", "organization", { GET = "organization" })
route("/organization/api-keys", "organization", collection)
route("/organization/api-keys/:key_id", "organization", item)
route("/organization/api-keys/:key_id/rotate", "organization", { POST = "rotate" }, true)
route("/projects", "organization", { GET = "projects" })
route("/projects/:project_id", "project", { GET = "project" })
route("/projects/:project_id/api-keys", "project", collection)
route("/projects/:project_id/api-keys/:key_id", "project", item)
route("/projects/:project_id/api-keys/:key_id/rotate", "project", { POST = "rotate" }, true)
route("/annotation-queues", "project", { GET = "annotation_queues" })

local function matches(candidate, segments, newer)
  if #candidate.segments ~= #segments - 1 or candidate.newer and not newer then return nil end
  local found = { scope = candidate.scope, newer = newer or nil }
  for index, expected in ipairs(candidate.segments) do
    local name = expected:match("^:(.*)")
    if name then
      found[name] = segments[index + 1]
    elseif expected ~= segments[index + 1] then
      return nil
    end
  end
  return found
end

local function allowed(operations)
  local methods = {}
  for method in pairs(operations) do methods[#methods + 1] = method end
  table.sort(methods)
  return table.concat(methods, ", ")
end

---Finds the operation. The result always has `path`, normalized, when the path could be read at all.
---@param method string
---@param target string the path as received
---@param base table the base path's segments
---@param generation integer 1: only /v1; 2: /v2 as well
---@return table route { operation, scope, project_id?, key_id?, newer? = below /v2, path } or
---{ status, message, allow?, path? }
function router.resolve(method, target, base, generation)
  local segments, message = path.split(target)
  if not segments then return { status = 400, message = message } end
  segments = path.below(segments, base)
  if not segments then return { status = 404, message = "Not found: outside the base path" } end
  local normalized = path.join(segments)
  local newer = generation == 2 and segments[1] == "v2"
  for _, candidate in ipairs((newer or segments[1] == "v1") and routes or {}) do
    local found = matches(candidate, segments, newer)
    if found then
      found.path = normalized
      found.operation = candidate.operations[method]
      if not found.operation then
        found.status, found.message = 405, "Method not allowed"
        found.allow = allowed(candidate.operations)
      end
      return found
    end
  end
  return { status = 404, message = "Not found", path = normalized }
end

return router
