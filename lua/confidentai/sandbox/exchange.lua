-- SPDX-License-Identifier: Apache-2.0
-- One request and its answer: what the effects of faults work with.

local cqueues = require "cqueues"
local edits = require "confidentai.sandbox.edits"
local operations = require "confidentai.sandbox.operations"
local transport = require "confidentai.sandbox.transport"

local Exchange = {}
Exchange.__index = Exchange

---A new exchange.
---@param fields table { stream, service, changes, late, request, entry, encode, edits }
---@return table exchange
function Exchange.new(fields)
  fields.epoch = fields.service.epoch
  return setmetatable(fields, Exchange)
end

---The same request, delivered once more. It has an entry of its own in the log.
---@return table exchange
function Exchange:again()
  local entry, request = {}, {}
  for name, value in pairs(self.entry) do entry[name] = value end
  for name, value in pairs(self.request) do request[name] = value end
  entry.duplicate_of = self.entry.n
  local again = {}
  for name, value in pairs(self) do again[name] = value end
  again.edits = {}
  again.entry, again.request = self.changes.journal:add(entry), request
  return setmetatable(again, Exchange)
end

---Makes the edits of somebody else that belong here.
---@param when string "before" the operation or "after" it
function Exchange:edit(when)
  if self.epoch ~= self.service.epoch then return end
  for index = 1, #self.edits do
    local fault = self.edits[index]
    if (fault.when or "before") == when then edits.make(self.changes, fault, self.request, self.entry) end
  end
  if when == "after" then self.edits = {} end
end

---Decides once who makes the request. This alone does not move the credential's lastUsed.
---@return table? refused the failure to answer
function Exchange:admit()
  if not self.admitted then
    self.admitted = true
    self.refused = operations.admit(self.service, self.request)
    local key = self.request.credential
    if key then
      self.entry.credential = { id = key.id, scope = key.scope, project_id = key.project_id }
    end
  end
  return self.refused
end

---Moves the credential's lastUsed, once.
function Exchange:touch()
  local key = self.request.credential
  if key and not self.touched then self.service:touch(key) end
  self.touched = true
end

local function carry_out(self)
  local refused = self:admit()
  self:touch()
  if refused then return refused end
  if self.epoch ~= self.service.epoch then
    return operations.failure(503, "The sandbox was reset while this request waited")
  end
  return self.changes:carry_out(self.request, self.entry)
end

---Lets the operation take effect, and then the edits that come after it.
---@return table answer { status, body, headers? }
function Exchange:apply()
  local answer = carry_out(self)
  self:edit("after")
  return answer
end

local function http_date(seconds)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(seconds))
end

local date_writers = {
  normal = http_date,
  absent = function() return nil end,
  unreadable = function(seconds) return os.date("!%d.%m.%Y, about %H h", math.floor(seconds)) end,
}

-- Told to who still uses a secret that is being replaced.
local function warn(request, fields)
  local key = request.credential
  if key and key.rotates_at and request.secret == key.secret then
    fields.sunset = http_date(key.rotates_at)
    fields["x-api-key-warning"] = "This API key is being rotated: use the new secret"
  end
end

local function fields_of(service, answer)
  local set = service.settings
  local fields = {
    date = date_writers[set.date](service:now() + set.date_shift),
    ["content-type"] = answer.content_type or "application/json; charset=utf-8",
    server = "confidentai-sandbox",
  }
  for name, value in pairs(answer.headers or {}) do fields[name:lower()] = value end
  return fields
end

---The headers of an answer, with the date and the body's length.
---@param answer table { status, body?, headers?, content_type? }
---@param length? integer of the body, if it is to be announced
---@return table headers of lua-http
function Exchange:headers(answer, length)
  local fields = fields_of(self.service, answer)
  warn(self.request, fields)
  fields["content-length"] = length and string.format("%.0f", length)
  if transport.is_h2(self.stream) then -- which has no such headers
    fields.connection, fields["keep-alive"], fields["transfer-encoding"] = nil, nil, nil
  end
  return transport.headers(answer.status, fields)
end

---Sends an answer and notes its status.
---@param answer table { status, body, headers?, content_type? }
function Exchange:send(answer)
  local bodyless = answer.status == 204 or answer.status == 304
  local body = bodyless and "" or answer.body
  local length = not bodyless and #body or nil
  if self.request.method == "HEAD" then body = "" end
  local sent = transport.send(self.stream, self:headers(answer, length), body)
  if sent then self.entry.status = answer.status end
end

---Sends the headers of an answer, notes its status; the body follows with `write`.
---@param answer table { status, headers?, content_type? }
---@param length? integer of the body to announce; without it the body is chunked
---@return boolean sent
function Exchange:begin(answer, length)
  local sent = transport.begin(self.stream, self:headers(answer, length))
  if sent then self.entry.status = answer.status end
  return sent
end

---Sends a piece of the body.
---@param piece string
---@param last? boolean
---@return boolean sent false when the client has gone
function Exchange:write(piece, last)
  return transport.write(self.stream, piece, last)
end

---Ends without an answer.
---@param options? table as for transport.finish
function Exchange:finish(options)
  transport.finish(self.stream, options)
end

---Holds the connection until the client leaves it.
function Exchange:hang()
  transport.wait_until_gone(self.stream)
  transport.finish(self.stream)
end

---Waits.
---@param seconds number
function Exchange.sleep(_, seconds)
  cqueues.sleep(seconds)
end

return Exchange
