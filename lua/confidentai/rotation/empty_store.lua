-- SPDX-License-Identifier: Apache-2.0
-- ensure's question when no store holds anything: is a key of the base in use? A wrong path, or a check that printed
-- nothing, must not end it.

local core = require "confidentai.core"
local generations = require "confidentai.rotation.generations"
local last_used = require "confidentai.rotation.last_used"
local refusals = require "confidentai.rotation.refusals"

local empty_store = {}

-- Returns the generation of the key that `abandon` names as lost; nil: there is none.
local function find_abandoned(self, family, options)
  for _, member in ipairs(family.members) do
    if core.key_id(self.api_keys, member.key) == options.abandon then
      return member.generation
    end
  end
end

-- Returns the latest enabled key that is not known to be lost, of those whose use is shown, or of the others.
local function find_last(family, abandoned, used)
  local last
  for _, member in ipairs(family.members) do
    if member.key.valid and (member.key.last_used ~= nil) == used and not (abandoned and abandoned >= member.generation)
      and (not last or member.generation > last.generation) then
      last = member
    end
  end
  return last and last.key
end

-- `wrong`: the key that `abandon` names.
local function refuse(self, key, words, wrong)
  local id = core.key_id(self.api_keys, key)
  local text = "the store holds nothing, and key %s is enabled, %s%s: check whether %s is the right place; "
    .. "abandon = id says that the key's secret is lost, and makes a new one"
  local other = wrong and (", and the option abandon names key %s"):format(wrong) or ""
  return refusals.make("in_use", text:format(id, words, other, self.stores[1].label),
    refusals.show(self.api_keys, id),
    refusals.again("If its secret is lost: make a new one", { drop = { "--abandon" }, add = { "--abandon", id } }))
end

---Checks that every enabled key of the base was lost: no use of it is shown, and uses are shown by now; or `abandon`
---names it, or a later one.
---@param self confidentai.Job
---@param family confidentai.Family
---@param options table of ensure
---@return true?
---@return confidentai.Error? err of kind "guard": a key is in use, or may be
function empty_store.check(self, family, options)
  local abandoned = find_abandoned(self, family, options)
  local key = find_last(family, abandoned, true)
  if key then
    return refuse(self, key, last_used.words(self, key), options.abandon)
  end
  key = find_last(family, abandoned, false)
  if not key then
    return true
  end
  local lag, why = last_used.lag(self, false)
  if lag == nil then
    return nil, why
  elseif not lag then
    return refuse(self, key, "and may be in use, as " .. why, options.abandon)
  end
  local now, created = self:mark().service, generations.created(key)
  if lag > 0 and now and created and now - created < lag then -- without these two, ensure waits
    return refuse(self, key, "and may be in use, as the service shows uses late", options.abandon)
  end
  return true
end

return empty_store
