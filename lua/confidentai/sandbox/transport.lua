-- SPDX-License-Identifier: Apache-2.0
-- What lua-http does not offer: endings without an answer, resets, raw bytes, bodies larger than memory. The
-- same functions for HTTP/1.1 and HTTP/2, with or without TLS.

local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local new_headers = require "http.headers".new
local h2_error = require "http.h2_error"
local ok_socket, luasocket = pcall(require, "socket")

local transport = {}

-- A body over the limit is read to its end up to here, since a client may look for the answer only after
-- sending it all.
local max_drain = 2 ^ 26

---Whether a stream belongs to an HTTP/2 connection.
---@param stream table of lua-http
---@return boolean
function transport.is_h2(stream)
  return stream.connection.version == 2
end

-- With SO_LINGER 0 the close sends a reset. cqueues cannot set it; luasocket can, on a borrowed descriptor.
local function linger_zero(socket)
  if not ok_socket then return end
  local borrower = luasocket.tcp()
  borrower:setfd(socket:pollfd())
  borrower:setoption("linger", { on = true, timeout = 0 })
  borrower:setfd(-1)
end

---Waits until the answers to earlier pipelined requests have been sent.
---@return boolean alive false when one of them ended the connection
local function await_turn(stream)
  local connection = stream.connection
  if not transport.is_h2(stream) then
    while connection.socket and stream.state ~= "closed" and connection.pipeline:peek() ~= stream do
      cqueues.poll(stream.pipeline_cond)
    end
  end
  return connection.socket ~= nil and stream.state ~= "closed"
end

local function end_h1(stream, reset)
  if not await_turn(stream) then return end
  local connection = stream.connection
  local socket = connection.socket
  -- Without its socket, lua-http can write nothing more, such as its own 503 for a request nobody answered.
  connection.socket = nil
  stream:set_state("closed")
  if reset then linger_zero(socket) end
  socket:close()
end

local function end_h2(stream, reset, whole_connection)
  local socket = stream.connection.socket
  if whole_connection then
    if reset then
      linger_zero(socket)
      socket:shutdown("r")
    else
      socket:shutdown("rw")
    end
  end
  if stream.state == "closed" then return end
  local reason = h2_error.errors.INTERNAL_ERROR:new { message = "ended by a fault", stream_error = true }
  stream:rst_stream(reason, 0)
  -- When the client has gone the frame cannot be written, and lua-http would wait for this stream for ever.
  if stream.state ~= "closed" then stream:set_state("closed") end
end

---Ends a request without a (further) byte of an answer: HTTP/1.1 closes the connection, HTTP/2 resets the
---stream.
---@param stream table
---@param options? table { reset = a TCP reset, connection = HTTP/2 closes the connection too }
function transport.finish(stream, options)
  options = options or {}
  if transport.is_h2(stream) then
    end_h2(stream, options.reset, options.connection or options.reset)
  else
    end_h1(stream, options.reset)
  end
end

---Makes sure that lua-http always listens for what a client sends on. Over HTTP/2, two of its coroutines
---read from one connection, and a write between their reads can leave the socket with no event to wait for at
---all: large bodies then stall (seen with lua-http 0.4, cqueues 20200726 and TLS, once in about 100 uploads
---of 1 MiB on a busy machine).
---@param stream table
function transport.keep_listening(stream)
  local connection = stream.connection
  function connection:events()
    local events = self.socket and self.socket:events()
    if not events or events:find("r", 1, true) then return events end
    return events .. "r"
  end
end

---Reads a request's body.
---@param stream table
---@param limit integer bytes to keep; of a larger body nothing is kept
---@return string? body nil when the client left before the end
---@return integer? size of the whole body
function transport.read_body(stream, limit)
  local chunks, size = {}, 0
  while size <= max_drain do
    local chunk = stream:get_next_chunk()
    if not chunk then
      -- lua-http says nothing of an early end, and its own shutdown of such a stream never returns.
      if stream.state ~= "half closed (remote)" then return nil end
      break
    end
    size = size + #chunk
    if size <= limit then chunks[#chunks + 1] = chunk else chunks = {} end
  end
  return table.concat(chunks), size
end

---The headers of an answer.
---@param status integer
---@param fields table name to value, or to an array of values
---@return table headers of lua-http
function transport.headers(status, fields)
  local headers = new_headers()
  headers:append(":status", tostring(status))
  for name, value in pairs(fields) do
    for _, single in ipairs(type(value) == "table" and value or { value }) do
      headers:append(name:lower(), tostring(single))
    end
  end
  return headers
end

---Sends a whole answer.
---@param stream table
---@param headers table of lua-http
---@param body string
---@return boolean sent false when the client has gone
function transport.send(stream, headers, body)
  if not await_turn(stream) or not stream:write_headers(headers, body == "") then return false end
  return body == "" or stream:write_chunk(body, true) == true
end

---Sends the headers only; the body follows in pieces.
---@param stream table
---@param headers table of lua-http
---@return boolean sent
function transport.begin(stream, headers)
  return await_turn(stream) and stream:write_headers(headers, false) == true
end

---Whether the client has closed the connection or reset the stream.
---@param stream table
---@return boolean
function transport.is_gone(stream)
  local connection = stream.connection
  local socket = connection.socket
  if stream.state == "closed" or not socket then return true end
  -- Once a client has said goodbye, lua-http reads no more from it, and would never see it leave.
  if connection.recv_goaway_lowest and not connection:step(0) then return true end
  return socket:eof("r") == true or socket:error("r") ~= nil
end

---Sends a piece of a body and waits until it has left. Gives up as soon as the client has.
---@param stream table
---@param piece string
---@param last? boolean
---@return boolean sent
function transport.write(stream, piece, last)
  local sent_before = stream.stats_sent
  while true do
    if stream.state == "closed" then return false end
    local left = piece:sub(stream.stats_sent - sent_before + 1)
    local is_h2 = transport.is_h2(stream)
    -- On HTTP/2 a stream that the client resets while it waits for credit is never woken up: look now and
    -- then.
    local ok, _, code = stream:write_chunk(left, last or false, is_h2 and 0.1 or nil)
    if ok then return true end
    if code ~= errno.ETIMEDOUT or not is_h2 or transport.is_gone(stream) then return false end
  end
end

---Writes bytes that are no HTTP, and closes.
---@param stream table
---@param bytes string
function transport.raw(stream, bytes)
  if await_turn(stream) then stream.connection.socket:xwrite(bytes, "n", 5) end
  transport.finish(stream, { connection = true })
end

---Waits until the client leaves.
---@param stream table
function transport.wait_until_gone(stream)
  while not transport.is_gone(stream) do cqueues.sleep(0.03) end
end

return transport
