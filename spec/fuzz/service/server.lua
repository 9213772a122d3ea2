-- SPDX-License-Identifier: Apache-2.0
-- A server on 127.0.0.1 that answers with any bytes. It runs in the same process: whoever waits for a call steps it.

local socket = require "socket"

local Server = {}
Server.__index = Server

local server = {}

function server.start()
  local listener = assert(socket.bind("127.0.0.1", 0, 16))
  listener:settimeout(0)
  local _, port = listener:getsockname()
  return setmetatable({ listener = listener, base_url = "http://127.0.0.1:" .. port, open = {}, requests = {} }, Server)
end

---What the next requests are answered with.
---@param answer { pieces: string[], keep: boolean? } keep: the connection stays open
function Server:prepare(answer)
  self.answer, self.requests = answer, {}
end

-- Whether the bytes of a connection are a whole request.
local function is_whole(input)
  local _, head_end = input:find("\r\n\r\n", 1, true)
  local length = head_end and tonumber(input:sub(1, head_end):match "\r\n[Cc]ontent%-[Ll]ength: (%d+)\r\n") or 0
  return head_end and #input >= head_end + length
end

local function receive(self, connection)
  local whole, problem, part = connection.socket:receive(65536)
  connection.input = connection.input .. (whole or part or "")
  if is_whole(connection.input) then
    self.requests[#self.requests + 1] = connection.input
    connection.input, connection.answer, connection.piece, connection.from = "", self.answer, 1, 1
  elseif problem == "closed" then
    return false
  end
  return true
end

-- Sends what fits; false: the connection is done with.
local function send(connection)
  local pieces = connection.answer.pieces
  local piece = pieces[connection.piece]
  while piece do
    local last, problem, partial = connection.socket:send(piece, connection.from)
    if not last and problem == "closed" then
      return false
    end
    connection.from = (last or partial) + 1
    if connection.from <= #piece then
      return true
    end
    connection.piece, connection.from = connection.piece + 1, 1
    piece = pieces[connection.piece]
  end
  connection.piece = nil
  return connection.answer.keep
end

---Does what can be done without waiting.
function Server:step()
  local accepted = self.listener:accept()
  while accepted do
    accepted:settimeout(0)
    accepted:setoption("tcp-nodelay", true)
    self.open[#self.open + 1] = { socket = accepted, input = "" }
    accepted = self.listener:accept()
  end
  for i = #self.open, 1, -1 do
    local connection = self.open[i]
    local alive = connection.piece ~= nil or receive(self, connection)
    if alive and connection.piece then
      alive = send(connection)
    end
    if not alive then
      connection.socket:close()
      table.remove(self.open, i)
    end
  end
end

---A driver for clients: it steps the server too.
function Server:driver()
  return { wait = function(engine, awaited)
    while not awaited:done() do
      self:step()
      engine:step(0.002)
    end
  end }
end

function Server:stop()
  for _, connection in ipairs(self.open) do
    connection.socket:close()
  end
  self.listener:close()
end

return server
