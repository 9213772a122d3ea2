-- SPDX-License-Identifier: Apache-2.0
-- The keys of one scope, the organization's or a project's: `organization.api_keys` and `project.api_keys`.

local core = require "confidentai.core"
local argument = require "confidentai.argument"
local operation = require "confidentai.operation"
local path = require "confidentai.path"

local ApiKeys = core.methods.ApiKeys

---@class confidentai.KeyName
---@field name string

---@class confidentai.KeyChanges
---@field valid boolean true: enabled

---An array of keys.
---@class confidentai.KeyList: { [integer]: confidentai.ApiKey }
---@field unreadable? confidentai.UnreadableRecord[] nil: all were read

---What is known of a record of the service that cannot be read.
---@class confidentai.UnreadableRecord
---@field id? integer|string nil: that cannot be read either
---@field place integer in the service's list, from 1
---@field problem string

---@class confidentai.ForceOptions
---@field force? boolean the client's own key, too, without which it is locked out; default: false

local function client_of(api_keys)
  return core.environment(api_keys).client
end

-- Here and below, what may wait is not called last, `return f()`: on PUC 5.1 a tail call hides who called, and a task
-- of gather would have to block (scheduler.lua).

local function perform(api_keys, request)
  request.owner = api_keys
  local result, err, call = operation.perform(client_of(api_keys), request)
  return result, err, call
end

-- An answer about another key than was asked for proves nothing about either.
local function check_id(api_keys, id, result, err, call)
  if result and core.key_id(api_keys, result.id) ~= id then
    return nil, call:failure("protocol", "unexpected answer: it is about another key than was asked for")
  end
  return operation.one(result, err)
end

---All keys of the scope, in the service's order. A key whose record cannot be read is left out, and told of in the
---array's field `unreadable`: whoever concludes that a key is not there must look at it.
---@return confidentai.KeyList? keys
---@return confidentai.Error? err also when no record of several can be read
function ApiKeys:list()
  argument.self("ApiKeys", "list", self)
  local keys, err = perform(self, { method = "GET", path = path.of_keys(self), shape = "api_keys" })
  return operation.one(keys, err)
end

local function get(api_keys, id)
  return check_id(api_keys, id, perform(api_keys,
    { method = "GET", path = path.of_keys(api_keys, id), shape = "api_key" }))
end

---One key.
---@param id integer|string|confidentai.ApiKey
---@return confidentai.ApiKey? key its secret is masked
---@return confidentai.Error? err of kind "api" with status 404: there is none
function ApiKeys:get(id)
  argument.self("ApiKeys", "get", self)
  local key, err = get(self, argument.key_id(1, "get", self, id))
  return operation.one(key, err)
end

