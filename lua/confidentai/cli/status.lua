-- SPDX-License-Identifier: Apache-2.0
-- The exit statuses of the command, all of them.

local refusal = require "confidentai.refusal"

local status = {
  ok = 0,             -- all that is due is done
  failed = 1,
  usage = 2,          -- wrong options or arguments
  findings = 3,       -- an audit, or a list of rotations, found what it was asked to fail for
  authentication = 4, -- the service refuses the credential
  unclear = 5,        -- a change may have happened; the message says how to settle it
  refused = 6,        -- for safety
  unfinished = 7,     -- only where --wait or --require-done asked for the end
}

---The status of an error.
---@param err confidentai.Error
---@return integer
function status.of(err)
  if err.exit then
    return err.exit
  elseif err.outcome == "unknown" then
    return status.unclear
  elseif err.kind == "guard" then
    return status.refused
  elseif refusal.is(err, 401, 403) then -- a proxy's word says nothing of the credential
    return status.authentication
  end
  return status.failed
end

return status
