-- SPDX-License-Identifier: Apache-2.0
-- creating: one POST under a name that is on record, and what its answer means. The new key's name is recorded before,
-- so that a create whose answer is lost is settled by looking for it.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"
local names = require "confidentai.rotation.names"
local operation = require "confidentai.operation"
local quarantine = require "confidentai.rotation.quarantine"
local suspects = require "confidentai.rotation.suspects"

-- New names after the first, until it is given up.
local MOST_OPS = 3

-- Seconds between two looks for a key whose create is unclear.
local POLL = 2

-- How often the time of settling is waited for a list that leaves no keys out.
local PATIENCE = 3

-- Seconds: the first wait before a create that was not sent is sent again, the longest, and the longest that the
-- service may ask for: the error of a longer one is given back, and the next run continues.
local BACKOFF, LONGEST_BACKOFF, LONGEST_ASKED = 0.5, 8, 60

-- Times that one run sends the same name, provably unsent or refused for now, before it gives the error back.
local MOST_TRIES = 6

-- Records a new name, and that it is about to be sent.
local function name_anew(job)
  local record, before = job.record, job.record.attempt
  local op, earlier = names.op(job.random), nil
  local ok, err = job.escrow:reserve()
  if not ok then
    return nil, err
  elseif before then
    earlier = before.earlier or {}
    earlier[#earlier + 1] = { name = before.name, op = before.op, from = before.from }
  end
  record.attempt = {
    op = op, name = names.make(record.base, record.generation, op), number = (before and before.number or 0) + 1,
    sent = true, from = job:mark(), earlier = earlier,
  }
  ok, err = job:enter("creating", "creating", { name = record.attempt.name })
  if ok then
    job.sendable = op
  end
  return ok, err
end

-- The create may have happened.
local function make_unclear(job, final)
  local attempt = job.record.attempt
  attempt.unclear, attempt.final = job:mark(), final or attempt.final
  local ok, err = job:save("it is unclear whether the key was created: looking for it", { name = attempt.name })
  return ok, err
end

-- The create certainly did not happen: the same name is sent again, after a while.
local function send_again(job, err)
  local attempt = job.record.attempt
  job.tries = (job.tries or 0) + 1
  attempt.sent = false
  local ok, problem = job:save("the create was not carried out: " .. err.kind, { name = attempt.name })
  if not ok then
    return nil, problem
  elseif job.tries >= MOST_TRIES or (err.retry_after or 0) > LONGEST_ASKED then
    err.state = job.record.state
    return nil, err
  end
  return false, err.retry_after or math.min(LONGEST_BACKOFF, BACKOFF * 2 ^ (job.tries - 1)), true
end

-- The service gave keys of ours another name than was sent: they could not be found again by it, so they must go.
local function stop_altered(job, identities)
  local record = job.record
  quarantine.add(job, identities)
  suspects.add(job, record.attempt)
  record.finished = true
  local ok, err = job:halt("name_altered", ("the service stored the name of the new key, '%s', as '%s', by which it "
    .. "could not be found again, so this rotation removes the key"):format(record.attempt.name,
    tostring(identities[1].name)))
  return ok, err
end

-- The new key, as its own address shows it, and its secret is in the escrow. From here on its id is known.
local function accept(job, key)
  local record = job.record
  record.new = calls.identity(job, key)
  job:see(record.new.id, key)
  record.attempt.unclear, record.attempt.to = nil, record.attempt.to or job:mark()
  if key.name ~= record.attempt.name then
    local stopped, problem = stop_altered(job, { record.new })
    return stopped, problem
  end
  record.escrowed = job:mark()
  local ok, err = job:enter("escrowed", "created", { key = record.new.id, name = key.name })
  return ok, err
end

-- Looks at the key that an answer names: what an answer says of itself may be of another, as a cache that repeats one
-- shows. Returns the key if it is the one that was made: it was not there before, was created since, and ends as the
-- secret does; false: it is not, and nothing of it is touched.
local function find_made(job, answered)
  local key, err = calls.ask(job, core.key_id(job.api_keys, answered))
  if not key then
    return key, err
  end
  local ours = guard.is_ours(job, key, { attempt = job.record.attempt })
  return ours and key.value:sub(-6) == answered.value:sub(-6) and key
end

-- Without an escrow nobody would hold the secret after this process: the key goes, from memory.
local function drop(job, answered, err)
  local key = answered and find_made(job, answered)
  if key then
    local identity = calls.identity(job, key)
    quarantine.add(job, { identity })
    job.made = { [identity.id] = true }
    job:save("the pending secret could not be saved: removing the new key", { key = key.id })
    quarantine.work(job) -- what is left of it is found by its name
  end
  err.state = job.record.state
  return nil, err
end

local function classify(job, err)
  if err.outcome == "not_applied" and (not err.status or err.status == 429 or err.status == 503) then
    local done, wait, short = send_again(job, err)
    return done, wait, short
  end
  local refused = err.outcome == "not_applied" and err.status and err.status < 500
  local ok, problem = make_unclear(job, refused and "the service refused to create a key: " .. err.message or nil)
  return ok, problem
end

-- Whether an answer is that of a create that happened, or broke off. What refuses is not kept: the room is made once.
local function may_hold_secret(call)
  local attempts = call:info().attempts
  local status = attempts[#attempts] and attempts[#attempts].status
  return not status or status < 300
end

local function send(job)
  local attempt = job.record.attempt
  job.sendable = nil
  if not attempt.sent then
    local ok, err = job.escrow:reserve()
    attempt.sent = true
    if ok then
      ok, err = job:save("creating", { name = attempt.name })
    end
    if not ok then
      return nil, err
    end
  end
  local call, err = calls.create(job, attempt.name)
  if not call then
    job.sendable, attempt.sent = attempt.op, false
    return nil, err
  end
  local answer, kept, problem = call:body(), nil, nil
  if answer ~= "" and may_hold_secret(call) then
    kept, problem = job.escrow:keep_answer(attempt.op, answer)
  end
  local key
  key, err = operation.take(job.client, { shape = "new_api_key", owner = job.api_keys }, call)
  if problem and not kept then
    return drop(job, key, problem)
  end
  local found = key and find_made(job, key)
  local ok
  if found then
    job.made = { [core.key_id(job.api_keys, found)] = true }
    ok, problem = accept(job, found)
    return ok, problem
  elseif key then -- of which key it is cannot be told yet, or it is of another
    ok, problem = make_unclear(job)
    return ok, problem
  end
  local done, wait, short = classify(job, err)
  return done, wait, short
end

-- Of keys that carry the name: the one whose secret the escrow holds, if any, and those that are nobody's. Whether the
-- secret works is proven later, as that of any new key.
local function claim(job, found)
  local attempt, ours, others = job.record.attempt, nil, {}
  for _, key in ipairs(found) do
    local identity = calls.identity(job, key)
    if not ours and not attempt.final and job.escrow:secret(attempt.op, identity.last6) then
      ours = key
    else
      others[#others + 1] = identity
    end
  end
  return ours, others
end

-- Gives a name up. What the service may still make of it is looked for later.
local function give_up(job)
  local record, attempt = job.record, job.record.attempt
  suspects.add(job, attempt)
  local ok, err
  if attempt.final then
    record.finished = true
    ok, err = job:halt(record.rollback and "rolled_back" or "create_refused", attempt.final)
  elseif attempt.number >= MOST_OPS then
    record.finished = true
    ok, err = job:halt("creates_unclear",
      ("%d creates were sent, and none can be shown to have happened"):format(MOST_OPS))
  else
    ok, err = name_anew(job)
  end
  return ok, err
end

local function settle(job)
  local attempt = job.record.attempt
  local keys, err = calls.census(job)
  if keys == nil then
    return nil, err
  end
  local found = keys and guard.find(job, keys, attempt) or {}
  local ok
  if #found > 0 then
    local ours, others = claim(job, found)
    local altered = not ours and others[1].name ~= attempt.name
    if not altered then
      quarantine.add(job, others)
    end
    if altered then
      ok, err = stop_altered(job, others)
    elseif ours then
      ok, err = accept(job, ours)
    else
      ok, err = give_up(job)
    end
    return ok, err
  elseif keys and job:has_passed(attempt.unclear, job.record.options.settle) then
    ok, err = give_up(job)
    return ok, err
  end
  if not keys and job:since(attempt.unclear) >= PATIENCE * job.record.options.settle then
    return nil, err
  end
  return false, math.min(POLL, math.max(0.05, job.record.options.settle / 10)), true
end

---@param job confidentai.Job
return function(job)
  local attempt = job.record.attempt
  local ok, err, more
  if not attempt then
    ok, err = name_anew(job)
  elseif attempt.unclear then
    ok, err, more = settle(job)
  elseif attempt.sent and job.sendable ~= attempt.op then
    ok, err = make_unclear(job) -- whoever recorded it may have died before or after it was sent
  else
    ok, err, more = send(job)
  end
  return ok, err, more
end
