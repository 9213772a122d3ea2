-- SPDX-License-Identifier: Apache-2.0
-- proven: the new secret is tried on connections of its own before anybody gets it.

local proof = require "confidentai.rotation.proof"
local quarantine = require "confidentai.rotation.quarantine"
local standing = require "confidentai.rotation.standing"

-- Seconds between two tries while the service spreads a new key.
local POLL = 1

---@param job confidentai.Job
return function(job)
  local alone, err = standing.is_alone(job)
  if not alone then
    return alone == false or nil, err
  end
  local result
  result, err = proof.work(job, "managing")
  if not result then
    return nil, err
  elseif result == "refused" and proof.is_spreading(job) then
    return false, POLL, true
  end
  local ok
  if result == "refused" then
    quarantine.add(job, { job.record.new })
    job.record.finished = true
    ok, err = job:halt("unproven", "the service refuses the new key's secret, so this rotation removes that key; the "
      .. "old key is as it was")
  else
    ok, err = job:enter("published", "proven")
  end
  return ok, err
end
