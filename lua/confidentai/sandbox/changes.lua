-- SPDX-License-Identifier: Apache-2.0
-- The one place where operations take effect: at once, late, twice, or by somebody else's hand. What they changed is
-- noted in the log.

local operations = require "confidentai.sandbox.operations"
local witness = require "confidentai.sandbox.witness"

local Changes = {}
Changes.__index = Changes

local changing = { create = true, update = true, delete = true, rotate = true }

---What to note of an operation that took effect.
---@param fields table { service, journal, save = function }
---@return table changes
function Changes.new(fields)
  return setmetatable(fields, Changes)
end

---Carries out a request that was admitted, and completes its entry in the log.
---@param request table as operations.perform takes it
---@param entry table of the log
---@return table answer { status, body, headers? }
function Changes:carry_out(request, entry)
  local service = self.service
  local observations = changing[request.operation] and witness.look(service) or {}
  local answer = operations.perform(service, request)
  entry.applied = answer.ok or false
  local key = answer.changed
  if key then
    entry.change = {
      key_id = key.id, name = key.name, valid = key.valid and not key.died,
      revision = service.revision, time = service:now(),
    }
    entry.witness = witness.conclude(service, observations)
  end
  self.save()
  return answer
end

return Changes
