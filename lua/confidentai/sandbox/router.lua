-- SPDX-License-Identifier: Apache-2.0
-- From method and path to the operation that they name.

local path = require "confidentai.sandbox.path"

local router = {}

-- The calls of the platform. `:name` stands for one segment, kept under that name.
local routes = {}

-- The names of all operations, as keys.
router.operations = {}

local function route(template, scope, operations)
  local segments = {}
  for segment in template:gmatch("[^/]+") do segments[#segments + 1] = segment end
  for _, operation in pairs(operations) do router.operations[operation] = true end
  routes[#routes + 1] = { segments = segments, scope = scope, operations = operations }
end

local collection = { GET = "list", POST = "create" }
local item = { GET = "get", PUT = "update", DELETE = "delete" }

route("/v1/organization", "organization", { GET = "organization" })
route("/v1/organization/api-keys", "organization", collection)
route("/v1/organization/api-keys/:key_id", "organization", item)
route("/v1/projects", "organization", { GET = "projects" })
route("/v1/projects/:project_id", "project", { GET = "project" })
route("/v1/projects/:project_id/api-keys", "project", collection)
route("/v1/projects/:project_id/api-keys/:key_id", "project", item)
route("/v1/annotation-queues", "project", { GET = "annotation_queues" })

local function matches(candidate, segments)
  if #candidate.segments ~= #segments then return nil end
  local found = { scope = candidate.scope }
  for index, expected in ipairs(candidate.segments) do
    local name = expected:match("^:(.*)")
    if name then
      found[name] = segments[index]
    elseif expected ~= segments[index] then
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
---@return table route { operation, scope, project_id?, key_id?, path } or { status, message, allow?, path? }
function router.resolve(method, target, base)
  local segments, message = path.split(target)
  if not segments then return { status = 400, message = message } end
  segments = path.below(segments, base)
  if not segments then return { status = 404, message = "Not found: outside the base path" } end
  local normalized = path.join(segments)
  for _, candidate in ipairs(routes) do
    local found = matches(candidate, segments)
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
