-- SPDX-License-Identifier: Apache-2.0
-- The command that a rotation runs once its stores hold another secret, so that what reads them takes it over: a reload
-- of a service. That it is owed is on record before it runs, so that it runs at least once. Its failure stops nothing,
-- but while it has not succeeded the old key stays as it is.

local exec = require "confidentai.store.exec"

local notice = {}

-- Seconds that the command may take, and between two tries.
local TIMEOUT = 300
notice.AGAIN = 60

---Puts on record that the command is owed. The caller saves.
---@param record table
---@param what "published"|"restored" what happened to the stores
function notice.owe(record, what)
  if record.options.on_published then
    record.notice = { of = what, tries = 0 }
  end
end

---Whether the command has not succeeded yet.
---@param record table
---@return boolean
function notice.is_owed(record)
  return record.notice ~= nil and not record.notice.done
end

---Runs a command. A store that is given nothing is a command that is run: without a shell, without the client's
---credential, and ended when nothing waits for it any more.
---@param job { pause: function }
---@param options { on_published: string[], on_published_folder: string } as rotation.options has them
---@return true?
---@return string? problem
function notice.run(job, options)
  local ok, problem = exec.new({ command = options.on_published, folder = options.on_published_folder,
    timeout = TIMEOUT, name = "on_published" }):put("", job)
  return ok, problem and tostring(problem):gsub("^exec:on_published: its command ", "")
end

---Runs the command if it is owed.
---@param job confidentai.Job
---@return true? nil: the record could not be written; a command that fails is on record, and no error
---@return confidentai.Error? err
function notice.work(job)
  local record = job.record
  if not notice.is_owed(record) then
    return true
  end
  record.notice.tries = record.notice.tries + 1
  local ok, err = job:save "running the command on_published"
  if not ok then
    return nil, err
  end
  local done, problem = notice.run(job, record.options)
  record.notice.done, record.notice.problem = done, problem
  ok, err = job:save(done and "the command on_published has succeeded" or "the command on_published has failed",
    { problem = record.notice.problem })
  return ok, err
end

---What there is to know about the command; nil: there is none, or it is not time yet.
---@param record table
---@return { state: "owed"|"failed"|"succeeded", tries: integer, problem: string? }?
function notice.of(record)
  local found = record.notice
  return found and { state = found.done and "succeeded" or found.problem and "failed" or "owed", tries = found.tries,
    problem = found.problem } or nil
end

return notice
