-- SPDX-License-Identifier: Apache-2.0
-- The error that keeps a rotation from going on is put on record, so that whoever looks later can tell why nothing
-- happens. It is a note and no state: it is cleared by the next run that succeeds.

local core = require "confidentai.core"
local record = require "confidentai.rotation.record"

local trouble = {}

-- Bytes of a message that are kept.
local LONGEST = 500

---Puts an error on record: `trouble = { at, message, count }`. Best effort: the error itself is what counts. The record
---is read again, as the one in memory may hold what was not to be written yet.
---@param job confidentai.Job
---@param err confidentai.Error
function trouble.note(job, err)
  if err.kind == "cancelled" or not job.version then -- nothing is wrong with it, or nothing is on record
    return
  end
  local content, version = record.read(job.state, job.key)
  if not content or content.id ~= job.record.id or version ~= job.version then
    return
  end
  local message = core.redact(tostring(err.message)):sub(1, LONGEST)
  local before = content.trouble
  content.trouble = { at = job.clock(), message = message, count = (before and before.count or 0) + 1 }
  local written = record.write(job.state, job.key, content, version)
  if written then
    job.version, job.record.trouble, job.record.revision = written, content.trouble, content.revision
  end
end

-- Seconds after which a look at the keys that found nothing new is on record, too.
local REMIND = 1800

---Writes what a run that succeeded has changed in memory only: there is no error any more, a stop was resolved, the
---keys were looked at. Whoever reads the record without asking the service has to see that.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err the record could not be written
function trouble.clear(job)
  local content, ok, err = job.record
  local is_resolved = job.halted.stop and not content.stop
  local is_late = job.has_looked and job.clock() - (job.kept_at or 0) >= REMIND
  if not content.trouble and not is_resolved and not is_late then
    return true
  end
  content.trouble = nil
  if is_resolved then
    ok, err = job:save "continues: what had stopped it is resolved"
  else
    ok, err = job:keep()
  end
  return ok, err
end

return trouble
