-- SPDX-License-Identifier: Apache-2.0
-- Proofs that the new secret works. Each is a use of the new key by us, which must not pass for its users' own: when it
-- happened is on record before it happens.

local calls = require "confidentai.rotation.calls"
local elapsed = require "confidentai.rotation.elapsed"

local proof = {}

-- Seconds for which a new key may be refused while the service spreads it.
local PROPAGATION = 60

-- Seconds for which a proof is good enough to act on.
local FRESH = 60

-- Seconds that a proof takes at most, with its retries.
local LONGEST = 600

-- Returns a text if it is the secret of one key and nothing else: KEY=secret is refused while the key works, too.
-- last6: of that key; nil: they are not known.
local function secret_in(text, last6)
  local stores = require "confidentai.rotation.stores" -- here: that module needs this one
  local is_secret = text and stores.is_key(text) and (not last6 or stores.is_secret_of(text, last6))
  return is_secret and text or nil
end

-- Where the escrow was lost after publication: a store holds the secret, as far as its last characters tell. A proof
-- tells the rest.
local function published_secret(job)
  for _, store in ipairs(job.record.published and job.stores or {}) do
    local content = store.readable and store:get(job)
    if secret_in(content, job.record.new.last6) then
      return content
    end
  end
end

---The new key's secret, from the escrow, or from a store that it was published in.
---@param job confidentai.Job
---@return string? secret
---@return confidentai.Error? err
function proof.secret(job)
  local secret = job.escrow:secret(job.record.attempt.op, job.record.new.last6) or published_secret(job)
  if not secret then
    return job:failure("state", "the new key's secret is lost: rollback removes the new key")
  end
  return secret
end

---The old key's secret, where it is held: given, or what a store held.
---@param job confidentai.Job
---@return string?
function proof.old_secret(job)
  local last6 = job.record.old and job.record.old.last6
  if not last6 then
    return nil
  elseif secret_in(job.old_secret, last6) then
    return job.old_secret
  end
  for i in ipairs(job.record.stores) do
    local previous = job.escrow:previous(i)
    if secret_in(previous, last6) then
      return previous
    end
  end
end

---Tries the old key's secret, which must not work any more. That it is refused is noted; the caller saves.
---@param job confidentai.Job
---@return "refused"|"accepted"|"not held"|nil
---@return confidentai.Error? err it could not be found out
function proof.try_old(job)
  local record = job.record
  -- Of a key that was not there, only what was given can be tried.
  local secret = proof.old_secret(job) or not record.old and secret_in(job.old_secret) or nil
  if not secret then
    return "not held"
  end
  local result, err = calls.try(job, secret)
  if result == "refused" then
    record.refused = true
  end
  return result, err
end

---Returns what the end of a rotation could not show; nil: nothing. A key that has leaked must be seen to be refused.
---@param record table
---@return string?
function proof.unshown(record)
  if record.kind == "rotation" and record.options.compromised and record.finished and not record.stop
    and not record.refused then
    return "it was not shown that the compromised secret is refused, as it is not held"
  end
end

---Shows after the end what could not be shown then, where the old secret is given now.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err the secret is accepted, or it could not be found out
function proof.show(job)
  if not proof.unshown(job.record) or not job.old_secret then
    return true
  end
  local result, err = proof.try_old(job)
  if result == "accepted" then
    local _, accepted = job:failure("guard", "the service accepts the compromised secret, though its key is gone: is "
      .. "it the right one?")
    accepted.next = "find out whose it is, and disable that key: confidentai contain"
    return nil, accepted
  elseif result == "not held" then
    return job:failure("guard", ("the secret that was given is not that of the old key: it must be one word%s"):format(
      job.record.old and " that ends in " .. job.record.old.last6 or ""))
  elseif not result then
    return nil, err
  end
  local ok
  ok, err = job:save "the compromised secret is refused"
  return ok, err
end

-- Writes the record; a proof of routine is no event of its history.
local function save(job, what, quiet)
  local ok, err
  if quiet then
    ok, err = job:keep()
  else
    ok, err = job:save(what)
  end
  return ok, err
end

---Proves the new secret. What it finds is saved.
---@param job confidentai.Job
---@param kind? "managing"|"routine" managing: that it can change keys, too, which is tried only before it is published;
---routine: one of many, of which only a refusal is noted in the history
---@return "accepted"|"refused"|nil
---@return confidentai.Error? err
function proof.work(job, kind)
  local secret, err = proof.secret(job)
  if not secret then
    return nil, err
  end
  local ok
  job.record.proving = job:mark()
  ok, err = save(job, "proving the new key", kind == "routine")
  if not ok then
    return nil, err
  end
  local result
  result, err = calls.try(job, secret)
  if result == "accepted" and kind == "managing" and job.record.scope == "organization" then
    result, err = calls.try_managing(job, secret, job.record.new)
  end
  if not result then
    return nil, err
  end
  job.record.proving, job.record.our_use, job.record.own_use_shown = nil, job:mark(), nil
  job.proven_at = result == "accepted" and job.clock() or nil
  job.refused = result == "refused"
  ok, err = save(job, "the new key is " .. result, kind == "routine" and result == "accepted")
  if not ok then
    return nil, err
  end
  return result
end

---Whether the last proof of this process is recent enough.
---@param job confidentai.Job
---@return boolean
function proof.is_fresh(job)
  return job.proven_at ~= nil and math.abs(job.clock() - job.proven_at) <= FRESH
end

---Whether a refusal may still be a matter of time.
---@param job confidentai.Job
---@return boolean
function proof.is_spreading(job)
  return job:since(job.record.escrowed) < PROPAGATION
end

---After an interruption in the middle of a proof: it may have happened up to now. Of a key that was not published, a
---later use is another's: the record may be an old copy.
---@param job confidentai.Job
function proof.recover(job)
  local record, now = job.record, job:mark()
  local begun = record.proving
  if begun then
    if not record.published and begun.here < now.here - LONGEST then
      now = elapsed.mark(begun.here + LONGEST, begun.service and begun.service + LONGEST)
    elseif begun.service and not now.service then
      -- This process does not know the service's time yet, and the clock of this machine may be behind it.
      now = elapsed.mark(now.here, begun.service + math.max(LONGEST, now.here - begun.here))
    end
    record.proving, record.our_use, record.own_use_shown = nil, now, nil
  end
end

return proof
