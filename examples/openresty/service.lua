-- SPDX-License-Identifier: Apache-2.0
-- The client that all handlers share, made in init_by_lua, before the workers are. Each worker has its own connections.

local confidentai = require "confidentai"

-- A credential and an address from the environment. A client of nginx's waits not long: a request is held up meanwhile.
local client = confidentai.check(confidentai.new { timeout = 5, max_retries = 1 })

local service = { client = client }

---The keys that belong to tenants: those of one project, or else of the organization.
local project = os.getenv "TENANT_PROJECT_ID"
service.api_keys = (project and client:project(project) or client:organization()).api_keys

return service
