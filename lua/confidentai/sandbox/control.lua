-- SPDX-License-Identifier: Apache-2.0
-- The control path, on a port of its own: faults, the log, the state, reset. Described in docs/sandbox.md.

local http_server = require "http.server"
local Clock = require "confidentai.sandbox.clock"
local Faults = require "confidentai.sandbox.faults"
local json = require "confidentai.sandbox.json"
local settings = require "confidentai.sandbox.settings"
local snapshot = require "confidentai.sandbox.snapshot"
local time_forms = require "confidentai.sandbox.time_forms"
local transport = require "confidentai.sandbox.transport"
local witness = require "confidentai.sandbox.witness"

local Control = {}
Control.__index = Control

local max_body = 2 ^ 26

local function time(seconds)
  return seconds and time_forms.write(seconds, "z")
end

local function key_of(service, entry)
  local key = entry.key
  return {
    scope = key.scope, project_id = key.project_id, id = key.id, name = key.name, valid = key.valid,
    value = key.secret, shadowValue = key.shadow, created_at = time(key.created_at), expiresAt = time(key.expires_at),
    rotatesAt = time(key.rotates_at), lastUsed = time(service:last_used(key)),
  }
end

local handlers = {
  faults = {}, log = {}, state = {}, reset = {}, stats = {}, clock = {}, settings = {}, snapshot = {}, restore = {},
}

function handlers.faults.POST(self, _, body)
  local fault, message = json.decode(body)
  if message then return 400, { error = "Malformed JSON" } end
  message = Faults.check(fault)
  if message then return 422, { error = message } end
  return 201, { id = self.faults:add(fault, self.service.revision) }
end

function handlers.faults.GET(self)
  return 200, self.faults:list()
end

function handlers.faults.DELETE(self)
  self.faults:clear()
  return 200, { cleared = true }
end

function handlers.log.GET(self, query)
  return 200, self.journal:list(tonumber(query:match("since=(%d+)")))
end

function handlers.log.DELETE(self)
  self.journal:clear()
  return 200, { cleared = true }
end

function handlers.state.GET(self)
  local state = {
    organization_id = self.service.organization.id, global_key = self.service.global_secret,
    projects = json.array(), keys = json.array(),
  }
  for index, project in ipairs(self.service.projects) do
    state.projects[index] = { id = project.id, name = project.name }
  end
  for _, keys in ipairs(self.service:key_sets()) do
    for _, entry in ipairs(keys:at()) do state.keys[#state.keys + 1] = key_of(self.service, entry) end
  end
  return 200, state
end

function handlers.reset.POST(self)
  self.service:reset()
  self.late:clear()
  self.faults:clear()
  self.journal:clear()
  self.save()
  return 200, { reset = true }
end

function handlers.snapshot.POST(self)
  return 200, snapshot.take(self.service, self.late)
end

function handlers.restore.POST(self, _, body)
  local image, message = json.decode(body)
  if message then return 400, { error = "Malformed JSON" } end
  if not snapshot.restore(self.service, self.late, image) then
    return 422, { error = "This is not a snapshot of this version of the sandbox" }
  end
  self.faults:clear()
  self.journal:clear()
  self.save()
  return 200, { restored = true }
end

function handlers.stats.GET(self)
  local stats = self.server:stats()
  stats.requests, stats.faults = self.journal.last, #self.faults.queue
  return 200, stats
end

function handlers.clock.POST(self, _, body)
  local change, message = json.decode(body)
  if message then return 400, { error = "Malformed JSON" } end
  message = Clock.check(change)
  if message then return 422, { error = message } end
  self.service.clock:change(change)
  self.late:settle()
  return handlers.clock.GET(self)
end

function handlers.clock.GET(self)
  return 200, { now = self.service:now(), stopped = self.service.clock.stopped_at ~= nil }
end

function handlers.settings.POST(self, _, body)
  local given, message = json.decode(body)
  if message then return 400, { error = "Malformed JSON" } end
  message = settings.check(given) or witness.check(self.service, given.witness)
  if message then return 422, { error = message } end
  settings.merge(self.service.settings, given)
  return 200, self.service.settings
end

function handlers.settings.GET(self)
  return 200, self.service.settings
end

local function handle(self, method, target, headers, body)
  -- A page in a browser can send here, but not without telling where it comes from.
  if headers:has("origin") then return 403, { error = "The control path is not for browsers" } end
  local name, query = target:match("^/(%l+)%??(.*)$")
  local methods = name and handlers[name]
  if not methods then
    return 404, { error = "Unknown control path; known are /clock /faults /log /reset /restore /settings /snapshot "
      .. "/state /stats" }
  end
  if not methods[method] then return 405, { error = "Method not allowed" } end
  self.late:settle()
  return methods[method](self, query, body)
end

local function serve(self, stream)
  local headers = stream:get_headers()
  if not headers then return end
  if (headers:get("expect") or ""):lower() == "100-continue" then stream:write_continue() end
  local body = transport.read_body(stream, max_body)
  if not body then return transport.finish(stream) end
  local status, answer = handle(self, headers:get(":method"), headers:get(":path") or "", headers, body)
  local text = json.encode(answer)
  transport.send(stream, transport.headers(status, {
    ["content-type"] = "application/json", ["content-length"] = #text,
  }), text)
end

---Serves the control path on a bound socket.
---@param fields table { cq, socket, service, faults, journal, late, server, save = function, on_error = function }
---@return table control
function Control.new(fields)
  local self = setmetatable(fields, Control)
  self.http = http_server.new {
    cq = self.cq, socket = self.socket, tls = false, intra_stream_timeout = 3600,
    onstream = function(_, stream) serve(self, stream) end, onerror = self.on_error,
  }
  return self
end

return Control
