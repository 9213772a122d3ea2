-- SPDX-License-Identifier: Apache-2.0
-- What the specs of rotations share: a sandbox, a folder for state and stores, a clock that goes only when it is told
-- to, and clients. The clock is the service's, too, unless a spec takes them apart.

local assert = require "luassert"
local busted = require "busted"
local cjson = require "cjson"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local sealed = require "confidentai.rotation.sealed"
local state_folder = require "confidentai.state.folder"
local support = require "spec.support"
local uv = require "luv"

local scene = {}

local Scene = {}
Scene.__index = Scene

---Random bytes that are the same at every run.
function scene.random(seed)
  local state = seed or 1
  return function(count)
    local bytes = {}
    for i = 1, count do
      state = (state * 16807) % 2147483647
      bytes[i] = string.char(math.floor(state / 65536) % 256)
    end
    return table.concat(bytes)
  end
end

local function remove(path)
  local facts = uv.fs_lstat(path)
  if facts and facts.type == "directory" then
    for name in uv.fs_scandir_next, assert(uv.fs_scandir(path)) do
      remove(path .. "/" .. name)
    end
    uv.fs_rmdir(path)
  elseif facts then
    os.remove(path)
  end
end

-- A folder for temporary files on a disk: state is not kept on others.
local function temporary()
  for _, path in ipairs { os.getenv "TMPDIR" or "/tmp", "/tmp", "/var/tmp" } do
    local filesystem = core.file.filesystem(path)
    if filesystem and not state_folder.problem_with_filesystem(filesystem) then
      return path
    end
  end
  error "these specs need a folder for temporary files on a disk: set TMPDIR"
end

---A scene on a sandbox that runs; nothing is registered with busted.
function scene.make(service)
  local self = setmetatable({ service = service, ahead = 0, events = {}, clients = {} }, Scene)
  self.folder = assert(uv.fs_mkdtemp(temporary() .. "/confidentai-rotation-XXXXXX"))
  self.random = scene.random(7)
  self.clock = function() return os.time() + self.ahead end
  self.pause = function(seconds) self:pass(seconds) end
  return self
end

---Closes clients and removes the folder.
function Scene:finish()
  for _, client in ipairs(self.clients) do
    client:close()
  end
  remove(self.folder)
end

---Registers a scene for each spec of the file with busted.
function scene.register(options)
  local service = support.service(options)
  local current
  busted.before_each(function()
    current = scene.make(service)
  end)
  busted.after_each(function()
    current:finish()
  end)
  return setmetatable({}, {
    __index = function(_, name) return current[name] end,
    __newindex = function(_, name, value) current[name] = value end,
  })
end

---Lets time pass, for both.
function Scene:pass(seconds)
  self.ahead = self.ahead + seconds
  assert(self.service:set_clock(self.ahead))
end

