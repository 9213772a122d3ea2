-- SPDX-License-Identifier: Apache-2.0
-- The keys of one organization or one project. Every change carries the service's revision, so that a list
-- can be shown as it was before.

local Keys = {}
Keys.__index = Keys

---A new, empty set of keys.
---@param scope string "organization" or "project"
---@param project_id? string
---@return table keys
function Keys.new(scope, project_id)
  return setmetatable({
    scope = scope, project_id = project_id, next_id = 1, count = 0,
    list = {}, gone = {}, -- apart, so that thousands of deleted keys slow nothing down
    by_id = {},
  }, Keys)
end

---Everything about these keys.
---@return table plain for JSON; the tables are the keys' own
function Keys:plain()
  return { next_id = self.next_id, count = self.count, list = self.list, gone = self.gone }
end

---The set of keys that `plain` gave.
---@param plain table which becomes part of the set; raises when it is no such thing
---@param scope string
---@param project_id? string
---@return table keys
function Keys.from_plain(plain, scope, project_id)
  local keys = Keys.new(scope, project_id)
  keys.next_id, keys.count = assert(tonumber(plain.next_id)), assert(tonumber(plain.count))
  keys.list, keys.gone = plain.list, plain.gone
  for _, list in ipairs { keys.list, keys.gone } do
    for _, key in ipairs(list) do
      assert(type(key.secret) == "string" and type(key.changes) == "table" and key.serial and key.born)
      if not key.died then keys.by_id[tostring(key.id)] = key end
    end
  end
  return keys
end

---Adds a key.
---@param fields table { id, name, secret, created_at, created_by, expires_at?, shadow?, rotates_at?, former? }
---@param revision number of the service, from which on the key exists
---@return table key the stored record
function Keys:add(fields, revision)
  self.count = self.count + 1
  local key = {
    id = fields.id, name = fields.name, valid = true, secret = fields.secret,
    -- Of the newer API: the end, the secret that follows, when it does, and the secrets that were before.
    expires_at = fields.expires_at, shadow = fields.shadow, rotates_at = fields.rotates_at, former = fields.former,
    created_at = fields.created_at, created_by = fields.created_by,
    scope = self.scope, project_id = self.project_id, serial = self.count, born = revision, changes = {},
  }
  self.list[#self.list + 1] = key
  self.by_id[tostring(key.id)] = key
  return key
end

---Takes a key out for good. Lists of earlier revisions go on showing it.
---@param key table
---@param revision number of the service, from which on the key is gone
function Keys:remove(key, revision)
  key.died = revision
  for index, other in ipairs(self.list) do
    if other == key then
      table.remove(self.list, index)
      break
    end
  end
  self.gone[#self.gone + 1] = key
  self.by_id[tostring(key.id)] = nil
end

---Takes the next small integer id.
---@return integer id
function Keys:take_id()
  local id = self.next_id
  self.next_id = id + 1
  return id
end

---Finds a key that has not been deleted.
---@param id string as it stands in a path
---@return table? key
function Keys:find(id)
  return self.by_id[id]
end

---Enables or disables a key.
---@param key table
---@param valid boolean
---@param revision number of the service, from which on this holds
function Keys.set_valid(key, valid, revision)
  if key.valid == valid then return end -- nothing that an earlier list would show otherwise
  key.changes[#key.changes + 1] = { revision = revision, valid = key.valid }
  key.valid = valid
end

local function valid_at(key, revision)
  for _, change in ipairs(key.changes) do
    if change.revision > revision then return change.valid end
  end
  return key.valid
end

---The revision before the last changes of these keys. Those of other scopes and projects do not count, nor does an
---update to what was so already.
---@param count number how many changes ago
---@return number revision
function Keys:revision_before(count)
  if count < 1 then return math.huge end
  local revisions = {}
  for _, keys in ipairs { self.list, self.gone } do
    for _, key in ipairs(keys) do
      revisions[#revisions + 1] = key.born
      revisions[#revisions + 1] = key.died
      for _, change in ipairs(key.changes) do revisions[#revisions + 1] = change.revision end
    end
  end
  table.sort(revisions, function(a, b) return a > b end)
  return math.max((revisions[count] or 0) - 1, 0)
end

---The keys that existed at a revision, oldest first.
---@param revision? number now, if absent
---@return table list of { key, valid }
function Keys:at(revision)
  local found = {}
  if not revision then
    for index, key in ipairs(self.list) do found[index] = { key = key, valid = key.valid } end
    return found
  end
  for _, keys in ipairs { self.list, self.gone } do
    for _, key in ipairs(keys) do
      if key.born <= revision and (not key.died or key.died > revision) then
        found[#found + 1] = { key = key, valid = valid_at(key, revision) }
      end
    end
  end
  table.sort(found, function(a, b) return a.key.serial < b.key.serial end)
  return found
end

return Keys
