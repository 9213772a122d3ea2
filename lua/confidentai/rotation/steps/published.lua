-- SPDX-License-Identifier: Apache-2.0
-- published: what the stores hold goes into the escrow, then every store is written and read back. One that fails
-- leaves both keys valid, and this step is gone on with later.

local store_content = require "confidentai.rotation.store_content"
local identity = require "confidentai.rotation.identity"
local notice = require "confidentai.rotation.notice"
local proof = require "confidentai.rotation.proof"
local rivals = require "confidentai.rotation.rivals"
local standing = require "confidentai.rotation.standing"
local stores = require "confidentai.rotation.stores"

-- Whether a store holds what may be written over: what it held when the rotation began, or nothing that this rotation
-- has to know.
local function may_replace(job, store, content)
  local record = job.record
  local _, several = store_content.env_file_problem(store, content)
  if several then
    return false
  elseif content == nil or record.options.replace_store or record.overwrite then
    return true
  elseif not record.old then
    return stores.is_nothing(content)
  end
  return stores.is_secret(content, record.old.last6)
end

-- Reads what all stores hold before any is written. By position; those that hold the new secret already are left out.
local function look(job, secret)
  local previous, changed, found = {}, nil, nil
  for i, store in ipairs(job.stores) do
    local content, err = stores.get(job, store)
    local kept = job.escrow:previous(i)
    if content == nil and err then
      return nil, err
    elseif content == secret then
      previous[i] = kept
    elseif kept ~= nil and content ~= nil and content ~= kept and not job.record.overwrite
      or kept == nil and not may_replace(job, store, content) then
      changed, found = changed or store.label, changed and found or content
    elseif content ~= nil then
      previous[i] = kept -- what was there first; false: nothing was
      if kept == nil then
        previous[i] = content
      end
    end
  end
  return previous, changed, found
end

-- A store is not what it was: another rotation may have been faster.
local function settle_changed(job, label, content)
  local found, err = rivals.find(job)
  if not found then
    return nil, err
  end
  local ok
  ok, err = rivals.settle(job, found, label, content)
  return ok, err
end

-- Writes every store. It is on record before that a store may hold the new secret, and taken back where it certainly
-- took nothing: a key that no store ever got can be removed without a question.
local function write_all(job, secret)
  local description, before
  local ok, err, untouched = stores.put_all(job, secret, function(store, i)
    description = job.record.stores[i]
    before, description.tried = description.tried, true
    local saved, problem = job:save("writing a store", { store = store.label })
    return saved, problem
  end)
  if untouched and not before then
    description.tried = nil
    local kept, problem = job:keep()
    if not kept then
      return nil, problem
    end
  end
  return ok, err
end

---@param job confidentai.Job
return function(job)
  local complete, err = stores.complete(job)
  if not complete then
    return complete == false or nil, err
  end
  local secret
  secret, err = proof.secret(job)
  if not secret then
    return nil, err
  end
  local ok
  if not proof.is_fresh(job) then -- a run before did not get to the end
    ok, err = standing.is_alone(job)
    if ok then
      ok, err = standing.prove(job)
    end
    if not ok then
      return ok == false or nil, err
    end
  end
  local previous, changed, content = look(job, secret)
  if not previous then
    return nil, changed
  elseif changed then
    ok, err = settle_changed(job, changed, content)
    return ok, err
  end
  ok, err = job.escrow:keep_previous(previous)
  if ok then
    ok, err = write_all(job, secret)
  end
  if not ok then
    return nil, err
  end
  if job.record.self and identity.last6(job) == job.record.old.last6 then
    identity.become(job, secret, job.record.old)
  end
  job.record.published, job.record.overwrite = job:mark(), nil
  notice.owe(job.record, "published")
  if job.record.kind == "provision" then
    job.record.finished = true
    ok, err = job:enter("done", "published")
  else
    ok, err = job:enter("soaking", "published")
  end
  return ok, err
end