---A client, by default one that gives up at once.
function Scene:client(options)
  local given = { max_retries = 0 }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  local client = support.client(self.service, given)
  self.clients[#self.clients + 1] = client
  return client
end

---The keys of the sandbox's first project, or of the organization.
function Scene:keys(scope, client)
  client = client or self:client()
  return scope == "organization" and client:organization().api_keys
    or client:project(self.service.projects[1].id).api_keys
end

function Scene:path(name)
  return self.folder .. "/" .. name
end

---Writes a file that only we may read.
function Scene:write(name, text)
  local path = self:path(name)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  assert(uv.fs_chmod(path, 384))
  return path
end

---The content of a file; nil without one.
function Scene:read(name)
  local file = io.open(self:path(name), "rb")
  if file then
    local text = file:read("*a")
    file:close()
    return text
  end
end

---A store with the secret of the key that is rotated.
function Scene:store(name, secret)
  if secret ~= false then
    self:write(name or "key", (secret or self.service.projects[1].api_key) .. "\n")
  end
  return confidentai.store.file { path = self:path(name or "key") }
end

---Options of rotate over defaults: no soak, no grace, one store, this scene's clock and state folder.
function Scene:options(more)
  local given = {
    state_dir = self:path "state", soak = 0, grace = 0, settle = 10, clock = self.clock, pause = self.pause,
    random = self.random, on_step = function(event) self.events[#self.events + 1] = event end,
  }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return given
end

---Options of open and doctor.
function Scene:opening(more)
  local given = { state_dir = self:path "state", clock = self.clock, pause = self.pause, random = self.random }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return given
end

---Rotates a key of the project: the one of option `id`, by default its first.
function Scene:rotate(more, client)
  local options = self:options(more)
  local id = options.id or 1
  options.id, options.store = nil, options.store or self:store()
  return self:keys("project", client):rotate(id, options)
end

---Begins a rotation that works with both keys for a day, which the time alone ends, and keeps the old one for a day.
---@param more? table options of rotate
---@return confidentai.Rotation
function Scene:begin(more)
  local options = { soak = 86400, grace = 86400, adoption = "time" }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return confidentai.check(self:rotate(options))
end

---A rotation whose requests fail once it has proven its new key, before that is published.
---@return confidentai.Rotation
function Scene:stuck_at_proven(more)
  more = more or {}
  more.on_step = function(event)
    if event.state == "proven" then
      self:fault { type = "drop", times = -1 }
    end
  end
  local rotation, err = self:rotate(more)
  assert.is_nil(rotation)
  assert.is_truthy(err)
  assert(self.service:clear_faults())
  return self:open()
end

---Lets the keys that a rotation has disabled to remove them be watched for long enough, and be removed.
function Scene:clean_up(rotation, seconds)
  self:pass(seconds or 60)
  local state, err = rotation:advance()
  assert.is_truthy(state, tostring(err))
end

---Rotates the key that the client itself uses.
function Scene:rotate_self(more, client)
  local options = self:options(more)
  options.store = options.store or self:store("manager", self.service.api_key)
  return self:keys("organization", client):rotate(1, options)
end

---The only rotation that open finds.
function Scene:open(client, more)
  local list, err = confidentai.rotation.open(client or self:client(), self:opening(more))
  assert.is_table(list, tostring(err))
  assert.equal(1, #list)
  return list[1]
end

---Queues a fault.
function Scene:fault(fault)
  assert(self.service:fault(fault))
end

---The service's own records of the keys of a scope.
function Scene:on_service(scope)
  local found, by_id = {}, {}
  for _, key in ipairs(assert(self.service:state()).keys) do
    if key.scope == (scope or "project")
      and (key.scope == "organization" or key.project_id == self.service.projects[1].id) then
      key.id = ("%.0f"):format(key.id)
      found[#found + 1], by_id[key.id] = key, key
    end
  end
  return found, by_id
end

---The key whose secret a store's file holds.
function Scene:holder(name, scope)
  local content = (self:read(name or "key") or ""):gsub("\n$", "")
  for _, key in ipairs((self:on_service(scope))) do
    if key.value == content then
      return key
    end
  end
end

---Files in the state folder, in any depth.
function Scene:state_files()
  local found = {}
  local function look(path)
    for name, kind in uv.fs_scandir_next, assert(uv.fs_scandir(path)) do
      if kind == "directory" then
        look(path .. "/" .. name)
      else
        found[#found + 1] = path .. "/" .. name
      end
    end
  end
  local facts = uv.fs_stat(self:path "state")
  if facts and facts.type == "directory" then
    look(self:path "state")
  end
  return found
end

---The file of the only rotation's record.
function Scene:record_path()
  for _, path in ipairs(self:state_files()) do
    if path:find("/records", 1, true) then
      return path
    end
  end
end

---The records of all rotations, as they lie in the state folder.
function Scene:records()
  local state = assert(require("confidentai.state").find(self:path "state"))
  local list = {}
  for i, key in ipairs(assert(state.list "records/")) do
    list[i] = assert(sealed.decode("record", (state.get(key))))
  end
  return list
end

---The record of the only rotation, as it lies in the state folder.
function Scene:record()
  local list = self:records()
  assert.equal(1, #list)
  return list[1]
end

---Changes the record of the only rotation, as nobody should.
function Scene:edit(change)
  local state = assert(require("confidentai.state").find(self:path "state"))
  local key = assert(state.list "records/")[1]
  local bytes, version = state.get(key)
  local content = assert(sealed.decode("record", bytes))
  change(content)
  assert(state.cas(key, sealed.encode("record", content), version))
end

---The secrets of all keys that the service has or had, by parts that no other text has.
function Scene:secrets()
  local parts = { self.service.api_key:sub(-24, -7), self.service.projects[1].api_key:sub(-24, -7) }
  for _, key in ipairs(assert(self.service:state()).keys) do
    parts[#parts + 1] = key.value:sub(-24, -7)
  end
  return parts
end

---Asserts that no secret is in a text, or in anything that JSON can carry.
function Scene:assert_no_secret(value)
  local text = type(value) == "string" and value or cjson.encode(value):gsub("\\/", "/")
  for _, part in ipairs(self:secrets()) do
    assert.is_nil(text:find(part, 1, true), "a secret was seen in: " .. text:sub(1, 300))
  end
end

---Changes that took effect at the service since a request, as "PUT 1 false" and so on.
function Scene:changes(since)
  local list = {}
  for _, entry in ipairs(assert(self.service:log(since))) do
    if entry.change then
      list[#list + 1] = ("%s %.0f%s"):format(entry.method or entry.operation, entry.change.key_id,
        entry.method == "PUT" and " " .. tostring(entry.change.valid) or "")
    end
  end
  return list
end

---Those of the changes that are one.
function Scene:changes_of(wanted)
  local list = {}
  for _, change in ipairs(self:changes()) do
    list[#list + 1] = change == wanted and change or nil
  end
  return list
end

return scene
