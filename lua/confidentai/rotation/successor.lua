-- SPDX-License-Identifier: Apache-2.0
-- ensure's next key: created, verified and published. One that fails before its secret has left this process is removed
-- at once; one that a store may hold is kept, as its put may still take effect: later runs find it.

local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local guard = require "confidentai.rotation.guard"
local names = require "confidentai.rotation.names"
local notice = require "confidentai.rotation.notice"
local store_note = require "confidentai.rotation.store_note"
local stores = require "confidentai.rotation.stores"

local successor = {}

-- Seconds between two tries of a new key, and in which the service spreads it.
local POLL, PROPAGATION = 1, 60

-- Calls ask() until it gives another answer than `pending`, or for so long that it is no matter of time.
local function poll(self, pending, patience, ask)
  local begun = self.clock()
  while true do
    local result, err = ask()
    if result ~= pending or self.clock() - begun >= patience then
      return result, err
    end
    local _, problem = self.pause(POLL)
    if problem then
      return nil, problem
    end
  end
end

---Tries a secret until it is accepted, or was refused for a while.
---@param self confidentai.Job
---@param secret string
---@param patience? number seconds; default: a minute
---@return "accepted"|"refused"|nil
---@return confidentai.Error? err it could not be found out
function successor.try(self, secret, patience)
  local result, err = poll(self, "refused", patience or PROPAGATION, function()
    local answer, problem = calls.try(self, secret)
    return answer, problem
  end)
  return result, err
end

local function prove(self, secret, identity)
  local result, err = successor.try(self, secret)
  if result == "accepted" and self.record.scope == "organization" then
    result, err = calls.try_managing(self, secret, identity)
  end
  if result == "refused" then
    return self:failure("guard", "the service refuses the new key's secret")
  end
  return result and true, err
end

-- Removes a new key that cannot be used, while its id is known; else a later run finds it. Adds to the error what could
-- not be done.
local function drop(self, identity, err)
  local done, problem = guard.remove(self, identity, { named = true, own_use = self:mark(), ours_alone = true })
  if done ~= "gone" then
    err.message = ("%s; the new key could not be removed yet: %s"):format(err.message,
      done == "waiting" and "it is disabled" or done == nil and problem.message or problem)
  end
end

---Runs the command that tells the users of the stores. No record says that it is due: the next run that finds an older
---key enabled runs it again.
---@param self confidentai.Job
---@return { state: "failed"|"succeeded", problem: string? }? notice nil: there is no such command
function successor.tell(self)
  if not self.options.on_published then
    return nil
  end
  local done, problem = notice.run(self, self.options)
  return { state = done and "succeeded" or "failed", problem = problem }
end

-- Whether a key of this id was there before the create: an answer that names it is not about the new key.
local function was_there(self, view, id)
  for _, key in ipairs(view.all) do
    if core.key_id(self.api_keys, key) == id then
      return true
    end
  end
  return false
end

-- Returns what is on record about the new key, and the key: its own address says it, and not the answer to the create.
local function identify(self, view, name, answer)
  local id, secret = core.key_id(self.api_keys, answer), answer.value
  if was_there(self, view, id) then
    return self:failure("guard", ("the answer to the create names key %s, which was there before: it was left alone")
      :format(id), "unknown")
  end
  local key, err = poll(self, false, PROPAGATION, function()
    local found, problem = calls.get(self, id)
    return found, problem
  end)
  if key == false then
    return self:failure("api", ("the service does not show key %s, which it says it has made"):format(id), "unknown")
  elseif not key then
    return nil, err
  end
  local identity = calls.identity(self, key)
  if answer.name == name and key.name == name and identity.last6 == secret:sub(-6) then
    return identity, nil, key
  end
  local _, generation, op = names.parse(name)
  _, err = self:failure("guard", answer.name == name and key.name == name
    and "the new key does not end as the secret that was given for it" or "the service changed the name of the new key")
  if (key.name or ""):lower():find(("~g%d~%s"):format(generation, op), 1, true) then
    drop(self, identity, err)
  end -- else nothing shows that it is ours
  return nil, err
end

-- Puts the secret into all stores. A put that may take effect later keeps the key.
local function publish(self, secret, identity)
  local writes = 0
  local ok, err = stores.put_all(self, secret, function()
    writes = writes + 1
    return true
  end)
  if ok then
    return true
  end
  -- A store that took it holds it, though it may show what it held before, as one that is replicated does.
  local certain = err.outcome == "not_applied" and writes <= 1
  for _, store in ipairs(certain and self.stores or {}) do
    local held = stores.get(self, store)
    certain = certain and held ~= nil and held ~= secret
  end
  if certain then
    drop(self, identity, err)
  else
    err.message = ("%s; key %s is kept, as a store may hold it: the next run finds out"):format(err.message,
      identity.id)
  end
  return nil, err
end

---Creates the next generation, verifies it and publishes it.
---@param self confidentai.Job
---@param view confidentai.GenerationView
---@param why string
---@return table? result as of ensure
---@return confidentai.Error? err
function successor.create(self, view, why)
  local generation, none = names.next(view.all, view.base)
  if not generation then
    return self:failure("guard", none, "not_applied")
  end
  local name = names.make(view.base, generation, names.op(self.random))
  for _, store in ipairs(self.stores) do
    local ok, problem = store:preflight(self)
    if not ok then
      return self:failure("store", ("%s: %s"):format(store.label, stores.problem(store, problem)), "not_applied")
    end
  end
  local answer, err = calls.create_now(self, name)
  if not answer then
    return nil, err
  end
  local secret = answer.value
  local identity, problem, key = identify(self, view, name, answer)
  if not identity then
    return nil, problem
  end
  local ok
  ok, err = prove(self, secret, identity)
  if not ok then
    drop(self, identity, err)
    return nil, err
  end
  ok, err = publish(self, secret, identity)
  if not ok then
    return nil, err
  end
  answer:forget()
  store_note.start(self, view, key) -- one that fails is written by the next run, and the soak counts from then
  return { key = key, action = "created", reason = why, notice = successor.tell(self) }
end

return successor
