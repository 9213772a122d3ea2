-- SPDX-License-Identifier: Apache-2.0
-- grace: the old key is kept, disabled, so that there is a way back. At each look the new one must work.

local calls = require "confidentai.rotation.calls"
local retire = require "confidentai.rotation.retire"
local standing = require "confidentai.rotation.standing"

-- Seconds between two looks.
local LONGEST = 3600

---@param job confidentai.Job
return function(job)
  local record = job.record
  local ok, err
  if not record.old or not record.old.id then
    ok, err = job:enter("done", "there is no old key to delete")
    return ok, err
  end
  local old
  old, err = calls.get(job, record.old.id)
  if old == nil then
    return nil, err
  elseif old and old.valid then
    record.disabled_by = "others" -- whoever disables it now
    ok, err = job:halt("old_enabled", "another process or person has enabled the old key again")
    return ok, err
  end
  ok, err = standing.watch(job)
  if not ok then
    return ok == false or nil, err
  end
  local left = old and retire.left(job, record) or 0
  if left > 0 then
    return false, math.min(left, LONGEST)
  end
  ok, err = job:enter("done", "the grace is over")
  return ok, err
end
