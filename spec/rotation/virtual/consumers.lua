-- SPDX-License-Identifier: Apache-2.0
-- Consumers: programs that read a secret from a store and use it, each with one request per five seconds of virtual
-- time. One real request stands for all of a stretch of time in which nothing has changed. Failed requests are counted,
-- with who caused them: us, or a person who changed a key or a store.

local socket = require "socket"

local consumers = {}

local Consumer = {}
Consumer.__index = Consumer

-- Seconds of virtual time between two requests of a consumer.
local PACE = 5

local HALF_DAY = 43200

---The kinds of consumers, by how they read the store again.
---@param soak number seconds: the shortest soak that the run promises
---@param only_prompt boolean only those that read again within it
---@return table[] kinds { name, every: seconds or nil, rereads: true if it reads again when it is refused, prompt: true
---if it reads again within the soak }
function consumers.kinds(soak, only_prompt)
  local list = {}
  for _, kind in ipairs { { name = "prompt", every = math.floor(soak / 3) }, { name = "half a day", every = HALF_DAY },
    { name = "when refused", rereads = true } } do
    kind.prompt = kind.every ~= nil and kind.every < soak
    list[#list + 1] = (kind.prompt or not only_prompt) and kind or nil
  end
  return list
end

---@param world table of world.lua
---@param kind table of consumers.kinds
---@param store table of world.lua
---@param counts table { requests, failed }: of the whole spec, by kind and verb
function consumers.new(world, kind, store, counts)
  local self = setmetatable({ world = world, kind = kind, store = store, counts = counts, used = {} }, Consumer)
  self:read()
  return self
end

---Reads the store.
function Consumer:read()
  self.secret, self.by_person = self.store.content, self.store.by_person
  self.read_at = self.world.ahead
end

---The moment at which it will see another secret than it has; nil: it has what the store has, or waits for a refusal.
---@return number? seconds of virtual time
function Consumer:next_read()
  if not self.kind.every or self.secret == self.store.content then
    return nil
  end
  local periods = math.floor((self.world.ahead - self.read_at) / self.kind.every) + 1
  return self.read_at + periods * self.kind.every
end

local function receive(connection)
  local line, err = connection:receive "*l"
  local status, length = tonumber((line or ""):match "^HTTP/1.1 (%d+)"), 0
  if not status then
    return nil, err or line
  end
  repeat
    line = connection:receive "*l"
    length = tonumber((line or ""):lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  if length > 0 then
    connection:receive(length)
  end
  return status
end

local lines = {}

-- One request on the connection of this host, which is opened again where it was closed.
local function request(world, secret)
  local host, port = world.service.base_url:match "^http://([^:/]+):(%d+)"
  local path = world.what.scope == "organization" and "/v1/organization" or "/v1/annotation-queues?page=1&pageSize=1"
  local text = ("GET %s HTTP/1.1\r\nHost: %s\r\nCONFIDENT_API_KEY: %s\r\n\r\n"):format(path, host, secret)
  local status, err
  for _ = 1, 2 do
    lines[port] = lines[port] or assert(socket.connect(host, tonumber(port)))
    lines[port]:settimeout(10)
    lines[port]:send(text)
    status, err = receive(lines[port])
    if status then
      return status
    end
    lines[port]:close()
    lines[port] = nil
  end
  error("the sandbox does not answer a consumer: " .. tostring(err))
end

---Closes the connections of all consumers.
function consumers.close()
  for port, connection in pairs(lines) do
    connection:close()
    lines[port] = nil
  end
end

local function try(self, weight)
  local status = self.secret and request(self.world, self.secret) or 0
  self.counts.requests = self.counts.requests + weight
  if status == 200 then
    self.used[self.secret] = self.world.ahead
    return true
  end
  return false
end

---Uses the secret for a while.
---@param seconds number of virtual time that end now, in which nothing has changed; 0: one request, now
function Consumer:use(seconds)
  local weight = math.max(1, math.ceil(seconds / PACE))
  if try(self, weight) then
    return
  end
  self.world:refused(self, weight)
  if self.kind.rereads then
    self:read()
    if not try(self, 1) then
      self.world:refused(self, 1)
    end
  end
end

return consumers
