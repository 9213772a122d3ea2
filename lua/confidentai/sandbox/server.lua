-- SPDX-License-Identifier: Apache-2.0
-- The service's listener: accepts and numbers connections, reads requests, hands them to the operations or
-- to a fault.

local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local errno = require "cqueues.errno"
local http_server = require "http.server"
local effects = require "confidentai.sandbox.effects"
local Exchange = require "confidentai.sandbox.exchange"
local json = require "confidentai.sandbox.json"
local router = require "confidentai.sandbox.router"
local transport = require "confidentai.sandbox.transport"

local Server = {}
Server.__index = Server

-- The largest body that is accepted, in bytes.
local max_body = 2 ^ 20
-- lua-http's 4 KiB for a line would refuse long ids and long credentials with a bare 400.
local max_line = 2 ^ 16

local function journal_entry(self, stream, headers)
  return self.journal:add {
    method = headers:get(":method"), path = headers:get(":path"), at = self.service.clock.real(),
    connection = self.numbers[stream.connection.socket], http = transport.is_h2(stream) and "2" or "1.1",
    time = self.service:now(), applied = false, sdk_version = headers:get("x-confident-sdk-version"),
    has_expect = headers:has("expect"), content_type = headers:get("content-type"),
  }
end

-- A header that the service takes with underscores and with hyphens; some proxies drop the first form.
local function field(self, headers, name)
  local with_underscores = self.service.settings.underscores == "kept" and headers:get(name) or nil
  return with_underscores or headers:get((name:gsub("_", "-")))
end

local function read_request(self, stream, headers, entry)
  local method, target = headers:get(":method"), headers:get(":path") or ""
  local request = router.resolve(method, target, self.base, self.service.generation)
  request.method, request.secret = method, field(self, headers, "confident_api_key")
  request.for_project = field(self, headers, "confident_project_id")
  request.content_type = headers:get("content-type")
  entry.operation, entry.scope = request.operation, request.scope
  entry.project_id, entry.key_id = request.project_id, request.key_id
  if (headers:get("expect") or ""):lower() == "100-continue" then stream:write_continue() end
  local body, size = transport.read_body(stream, max_body)
  if not body then return nil end
  request.body = body
  if size > max_body then
    request.operation, request.status, request.message = nil, 413, "The body is larger than 1 MiB"
  end
  return request
end

-- Returns whether there was a request; what else comes is answered with a bare 400 by lua-http.
local function serve(self, stream)
  stream.use_zlib = false -- answers are sent as they are, so that their bytes can be counted
  transport.keep_listening(stream)
  local headers = stream:get_headers()
  if not headers then return false end
  local entry = journal_entry(self, stream, headers)
  local request = read_request(self, stream, headers, entry)
  if not request then return true end
  self.late:settle()
  local exchange = Exchange.new {
    stream = stream, service = self.service, changes = self.changes, late = self.late,
    request = request, entry = entry, encode = json.encode, edits = self.faults:take_edits(request),
  }
  exchange:edit("before")
  local fault = self.faults:take(request)
  if fault then
    entry.fault = fault.type
    effects[fault.type](exchange, fault)
  else
    exchange:send(exchange:apply())
  end
  return true
end

local function accept_loop(self)
  while self.socket do
    local client, code = self.socket:accept({ nodelay = true }, 0)
    if client then
      self.accepted = self.accepted + 1
      self.numbers[client] = self.accepted
      client:setmaxline(max_line)
      self.http:add_socket(client)
    elseif code == errno.EMFILE or code == errno.ENFILE then
      cqueues.sleep(0.03) -- until another connection has been closed
    else
      cqueues.poll(self.socket)
    end
  end
end

---Opens a listening socket on a loopback address.
---@param host string
---@param port integer 0 for any
---@return userdata? socket
---@return integer|string port_or_message the port; without a socket, what is wrong
function Server.bind(host, port)
  local ok, socket, problem = pcall(cqueues_socket.listen, { host = host, port = port, reuseaddr = true })
  if not ok then return nil, tostring(socket) end
  if not socket then return nil, errno.strerror(problem) end
  socket:onerror(function(_, _, code) return code end)
  local listening, code = socket:listen()
  if not listening then
    if code == errno.EADDRINUSE then return nil, "in use" end
    return nil, errno.strerror(code)
  end
  local _, _, bound = socket:localname()
  return socket, bound
end

---A new server on a bound socket; it begins to accept when the controller runs.
---@param fields table { cq, socket, ctx?, service, faults, journal, changes, late, base = segments, on_error }
---@return table server
function Server.new(fields)
  local self = setmetatable(fields, Server)
  self.accepted = 0
  self.numbers = setmetatable({}, { __mode = "k" })
  self.http = http_server.new {
    cq = self.cq, tls = self.ctx ~= nil, ctx = self.ctx,
    -- Idle connections stay: a client that reuses them is what is being tested.
    connection_setup_timeout = 3600, intra_stream_timeout = 3600,
    onstream = function(_, stream)
      local begun = serve(self, stream)
      -- Some of it was not read or not written: lua-http's shutdown would wait for that, for ever if the
      -- client leaves.
      if begun and stream.state ~= "closed" then transport.finish(stream) end
    end,
    onerror = self.on_error,
  }
  self.cq:wrap(accept_loop, self)
  return self
end

---Numbers for the control path.
---@return table stats { connections_accepted, connections_open }
function Server:stats()
  return { connections_accepted = self.accepted, connections_open = self.http.n_connections }
end

return Server