---Keys of this name, and those that a rotation has made under it (`<name>~g<generation>~<op>`). Names need not be
---unique.
---@param name string non-empty, valid UTF-8
---@return confidentai.KeyList? keys its `unreadable`: those of the scope whose names cannot be read
---@return confidentai.Error? err
function ApiKeys:find(name)
  argument.self("ApiKeys", "find", self)
  argument.key_name(1, "find", name)
  local keys, err = self:list()
  if not keys then
    return nil, err
  end
  local names, found = require "confidentai.rotation.names", { unreadable = keys.unreadable }
  for _, key in ipairs(keys) do
    if key.name == name or names.base(key.name) == name then
      found[#found + 1] = key
    end
  end
  return found
end

---Creates a key. It is sent once, unless it provably was not sent or the service refused it for now. An error whose
---`outcome` is "unknown" may have created a key: `find(name)` tells.
---@param name string|confidentai.KeyName non-empty, valid UTF-8
---@return confidentai.ApiKey? key with its secret in `value`, here and never again
---@return confidentai.Error? err with `outcome`
function ApiKeys:create(name)
  argument.self("ApiKeys", "create", self)
  if type(name) == "table" then
    argument.fields(1, "create", name, { name = "string" }, "name")
    name = name.name
  end
  argument.key_name(1, "create", name)
  local key, err = perform(self,
    { method = "POST", path = path.of_keys(self), body = { name = name }, shape = "new_api_key" })
  return operation.one(key, err)
end

-- Refuses when a key is the client's own, or may be, without which it is locked out. A project's key authenticates no
-- client.
-- Returns true, or nil and why the change was not made.
local function guard(api_keys, id, method)
  if api_keys.scope ~= "organization" then
    return true
  end
  local key, err = get(api_keys, id)
  if not key then
    err.outcome = "not_applied"
    return nil, err
  end
  local own = client_of(api_keys):owns(key)
  if own == false then
    return true
  end
  return nil, core.failure {
    kind = "guard",
    message = (own and "this is the client's own key, without which it is locked out"
      or "the service does not show how this key ends: it may be the client's own, without which it is locked out")
      .. "; { force = true } does it anyway",
    outcome = "not_applied", method = method, path = "/" .. table.concat(path.of_keys(api_keys, id), "/"), attempts = 0,
  }
end

local function check_options(position, name, options)
  if options ~= nil then
    argument.fields(position, name, options, { force = "boolean" }, nil, 1)
    return options.force
  end
end

local function update(api_keys, id, valid, force)
  if not valid and not force then
    local allowed, err = guard(api_keys, id, "PUT")
    if not allowed then
      return nil, err
    end
  end
  local key, err, call = perform(api_keys,
    { method = "PUT", path = path.of_keys(api_keys, id), body = { valid = valid }, shape = "api_key" })
  if key and key.valid ~= valid then
    return nil, call:failure("protocol", "unexpected answer: it does not show the change")
  end
  return check_id(api_keys, id, key, err, call)
end

---Enables or disables a key. Refuses to disable the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param changes confidentai.KeyChanges
---@param options? confidentai.ForceOptions
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:update(id, changes, options)
  argument.self("ApiKeys", "update", self)
  local checked = argument.key_id(1, "update", self, id)
  argument.fields(2, "update", changes, { valid = "boolean" }, "valid")
  local key, err = update(self, checked, changes.valid, check_options(3, "update", options))
  return operation.one(key, err)
end

---Enables a key.
---@param id integer|string|confidentai.ApiKey
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err
function ApiKeys:enable(id)
  argument.self("ApiKeys", "enable", self)
  local key, err = update(self, argument.key_id(1, "enable", self, id), true)
  return operation.one(key, err)
end

---Disables a key; it can be enabled again. Refuses the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param options? confidentai.ForceOptions
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:disable(id, options)
  argument.self("ApiKeys", "disable", self)
  local checked = argument.key_id(1, "disable", self, id)
  local key, err = update(self, checked, false, check_options(2, "disable", options))
  return operation.one(key, err)
end

-- After an attempt without an answer, a 404 says that the key, or its project, was not found at that moment: only a
-- list without the key shows that it is gone. Returns what speaks against it, or nil.
local function why_not_gone(api_keys, id)
  local keys, err = api_keys:list()
  if not keys then
    return ("the service says that there is no key %s, and does not list the others: %s"):format(id, err.message)
  end
  for _, list in ipairs { keys, keys.unreadable or {} } do
    for _, key in ipairs(list) do
      if key.id == nil then
        return ("the service says that there is no key %s, and a key that it lists cannot be read"):format(id)
      elseif core.key_id(api_keys, key.id) == id then
        return ("the service says that there is no key %s, but lists it"):format(id)
      end
    end
  end
end

---Deletes a key, for good. Refuses the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param options? confidentai.ForceOptions
---@return confidentai.DeletedKey? deleted
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:delete(id, options)
  argument.self("ApiKeys", "delete", self)
  local checked = argument.key_id(1, "delete", self, id)
  if not check_options(2, "delete", options) then
    local allowed, err = guard(self, checked, "DELETE")
    if not allowed then
      return nil, err
    end
  end
  local deleted, err, call = perform(self, { method = "DELETE", path = path.of_keys(self, checked), shape = "deleted" })
  if deleted and deleted.id == nil then -- an earlier attempt may have done it, and its answer was lost
    local problem = why_not_gone(self, checked)
    if problem then
      return nil, call:failure("protocol", problem) -- not "api", with an envelope that would say it is gone
    end
    deleted.id = type(id) == "userdata" and id.id or id -- only the caller names it
    return deleted
  end
  return check_id(self, checked, deleted, err, call)
end

---Begins the rotation of a key, or goes on with the one that is under way: a new key is made, proven and stored, and
---once it has been taken over the old one is disabled and, after a grace, deleted (docs/rotation.md). Advances until it
---must wait for soak or grace. Raises when an option is unknown or of a wrong type.
---@param id integer|string|confidentai.ApiKey
---@param options confidentai.RotateOptions
---@return confidentai.Rotation? rotation
---@return confidentai.Error? err with `state`: what had been reached; before "creating" nothing is left behind
function ApiKeys:rotate(id, options)
  argument.self("ApiKeys", "rotate", self)
  local rotation, err = require("confidentai.rotation").start(self, argument.key_id(1, "rotate", self, id), options)
  return operation.one(rotation, err)
end

---Makes a key exactly once, proven and in its stores; or none. Its name is `<name>~g<generation>~<op>`, by which an
---interrupted run finds it again, and `find(name)` does too.
---@param name string non-empty, valid UTF-8
---@param options confidentai.ProvisionOptions
---@return confidentai.ApiKey? key without its secret, which is in the stores
---@return confidentai.Error? err with `state`: what had been reached; the same call goes on from there
function ApiKeys:provision(name, options)
  argument.self("ApiKeys", "provision", self)
  local key, err = require("confidentai.rotation").provision(self, argument.key_name(1, "provision", name), options)
  return operation.one(key, err)
end

---Sees to it that a store holds a current key: one safe step a run, without a state folder (docs/rotation.md).
---@param base string the name under which the keys are known
---@param options confidentai.EnsureOptions
---@return confidentai.EnsureResult? result
---@return confidentai.Error? err of kind "guard": what it refuses to do, and why; "store": a store failed
function ApiKeys:ensure(base, options)
  argument.self("ApiKeys", "ensure", self)
  local result, err = require("confidentai.rotation").ensure(self, argument.key_name(1, "ensure", base), options)
  return operation.one(result, err)
end
