-- SPDX-License-Identifier: Apache-2.0
-- Rotations, for users: begun, found again, examined. The machine is in advance.lua and steps/; the promises are in
-- docs/rotation.md.

local argument = require "confidentai.argument"
local begin = require "confidentai.rotation.begin"
local core = require "confidentai.core"
local doctor = require "confidentai.rotation.doctor"
local ensure = require "confidentai.rotation.ensure"
local handle = require "confidentai.rotation.handle"
local history = require "confidentai.rotation.history"
local open = require "confidentai.rotation.open"
local operation = require "confidentai.operation"
local options = require "confidentai.rotation.options"
local provision = require "confidentai.rotation.provision"
local status = require "confidentai.rotation.status"

local rotation = {}

---Begins the rotation of a key, or goes on with the one that is under way, and advances it until it must wait for soak
---or grace. For ApiKeys:rotate, which documents it.
---@private
---@param api_keys confidentai.ApiKeys
---@param id string
---@param given? table
---@return confidentai.Rotation?
---@return confidentai.Error? err with `state`
function rotation.start(api_keys, id, given)
  local checked = options.check("rotate", "r", 2, given, 1)
  local job, err = begin.run(api_keys, "rotation", checked, id)
  if not job then
    return nil, err
  end
  return handle.new(job)
end

---Provisions a key. For ApiKeys:provision, which documents it.
---@private
---@param api_keys confidentai.ApiKeys
---@param name string
---@param given? table
---@return confidentai.ApiKey?
---@return confidentai.Error? err
function rotation.provision(api_keys, name, given)
  local checked = options.check("provision", "p", 2, given, 1)
  checked.base = name
  local key, err = provision.run(api_keys, checked)
  return key, err
end

---Sees to it that a store holds a current key. For ApiKeys:ensure, which documents it.
---@private
---@param api_keys confidentai.ApiKeys
---@param base string
---@param given? table
---@return table?
---@return confidentai.Error? err
function rotation.ensure(api_keys, base, given)
  local checked = options.check("ensure", "e", 2, given, 1)
  for _, name in ipairs { "adopt", "abandon" } do
    if checked[name] ~= nil then
      local id, problem = core.key_id(api_keys, checked[name])
      if not id then
        argument.refuse(2, "ensure", ("option '%s': %s"):format(name, problem), 1)
      end
      checked[name] = id
    end
  end
  local result, err = ensure.run(api_keys, base, checked)
  return result, err
end

---The rotations of the client's base URL and organization that are not finished, or have suspects that are not settled.
---Nothing is advanced. Raises when an option is unknown or of a wrong type.
---@param client confidentai.Client
---@param given? confidentai.OpenOptions
---@return confidentai.Rotation[]? rotations
---@return confidentai.Error? err the records cannot be listed, or the service refuses the client
---@return confidentai.Error[]? problems with single records: a damaged one hides no other
function rotation.open(client, given)
  argument.object(1, "Client", "open", client)
  local checked = options.check("open", "o", 2, given)
  local jobs, problems = open.all(client, checked)
  if not jobs then
    return nil, problems
  end
  local list = {}
  for _, job in ipairs(jobs) do
    if checked.ended or not job.record.settled then
      list[#list + 1] = handle.new(job)
    end
  end
  return list, nil, problems
end

---Reads the records of a state folder, without a request and without a key: those of every organization. Raises when an
---option is unknown or of a wrong type.
---@param given? confidentai.ListOptions
---@return confidentai.Status[]? list those that are under way or not settled; with `ended`, all
---@return confidentai.Error? err the records cannot be listed
---@return confidentai.Error[]? problems with single records: a damaged one hides no other
function rotation.list(given)
  local checked = options.check("list", "l", 1, given)
  local jobs, problems = open.read(checked)
  if not jobs then
    return nil, problems
  end
  local list = {}
  for _, self in ipairs(jobs) do
    if checked.ended or not self.record.settled then
      list[#list + 1] = status.of(self)
    end
  end
  return list, nil, problems
end

---Reads the rotations that have ended, without a request, also those whose records a later rotation of the same key has
---taken over. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.HistoryOptions
---@return confidentai.EndedRotation[]? list oldest first
---@return confidentai.Error? err nothing can be listed
---@return confidentai.Error[]? problems with single files
function rotation.history(given)
  local jobs, problems, folder = open.read(options.check("history", "h", 1, given))
  if not jobs then
    return nil, problems
  end
  local list, more = history.all(folder, jobs)
  if not list then
    return nil, more
  end
  for _, problem in ipairs(more) do
    problems[#problems + 1] = problem
  end
  return list, nil, problems
end

---Compares the records with the service. It changes nothing but what `fix` names. Raises when an option is unknown or
---of a wrong type.
---@param client confidentai.Client
---@param given? confidentai.DoctorOptions
---@return confidentai.DoctorReport? report
---@return confidentai.Error? err the records or the projects cannot be listed, or the service refuses the client
function rotation.doctor(client, given)
  argument.object(1, "Client", "doctor", client)
  local report, err = doctor.examine(client, options.check("doctor", "d", 2, given))
  return operation.one(report, err)
end

return rotation
