-- SPDX-License-Identifier: Apache-2.0
-- What the stores of ensure hold, and what is refused about it: a place that cannot be read or holds something else, a
-- secret of no key that is known.

local core = require "confidentai.core"
local refusals = require "confidentai.rotation.refusals"
local store_content = require "confidentai.rotation.store_content"
local stores = require "confidentai.rotation.stores"
local successor = require "confidentai.rotation.successor"

local unpack = table.unpack or unpack -- luacheck: std max

local held_secrets = {}

-- Seconds for which a secret of no key must be refused before it is replaced.
local RENEWAL = 5

-- Something that is not a secret of a key lies in a store.
local function refuse_other(self, place, held)
  local store = self.stores[place]
  local problem, _, spec = store_content.env_file_problem(store, held)
  local given = place - (self.options.manager_store and 1 or 0) -- its position among the options --store
  if problem then
    return refusals.env_file(problem, given, spec)
  end
  return refusals.make("store_holds_other", ("%s holds something that is not the secret of a key, so it was left "
    .. "alone: give another store, or empty this one"):format(store.label),
    refusals.move(store, "Move it away, and begin with an empty store"))
end

---Reads the stores.
---@param self confidentai.Job
---@return { [integer]: string, store_of: table<string, confidentai.Store> }? contents different texts, without those
---that hold nothing, and the first store of each
---@return confidentai.Error? err
---@return boolean? empty true: one holds nothing
function held_secrets.read(self)
  local contents, empty = { store_of = {} }, false
  for place, store in ipairs(self.stores) do
    if not store.readable then
      local text = "%s cannot be read, and ensure has to read it: give it a check"
      return refusals.make("store_unreadable", text:format(store.label))
    end
    local held, err = stores.get(self, store)
    if held == nil then
      return nil, err
    elseif stores.is_nothing(held) then
      empty = true
    elseif not stores.is_key(held) then
      return refuse_other(self, place, held)
    elseif not contents.store_of[held] then
      contents.store_of[held] = store
      contents[#contents + 1] = held
    end
  end
  return contents, nil, empty
end

-- What leads on from a secret whose key is not known to the base.
local function ways_from(self, family, store, secret)
  local key = store_content.owner(family.all, secret)
  local owner = key and core.key_id(self.api_keys, key)
  return owner and refusals.again(("It seems to be that of key %s: take that key over"):format(owner),
    { add = { "--adopt", owner } }), not owner and refusals.identify(store)
end

---A secret of no key of the base is replaced only where that was asked for, and it does not work: a list may leave its
---key out, and it may be of another name.
---@param self confidentai.Job
---@param family confidentai.Family
---@param store confidentai.Store that holds it
---@param secret string
---@param options table checked
---@return true?
---@return confidentai.Error? err
function held_secrets.check_unknown(self, family, store, secret, options)
  local adopt, identify = ways_from(self, family, store, secret)
  if not options.renew then
    local text = "the secret in %s belongs to no key of '%s': its key was deleted, or has another name; adopt = id "
      .. "names that key, renew = true creates a new one"
    return refusals.make("unknown_secret", text:format(store.label, family.base), identify, adopt,
      not adopt and refusals.again("If its key was deleted: create a new one", { add = { "--renew" } }))
  end
  local format = core.key_format(secret)
  if not format or format.kind ~= (self.record.scope == "organization" and "org" or "proj") then
    return refusals.make("wrong_scope", ("the content of %s is not the secret of a key of the %s, so it was left "
      .. "alone: empty it if a new secret belongs there"):format(store.label, self.record.scope), identify,
      refusals.move(store, "Move it away, and begin with an empty store"))
  end
  local answer, err = successor.try(self, secret, RENEWAL)
  if answer == "accepted" then
    return refusals.make("secret_works", ("the secret in %s works, but belongs to no key of '%s' that the service "
      .. "lists: adopt = id names its key"):format(store.label, family.base), identify, adopt)
  end
  return answer and true, err
end

---The stores must not hold different secrets, one of which is of no key of the base.
---@param family confidentai.Family
---@param contents table as of read
---@return nil
---@return confidentai.Error
function held_secrets.refuse_different(family, contents)
  local list, labels = {}, {}
  for i, secret in ipairs(contents) do
    labels[i] = ("%s holds one that ends in %s"):format(contents.store_of[secret].label, secret:sub(-6))
    list[#list + 1] = refusals.identify(contents.store_of[secret])
  end
  list[#list + 1] = refusals.again("If that key was deleted: keep the one of the base", { add = { "--renew" } })
  return refusals.make("different_secrets", ("the stores hold different secrets, and one is of no key of '%s': make "
    .. "them the same first; %s"):format(family.base, table.concat(labels, ", ")), unpack(list))
end

return held_secrets
