-- SPDX-License-Identifier: Apache-2.0
-- What must be true at the moment in which the old key is disabled or deleted: the new key works now, and every store
-- holds it.

local proof = require "confidentai.rotation.proof"
local rivals = require "confidentai.rotation.rivals"
local stores = require "confidentai.rotation.stores"

local standing = {}

-- A store holds something else than the new secret: a rival's, or what somebody wrote by hand.
local function settle_conflict(job, found, label, content)
  local rival = found and rivals.owner(found, content)
  local ok, err
  if rival then
    job.record.superseded_by = rival.name
    ok, err = job:halt("superseded", ("another rotation of this key has published its own in %s"):format(label))
  else
    ok, err = job:halt("conflict", ("somebody has written the store %s: it does not hold the new key"):format(label))
  end
  return ok, err
end

---Checks everything. Halts when something is not as it must be.
---@param job confidentai.Job
---@param found? table rivals, as the service shows them now
---@return boolean? stands false: the rotation has halted
---@return confidentai.Error? err
function standing.check(job, found)
  local missing = stores.missing(job)
  local ok, err
  if missing then
    ok, err = job:halt("needs_store", ("the store %s has to be given again: rotation.open(client, { stores = ... })")
      :format(missing))
    return ok and false, err
  end
  local holds, label, content = stores.hold_new(job)
  if holds == nil then
    return nil, label
  elseif not holds then
    ok, err = settle_conflict(job, found, label, content)
    return ok and false, err
  end
  local result
  result, err = proof.work(job)
  if not result then
    return nil, err
  elseif result == "refused" then
    ok, err = job:halt("conflict", "the service refuses the new key now: enable it, or roll back")
    return ok and false, err
  end
  return true
end

return standing
