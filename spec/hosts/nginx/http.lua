-- SPDX-License-Identifier: Apache-2.0
-- Plain HTTP to nginx, many requests at once, over connections that are kept: one stays with its worker.

local cjson = require "cjson"
local uv = require "luv"

local http = {}

local Connection = {}
Connection.__index = Connection

-- The body that begins a text, by its head, and what follows it; nil while it is not whole.
local function body_of(head, text)
  if not head:lower():find("\ntransfer-encoding: chunked", 1, true) then
    local length = tonumber(head:lower():match "\ncontent%-length: *(%d+)" or 0)
    return #text >= length and text:sub(1, length) or nil, text:sub(length + 1)
  end
  local chunks = {}
  while true do
    local size, rest = text:match "^(%x+)\r\n(.*)$"
    size = tonumber(size or "", 16)
    if not size or #rest < size + 2 then
      return nil
    end
    chunks[#chunks + 1] = rest:sub(1, size)
    text = rest:sub(size + 3)
    if size == 0 then
      return table.concat(chunks), text
    end
  end
end

-- Takes the answer in when it is there as a whole.
local function take(connection)
  local head, rest = connection.received:match "^(.-)\r\n\r\n(.*)$"
  local body, after
  if head then
    body, after = body_of(head, rest)
  end
  if not body then
    return
  end
  connection.received = after
  connection.answer = {
    status = tonumber(head:match "^HTTP/1.1 (%d+)"), head = head, body = body,
    seconds = (uv.hrtime() - connection.asked) / 1e9,
  }
end

---Runs the loop until something is so, at most so many seconds. Whether it is.
function http.await(condition, seconds)
  local deadline = uv.hrtime() + (seconds or 15) * 1e9
  local tick = uv.new_timer()
  tick:start(1, 1, function() end)
  while not condition() and uv.hrtime() < deadline do
    uv.run("once")
  end
  tick:close()
  return not not condition()
end

---Lets the loop run for so many seconds.
function http.pause(seconds)
  http.await(function() return false end, seconds)
end

---As await, for a condition that asks the server: every 20 ms.
function http.poll(condition, seconds)
  local deadline = uv.hrtime() + seconds * 1e9
  local met = condition()
  while not met and uv.hrtime() < deadline do
    http.pause(0.02)
    met = condition()
  end
  return not not met
end

---A connection; the first request may be made at once.
function http.connect(port)
  local connection = setmetatable({ received = "", port = port, tcp = uv.new_tcp() }, Connection)
  connection.tcp:connect("127.0.0.1", port, function(err)
    connection.failed = err
    connection.connected = not err
    if not err then
      connection.tcp:read_start(function(problem, chunk)
        connection.failed = problem or (not chunk and "closed") or nil
        connection.received = connection.received .. (chunk or "")
        if connection.asked then
          take(connection)
        end
      end)
    end
  end)
  assert(http.await(function() return connection.connected or connection.failed end))
  assert(connection.connected, connection.failed)
  return connection
end

---Asks, and does not wait. A value is sent as JSON, by POST.
function Connection:ask(path, value, method)
  local body = value and cjson.encode(value) or ""
  self.answer, self.asked = nil, uv.hrtime()
  self.tcp:write(("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"):format(
    method or (value and "POST" or "GET"), path, #body, body))
  return self
end

---Waits for the answer: { status, head, body, seconds }, or nil and why there is none.
function Connection:wait(seconds)
  http.await(function() return self.answer or self.failed end, seconds)
  return self.answer, self.failed or "no answer in time"
end

---Leaves, also in the middle of an answer.
function Connection:close()
  if not self.tcp:is_closing() then
    self.tcp:close()
    uv.run("nowait")
  end
end

---One request on a connection of its own.
function http.request(port, path, value, method)
  local connection = http.connect(port)
  local answer, problem = connection:ask(path, value, method):wait()
  connection:close()
  return answer, problem
end

---A port that is free now.
function http.free_port()
  local tcp = uv.new_tcp()
  assert(tcp:bind("127.0.0.1", 0))
  local port = tcp:getsockname().port
  tcp:close()
  uv.run("nowait")
  return port
end

return http
