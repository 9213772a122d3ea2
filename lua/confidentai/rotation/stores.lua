-- SPDX-License-Identifier: Apache-2.0
-- The stores of a rotation: all are written, or a later run goes on with those that are left. What each held before is
-- in the escrow.

local core = require "confidentai.core"
local proof = require "confidentai.rotation.proof"
local store_kinds = require "confidentai.store"

local stores = {}

---What a store says is wrong, without its label in front, which it puts there; a user's own may not.
---@param store confidentai.Store
---@param problem any
---@return string
function stores.problem(store, problem)
  local text, prefix = tostring(problem), store.label .. ": "
  return text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text
end

-- An error about a store. Its message comes from the store, which never puts a secret into one.
local function failure(job, store, what, problem, outcome)
  local message = ("%s: %s%s"):format(store.label, what, stores.problem(store, problem))
  local result, err = job:failure("store", message, outcome)
  return result, err
end

---What a rotation needs of a store to find it again. A path or a command means something on this machine only.
---@param list confidentai.Store[]
---@return table[] descriptions for the record
function stores.describe(list)
  local descriptions = {}
  for i, store in ipairs(list) do
    descriptions[i] = { label = store.label, spec = store.spec, readable = store.readable and true or false,
      host = core.host() }
  end
  return descriptions
end

