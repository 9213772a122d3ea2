-- SPDX-License-Identifier: Apache-2.0
-- What must be true at the moment in which the old key is disabled or deleted: the new key works now, and every store
-- holds it.

local proof = require "confidentai.rotation.proof"
local rivals = require "confidentai.rotation.rivals"
local stores = require "confidentai.rotation.stores"

local standing = {}

---Proves the new key now. Halts when the service refuses it.
---@param job confidentai.Job
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.prove(job)
  local result, err = proof.work(job)
  if result ~= "refused" then
    return result and true, err
  end
  local ok
  ok, err = job:halt("conflict", "the service refuses the new key now: enable it, or roll back")
  return ok and false, err
end

---Checks everything. Halts when something is not as it must be.
---@param job confidentai.Job
---@param found table rivals, as the service shows them now
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.check(job, found)
  local ok, err = stores.complete(job)
  if not ok then
    return ok, err
  end
  local holds, label, content = stores.hold_new(job)
  if holds == nil then
    return nil, label
  elseif not holds then
    ok, err = rivals.settle(job, found, label, content)
    return ok and false, err
  end
  ok, err = standing.prove(job)
  return ok, err
end

return standing
