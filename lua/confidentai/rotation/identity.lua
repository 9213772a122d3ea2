-- SPDX-License-Identifier: Apache-2.0
-- Whom a rotation acts as. Of a client's own key: the old key makes the new one, and from publication on the new one
-- does everything, so that no key disables itself.

local calls = require "confidentai.rotation.calls"
local proof = require "confidentai.rotation.proof"
local refusal = require "confidentai.refusal"

local identity = {}

---The last characters of the secret that a rotation's calls authenticate with.
---@param job confidentai.Job
---@return string
function identity.last6(job)
  return (job.credential or job.client.api_key):sub(-6)
end

---Acts as another key from now on; so does the client, where its own key is the one that goes.
---@param job confidentai.Job
---@param secret string
---@param going table identity of the key that goes
function identity.become(job, secret, going)
  if job.client.api_key:sub(-6) == going.last6 then
    job.client:replace_credential(secret)
    job.credential = nil
  else
    job.credential = secret
  end
end

-- Whether a secret is accepted as one of the record's organization.
local function serves(job, secret)
  local id, err = calls.organization(job, secret)
  if id then
    return id == job.record.organization, nil
  elseif refusal.is(err, 401, 403) then
    return false
  end
  return nil, err
end

-- The secrets that may be the new key's: the escrow's, then those in the stores.
local function new_secrets(job)
  local list, record = {}, job.record
  local last6 = record.new.last6
  local secret = job.escrow:secret(record.attempt.op, last6)
  list[#list + 1] = secret
  for _, store in ipairs(job.stores) do
    local content = store.readable and store:get(job)
    if content and content ~= secret and content:sub(-6) == last6 then
      list[#list + 1] = content
    end
  end
  return list
end

-- Of a client's own key: the one that goes, and the secrets of the one that acts, from publication on. Once a rollback
-- has put the old one back, the new one goes.
local function going(job)
  local record = job.record
  if record.restored then
    return record.new, { proof.old_secret(job) }
  end
  return record.old, new_secrets(job)
end

---Finds who can act, and compares the organization. When the rotation of a client's own key is resumed with that key,
---it is the new key, where that was published, and the old one again after a rollback; else whoever the client is.
---@param job confidentai.Job
---@return boolean? found false: nobody who can; nothing was changed
---@return confidentai.Error? err
function identity.choose(job)
  local record = job.record
  if job.identified then
    return true
  end
  local ok, err
  if record.self and record.published then
    local key, secrets = going(job)
    for _, secret in ipairs(identity.last6(job) == key.last6 and secrets or {}) do
      ok, err = serves(job, secret)
      if ok then
        identity.become(job, secret, key)
        job.identified = true
        return true
      elseif err then
        return nil, err
      end
    end
  end
  ok, err = serves(job, nil)
  job.identified = ok
  return ok, err
end

---Finds who can act, as `identity.choose` does, or says that there is nobody.
---@param job confidentai.Job
---@return true?
---@return confidentai.Error? err
function identity.need(job)
  local found, err = identity.choose(job)
  if found then
    return true
  end
  return nil, err or select(2, job:failure("guard", "neither the new key nor the client's own is accepted by the "
    .. "organization of this rotation: nothing was changed; resume with a manager key of that organization"))
end

return identity