local function is_equal(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  for name, value in pairs(one) do
    if not is_equal(value, other[name]) then
      return false
    end
  end
  for name in pairs(other) do
    if one[name] == nil then
      return false
    end
  end
  return true
end

---The stores of a record: those that were given again, by their labels, and those that it describes on this machine.
---Who gives a store of another machine says that it is this machine's from now on. Here, what is given under the label
---of one that the record describes does not take its place: another command might get the secret.
---@param content table of a record
---@param given? confidentai.Store[]
---@return table<integer, confidentai.Store> by position; what is missing has to be given
function stores.of_record(content, given)
  local list = {}
  for i, description in ipairs(content.stores) do
    for _, candidate in ipairs(given or {}) do
      local is_here = description.spec and description.host == core.host()
      if candidate.label == description.label and (not is_here or is_equal(candidate.spec, description.spec)) then
        list[i], description.spec, description.host = candidate, candidate.spec, core.host()
      end
    end
    if not list[i] and description.spec and description.host == core.host() then
      list[i] = store_kinds.revive(description.spec)
    end
  end
  return list
end

---What a store holds.
---@param job confidentai.Job
---@param store confidentai.Store
---@return string|false|nil content false: nothing; nil, nil: it cannot be read at all
---@return confidentai.Error? err
function stores.get(job, store)
  if not store.readable then
    return nil
  end
  local content, problem = store:get(job)
  if content == nil then
    return failure(job, store, "it cannot be read: ", problem)
  end
  return content
end

---Writes a store and reads back what it holds then.
---@param job confidentai.Job
---@param store confidentai.Store
---@param content string|false
---@return true?
---@return confidentai.Error? err
---@return boolean? untouched true: the store certainly took nothing of it
function stores.put(job, store, content)
  local made = job.made
  job.made = nil -- from here on the secret may be anywhere
  local ok, problem, certainty = store:put(content, job)
  if not ok then
    local untouched = certainty == "failed"
    job.made = untouched and made or nil
    local _, err = failure(job, store, "it cannot be written: ", problem, untouched and "not_applied" or "unknown")
    return nil, err, untouched
  end
  local held, err = stores.get(job, store)
  if held == nil and err then
    return nil, err
  elseif held ~= nil and held ~= content then
    return failure(job, store, "it was written, and holds something else", "", "unknown")
  end
  return true
end

---Puts on record that a write of a secret may take effect later, until `done` says that it has: as others are told of a
---write whose end is not known, consumers may read that secret for a while. The caller saves.
---@param job confidentai.Job
---@param which "old"|"new" whose secret; or what the store held before
---@return fun() done
local function note_write(job, which)
  local writing = job.record.writing or {}
  local before = writing[which]
  writing[which], job.record.writing = job:mark(), writing
  return function() writing[which] = before end
end

---Returns true while a write of a key's secret may still take effect, so that the key has to work.
---@param job confidentai.Job
---@param which "old"|"new"
---@return boolean
function stores.is_settling(job, which)
  local mark = (job.record.writing or {})[which]
  return mark ~= nil and not job:has_passed(mark, job.record.options.settle)
end

---The first store that has to be given again; nil: all are there.
---@param job confidentai.Job
---@return string? label
---@return string? reason why it is not there, for people
---@return "store_elsewhere"|"store_not_given"|nil cause
function stores.missing(job)
  for i, description in ipairs(job.record.stores) do
    if not job.stores[i] then
      local label = description.label
      if description.spec and description.host ~= core.host() then
        return label, ("the store %s is on the machine %s, and this is %s: nothing was read or written here"):format(
          label, description.host or "that began the rotation", core.host()), "store_elsewhere"
      end
      return label, ("the store %s has to be given again"):format(label), "store_not_given"
    end
  end
end

---Whether all stores are there. Halts when one has to be given again.
---@param job confidentai.Job
---@return boolean? complete
---@return confidentai.Error? err
function stores.complete(job)
  local missing, reason, cause = stores.missing(job)
  if not missing then
    return true
  end
  local ok, err = job:halt(cause, reason)
  return ok and false, err
end

-- Writes the i-th store. The intent is in the record, which `save` may write, and stays there while the write may take
-- effect later. Returns true; or nil, the error, and true if the store certainly took nothing.
local function write(job, i, content, which, save)
  local store, done = job.stores[i], note_write(job, which)
  local ok, err, untouched = save(store, i)
  if ok then
    ok, err, untouched = stores.put(job, store, content)
  end
  if ok or untouched then
    done()
  end
  return ok, err, untouched
end

local function save_nothing()
  return true
end

---Writes the stores that do not hold a text yet.
---@param job confidentai.Job
---@param content string
---@param before? fun(store: confidentai.Store, i: integer): true?, confidentai.Error? puts the intent on record
---@return true?
---@return confidentai.Error? err
---@return boolean? untouched true: the store that failed certainly took nothing of it
function stores.put_all(job, content, before)
  for i, store in ipairs(job.stores) do
    local held, err = stores.get(job, store)
    if held == nil and err then
      return nil, err
    elseif held ~= content then
      local ok, untouched
      ok, err, untouched = write(job, i, content, "new", before or save_nothing)
      if not ok then
        return nil, err, untouched
      end
    end
  end
  return true
end

---Looks for a store by what it holds.
---@param job confidentai.Job
---@param is_meant fun(content: string|false|nil): boolean nil: of one that cannot be read
---@return confidentai.Store|false|nil store the first; false: there is none
---@return string|false|confidentai.Error|nil content_or_err
function stores.find(job, is_meant)
  for i = 1, #job.record.stores do
    local store, content, err = job.stores[i], nil, nil
    if store then -- one that has to be given again is left out
      content, err = stores.get(job, store)
    end
    if content == nil and err then
      return nil, err
    elseif store and is_meant(content) then
      return store, content
    end
  end
  return false
end

---Whether every store that can be read holds the new secret.
---@param job confidentai.Job
---@return boolean? all
---@return confidentai.Error|string? err_or_label of the first that does not
---@return string|false|nil content of that one
function stores.hold_new(job)
  local secret, err = proof.secret(job)
  if not secret then
    return nil, err
  end
  local other, content = stores.find(job, function(held) return held ~= nil and held ~= secret end)
  if other == nil then
    return nil, content
  elseif other then
    return false, other.label, content
  end
  return true
end

---What a store that holds the new key is to hold again: what it held before, else the old secret.
---@param job confidentai.Job
---@param i integer position of the store
---@return string|false? content nil: not known
function stores.before(job, i)
  local previous = job.escrow:previous(i)
  if previous == nil then
    return proof.old_secret(job)
  end
  return previous
end

---Returns true if a store may hold the new secret, or may have held it: a write of it was begun, and did not certainly
---fail.
---@param job confidentai.Job
---@param i? integer position of the store; default: any
---@return boolean
function stores.may_hold_new(job, i)
  if job.record.published then
    return true
  end
  for place, description in ipairs(job.record.stores) do
    if description.tried and (i == nil or i == place) then
      return true
    end
  end
  return false
end

---Puts what the stores held before back, where they hold the new key. A store that somebody has written since is left
---alone, and one that was never written.
---@param job confidentai.Job
---@param believed? boolean a person says that those which cannot be read hold it already
---@return boolean? restored false: what one held before is not known
---@return confidentai.Error|string? err_or_label of that one
---@return boolean? readable whether that one can be read
function stores.restore(job, believed)
  for i, store in ipairs(job.stores) do
    local tried, content, err = stores.may_hold_new(job, i), nil, nil
    if tried then
      content, err = stores.get(job, store)
    end
    if content == nil and err then
      return nil, err
    elseif tried and (content == nil or stores.is_secret(content, job.record.new.last6)) then
      local previous = stores.before(job, i)
      if previous == nil and not (believed and not store.readable) then
        return false, store.label, store.readable
      elseif previous ~= nil then
        local ok
        ok, err = write(job, i, previous, "old", function()
          local saved, problem = job:keep()
          return saved, problem
        end)
        if not ok then
          return nil, err
        end
      end
    elseif tried then
      store:preflight(job) -- takes away what an interrupted write of the new secret has left beside the store
    end
  end
  return true
end

---Returns true if a store holds nothing: there is no file or variable, or an empty one.
---@param content string|false
---@return boolean
function stores.is_nothing(content)
  return not content or not content:find "%S"
end

---Returns true if a text is one key and nothing else: two that adjoin have the format, too.
---@param content string
---@return boolean
function stores.is_key(content)
  return core.key_format(content) ~= nil and not content:find("confident_", 2, true)
end

---Returns true if a store holds the secret of a key and nothing else, as far as the format and the last characters
---tell. Only that may be written over: a whole file may end in the same characters.
---@param content string|false|nil
---@param last6? string
---@return boolean
function stores.is_secret(content, last6)
  return stores.is_secret_of(content, last6) and stores.is_key(content)
end

---Whether a text is the secret of a key, as far as its last characters tell.
---@param content string|false|nil
---@param last6? string
---@return boolean
function stores.is_secret_of(content, last6)
  return type(content) == "string" and last6 ~= nil and content:sub(-#last6) == last6
end

---Returns true unless a text is certainly not the secret of a key. The service may show less than the last 6
---characters of a key, or nothing.
---@param content? string|false
---@param last6 string the end of the key's mask, asterisks included
---@return boolean
function stores.may_be_secret_of(content, last6)
  local shown = last6:match "[^*]*$"
  return type(content) == "string" and content ~= "" and content:sub(#content - #shown + 1) == shown
end

return stores
