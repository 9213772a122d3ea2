-- SPDX-License-Identifier: Apache-2.0
-- What a person may tell a rotation, as far as its record says. The verbs refuse by this, and the commands that are
-- printed are chosen by it, so that no message names a command that is refused.

local notice = require "confidentai.rotation.notice"
local stores = require "confidentai.rotation.stores"

local allowed = {}

---Returns why a rotation cannot go back; nil: it can.
---@param record table
---@return string?
function allowed.rollback(record)
  if record.finished then
    return "the rotation has ended"
  elseif record.deleting then
    return "the delete of the old key is on record: it may be gone"
  elseif record.options.compromised and record.published then
    return "the old key is compromised, so there is no way back to it: rotate again"
  elseif record.kind == "rotation" and record.published and not record.old then
    return "there is no old key to go back to"
  end
end

---Returns why a rollback cannot be withdrawn; nil: it can.
---@param record table
---@return string?
function allowed.keep(record)
  if not record.rollback then
    return "no rollback is under way"
  elseif record.finished then
    return "the rotation has ended"
  elseif not stores.may_hold_new { record = record } then
    return "the new key was not published, and is being removed: rotate again"
  elseif record.back and record.back.deleting then
    return "the delete of the new key is on record: it may be gone"
  end
end

---Returns why the stores may not be written again; nil: they may.
---@param record table
---@return string?
function allowed.republish(record)
  if record.finished then
    return "the rotation has ended"
  elseif record.stop == "superseded" then
    return "the store holds the key of another rotation"
  elseif record.rollback and record.cause ~= "new_held" then
    return "the rotation is rolled back: keep withdraws that"
  elseif not record.published and record.cause ~= "store_written" then
    return "the new secret is not published yet: advance"
  end
end

-- What a confirmation means to a rollback; nil: nothing.
local function confirm_back(record)
  if notice.is_owed(record) and record.notice.problem then
    return "users_told"
  elseif record.back and record.back.unknown then
    return "put_back"
  end
  return record.cause == "new_used" and "new_used" or nil
end

---Returns what a confirmation means now; nil: nothing.
---@param record table
---@return "users_told"|"put_back"|"new_used"|"keys_stay"|"taken_over"|"old_used"|nil
function allowed.confirm(record)
  if record.finished then
    return nil
  elseif record.rollback then
    return confirm_back(record)
  elseif record.stop == "superseded" then
    return "keys_stay"
  elseif record.state == "soaking" and record.stop ~= "conflict" and record.stop ~= "needs_store" then
    return not record.confirmed and "taken_over" or nil
  end
  return record.cause == "old_used" and "old_used" or nil
end

return allowed
