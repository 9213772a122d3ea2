-- SPDX-License-Identifier: Apache-2.0
-- A world in virtual time: the sandbox, stores, consumers, machines and people. Time passes only in `pass`, in which
-- everything that is due happens in its order: consumers read and use keys, machines wake up, late writes arrive.

local confidentai = require "confidentai"
local consumers = require "spec.rotation.virtual.consumers"
local store = require "spec.rotation.virtual.store"

local World = {}
World.__index = World

local world = {}

-- Seconds: the longest stretch of time for which one request of a consumer stands.
local LONGEST = 3600

-- Seconds since 1970: when the keys of the beginning are made, and when a run begins. They are old enough by then that
-- conclusions by age are drawn in a run, too. No real time is in a run, so that it is the same each time.
world.MADE = 1800000000
world.START = world.MADE + 40 * 86400

---@param service confidentai.Sandbox
---@param what { scope: string, project_id: string?, soak: number, folder: string, stores: integer, verb: string,
---only_prompt: boolean, secret: string, counts: (fun(kind: string): table), acts: table, drawn: table }
---@return table
function world.new(service, what)
  local self = setmetatable({ service = service, what = what, ahead = 0, events = {}, stores = {}, consumers = {},
    refusals = {}, complaints = {} }, World)
  self.began = self:now()
  assert(service:stop_clock(world.START))
  local paths = {}
  for i = 1, what.stores do
    paths[i] = ("%s/store%d"):format(what.folder, i)
    self.stores[i] = store.new(self, "store" .. i, paths[i], what.secret)
  end
  assert(service:set { witness = paths })
  for _, kind in ipairs(consumers.kinds(what.soak, what.only_prompt)) do
    for _, one in ipairs(self.stores) do
      self:add_consumer(kind, one)
    end
  end
  return self
end

---@param kind table as of consumers.kinds
---@param one { name: string, content: string } store
function World:add_consumer(kind, one)
  self.consumers[#self.consumers + 1] = consumers.new(self, kind, one, self.what.counts(kind.name))
end

---Now, by a clock that is right.
---@return number seconds since 1970
function World:now()
  return world.START + self.ahead
end

---Lets something happen at a moment.
---@param moment number seconds of virtual time
---@param act function
function World:at(moment, act)
  local position = #self.events + 1
  while position > 1 and self.events[position - 1].moment > moment do
    position = position - 1
  end
  table.insert(self.events, position, { moment = moment, act = act })
end

-- The next moment at which something changes, `finish` at the latest.
local function next_moment(self, finish)
  local moment = math.min(finish, self.ahead + LONGEST)
  if self.events[1] then
    moment = math.min(moment, self.events[1].moment)
  end
  for _, consumer in ipairs(self.consumers) do
    moment = math.min(moment, consumer:next_read() or finish)
  end
  return math.max(moment, self.ahead)
end

local function move_to(self, moment)
  local length = moment - self.ahead
  local due = {}
  for i, consumer in ipairs(self.consumers) do
    due[i] = consumer:next_read()
  end
  if length > 0 then
    self.ahead = moment
    assert(self.service:stop_clock(world.START + moment))
    for _, consumer in ipairs(self.consumers) do
      consumer:use(length)
    end
  end
  for i, consumer in ipairs(self.consumers) do
    if due[i] and due[i] <= moment then
      consumer:read()
    end
  end
end

---Lets time pass. Machines that wake up meanwhile may let more time pass.
---@param seconds number
function World:pass(seconds)
  local finish = self.ahead + math.max(0, seconds)
  repeat
    move_to(self, next_moment(self, finish))
    while self.events[1] and self.events[1].moment <= self.ahead do
      table.remove(self.events, 1).act()
    end
  until self.ahead >= finish
end

---One request of each consumer, now.
function World:use()
  for _, consumer in ipairs(self.consumers) do
    consumer:use(0)
  end
end

---A consumer was refused. Who is the cause is found out at the end, from the service's log.
function World:refused(consumer, weight)
  self.refusals[#self.refusals + 1] = { consumer = consumer, secret = consumer.secret, weight = weight,
    by_person = consumer.by_person, read_at = consumer.read_at, ahead = self.ahead }
end

---A client of a person, who acts with an organization key of their own.
---@return confidentai.ApiKeys api_keys of the scope
function World:person()
  self.person_client = self.person_client or confidentai.check(confidentai.new {
    api_key = self.what.person, base_url = self.service.base_url, max_retries = 0, timeout = 10 })
  return self.what.scope == "organization" and self.person_client:organization().api_keys
    or self.person_client:project(self.what.project_id).api_keys
end

function World:close()
  if self.person_client then
    self.person_client:close()
  end
end

return world
