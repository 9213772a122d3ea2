-- SPDX-License-Identifier: Apache-2.0
-- Refusals: nothing was changed. Each has a cause, as a word, and the ways on as commands, where there are any.

local core = require "confidentai.core"
local facts = require "confidentai.rotation.facts"
local remedies = require "confidentai.rotation.remedies"
local ways = require "confidentai.rotation.ways"

local refusals = {}

---Makes the error of a refusal.
---@param cause string a word for it
---@param message string for people: what is so, and the option that a caller has
---@param ... confidentai.Way|false|nil
---@return nil
---@return confidentai.Error
function refusals.make(cause, message, ...)
  local err = core.failure { kind = "guard", message = message, outcome = "not_applied" }
  err.cause, err.ways = cause, ways.list(...)
  return nil, err
end

---Marks an error as one before a rotation began: nothing was changed.
---@param _ nil
---@param err confidentai.Error
---@return nil
---@return confidentai.Error
function refusals.planned(_, err)
  err.state, err.outcome = "planned", "not_applied"
  return nil, err
end

---Makes the error of a refusal for a rotation that is on record: what is true of its keys, and the ways on from there.
---@param cause string
---@param message string
---@param job { record: table, state: confidentai.State, key: string }
---@return nil
---@return confidentai.Error
function refusals.of_rotation(cause, message, job)
  local _, err = refusals.make(cause, message)
  return nil, refusals.attach(err, job)
end

---Adds to an error what is true of a rotation's keys, and the ways on from there.
---@param err confidentai.Error
---@param job { record: table, state: confidentai.State, key: string }
---@param refused? string the verb that the error is of: it is left out of the ways
---@return confidentai.Error err
function refusals.attach(err, job, refused)
  local list = err.ways
  if not list or #list == 0 then
    list = {}
    for _, way in ipairs(remedies.of(job)) do
      local is_refused = #way.steps == 1 and way.steps[1][3] == refused
      list[#list + 1] = not is_refused and way or nil
    end
  end
  err.facts, err.ways, err.rotation = facts.of_keys(job), list, job.record.id
  return err
end

---Makes the error of what another process holds.
---@param who string as the state says it
---@return nil
---@return confidentai.Error
function refusals.held(who)
  local err = core.failure { kind = "state",
    message = ("%s has this rotation locked: wait until it has ended, or end it"):format(who) }
  local pid, host = who:match "^process (%d+) on host (.+)$"
  err.cause, err.ways = "held", ways.list(host == core.host() and ways.make("See what that process is",
    { "ps", "-o", "pid,lstart,args", "-p", pid }), refusals.again("Once it has ended, run this again", {}))
  return nil, err
end

---The command of this run again, with other options; after other commands, if need be.
---@param purpose string
---@param change { add: string[]?, drop: string[]?, swap: table<integer, string>? } swap: other stores, by position
---@param ... string[] the words of command lines that come before
---@return confidentai.Way
function refusals.again(purpose, change, ...)
  local way = ways.make(purpose, ...)
  way.steps[#way.steps + 1] = { again = change }
  return way
end

---Shows a key.
---@param api_keys confidentai.ApiKeys
---@param id string
---@return confidentai.Way
function refusals.show(api_keys, id)
  return ways.make("See that key", ways.of_key(api_keys, "get", id))
end

---Shows the keys of a scope.
---@param api_keys confidentai.ApiKeys
---@return confidentai.Way
function refusals.list(api_keys)
  return ways.make("See which keys there are", ways.of_key(api_keys, "list"))
end

---Finds out whose the secret in a store is. Nil: it is not a file.
---@param store confidentai.Store
---@return confidentai.Way?
function refusals.identify(store)
  return store.kind == "file"
    and ways.make("Find out whose secret is there", { "confidentai", "identify", "--file", store.spec.path }) or nil
end

---Refuses a .env file in the place of one secret.
---@param problem string as of store_content.env_file_problem
---@param place integer of the store among the options --store; 0: it is not among them
---@param spec? string of the variable's own store
---@return nil
---@return confidentai.Error
function refusals.env_file(problem, place, spec)
  return refusals.make("env_file", problem, spec and place > 0
    and refusals.again("Use that variable, and leave the rest as it is", { swap = { [place] = spec } }))
end

---Moves what lies in the place of a secret away, and runs the command again. Nil: it is not a file.
---@param store confidentai.Store
---@param purpose string
---@return confidentai.Way?
function refusals.move(store, purpose)
  local path = store.kind == "file" and store.spec.path
  return path and refusals.again(purpose, {}, { "mv", "--", path, path .. ".moved" }) or nil
end

return refusals
