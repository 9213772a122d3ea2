-- SPDX-License-Identifier: Apache-2.0
-- Judges rotations by what the service saw and what lies on the disk, never by what the machine says of itself. It
-- shares no code with the machine: promises and numbers are those of docs/rotation.md.
--
--   local watch = oracle.watch(service, { scope = "project", project_id = ..., old_id = 1, base = "Default Key",
--     stores = { path }, state_dir = folder })
--   ...                                            -- the run, with whatever disturbs it
--   assert.same({}, watch:everything())            -- complaints, each a text
--
-- The parts can be asked for one by one: `instant` at any moment, `changes` of a log, `ending` after the last run.

local changes = require "spec.rotation.changes"
local disk = require "spec.rotation.disk"
local endings = require "spec.rotation.endings"
local secrets = require "spec.rotation.secrets"

local Oracle = {}
Oracle.__index = Oracle

local oracle = {}

local function add_keys(list, plain, scope, project_id)
  for _, part in ipairs { "list", "gone" } do
    for _, key in ipairs(plain[part]) do
      list[#list + 1] = { scope = scope, project_id = project_id, id = tostring(key.id):gsub("%.0$", ""),
        name = key.name, valid = key.valid and part == "list", gone = part == "gone", value = key.secret }
    end
  end
end

---All keys that a snapshot of the service has, deleted ones too.
---@param snapshot table
---@return table[] keys { scope, project_id, id, name, valid, gone, value }
function oracle.keys(snapshot)
  local list = {}
  add_keys(list, snapshot.organization.keys, "organization")
  for _, project in ipairs(snapshot.projects) do
    add_keys(list, project.keys, "project", project.id)
  end
  return list
end

---The name of a key across scopes.
---@param key table { scope, project_id, id }
---@return string
function oracle.name(key)
  return ("%s/%s/%s"):format(key.scope, key.project_id or "", (tostring(key.id):gsub("%.0$", "")))
end

local function roots(what)
  local list = { what.state_dir }
  for _, path in ipairs(what.stores) do
    list[#list + 1] = path:match "^(.*)/"
  end
  return list
end

---Begins to watch. The service looks into the stores at each change from now on.
---@param service confidentai.Sandbox
---@param what { scope: string, project_id: string?, old_id: integer|string|nil, base: string, stores: string[],
---state_dir: string } stores: files, each in a folder of the test's own
---@return table oracle
function oracle.watch(service, what)
  local self = setmetatable({ service = service, what = what, roots = roots(what), initial = {}, held = {} }, Oracle)
  assert(service:set { witness = what.stores })
  self.old = what.old_id and oracle.name { scope = what.scope, project_id = what.project_id, id = what.old_id }
  for _, key in ipairs(oracle.keys(assert(service:snapshot()))) do
    self.initial[oracle.name(key)] = key
  end
  local view = self:view()
  for _, path in ipairs(what.stores) do
    self.held[path] = self:holder(view, path)
  end
  return self
end

---What there is at this moment.
---@param snapshot? table of the service; taken, if absent
---@return { keys: table[], files: table }
function Oracle:view(snapshot)
  return { keys = oracle.keys(snapshot or assert(self.service:snapshot())), files = disk.read(self.roots) }
end

---The key whose secret a file holds.
---@param view table
---@param path string
---@return table? key
function Oracle.holder(_, view, path)
  local file = view.files[path]
  for word in (file and file.content or ""):gmatch "confident_us_[%w_+/=]+" do
    for _, key in ipairs(view.keys) do
      if key.value == word then
        return key
      end
    end
  end
end

-- Where secrets may lie while a rotation is under way: the escrow, what will be one or was one, and the stores'
-- folders.
local function may_hold(self, path)
  local root, name = path:match "^(.*)/([^/]*)$"
  if root:sub(1, #self.what.state_dir) == self.what.state_dir then
    return name:find "^escrows," or name:find "^%.spare%-escrows," or name:find "^%.confidentai%-"
  end
  for _, store in ipairs(self.what.stores) do
    if path == store then
      return true
    end
  end
  return name:find "^%.confidentai%-"
end

---Promise 4, on the disk: secrets are where they may be, for their owner only.
---@param view table
---@return string[] complaints
function Oracle:files(view)
  local found = {}
  for path, entry in pairs(view.files) do
    local in_state = path:sub(1, #self.what.state_dir) == self.what.state_dir
    local wanted = entry.kind == "directory" and 448 or 384 -- 0700, 0600
    local key = entry.content and secrets.find(entry.content, view.keys)
    if key and not may_hold(self, path) then
      found[#found + 1] = ("%s has the secret of key %s"):format(path, oracle.name(key))
    end
    if (in_state or key) and entry.mode ~= wanted then
      found[#found + 1] = ("%s has mode %03o"):format(path, entry.mode)
    end
  end
  return found
end

---Promises 1 and 4 at one moment: every store that held a working key holds one.
---@param view table
---@return string[] complaints
function Oracle:instant(view)
  local found = self:files(view)
  for _, path in ipairs(self.what.stores) do
    local held, before = self:holder(view, path), self.held[path]
    if before and before.valid and not (held and held.valid) then
      found[#found + 1] = ("%s holds no key that works (%s)"):format(path, held and oracle.name(held) or "no key")
    end
  end
  for _, key in ipairs(view.keys) do
    local before = self.initial[oracle.name(key)]
    if before and oracle.name(key) ~= self.old and (before.gone ~= key.gone or before.valid ~= key.valid) then
      found[#found + 1] = ("key %s, which nobody named, has changed"):format(oracle.name(key))
    end
  end
  return found
end

---Promises 1, 3 and 5 in what took effect.
---@param log table[] of the service
---@param start? table the view when the run of this log began, whose clock stood still: both keys' soak is judged
---@return string[] complaints
function Oracle:changes(log, start)
  return changes.judge(self, log, oracle.name, start)
end

---Promises 2 and 4 at the end of a run: nothing is left over.
---@param view table
---@param ended string? the state or stop that the run claims
---@return string[] complaints
function Oracle:ending(view, ended)
  return endings.judge(self, view, ended, oracle.name)
end

---What the record claims.
---@param view table
---@return string? state or stop
function Oracle:claims(view)
  local record = endings.records(self, view)[1]
  return record and (record.stop or record.state)
end

---Promise 4 in texts: output, command lines, environments.
---@param texts table<string, string> by what they are
---@param view table
---@return string[] complaints
function Oracle.texts(texts, view)
  local found = {}
  for what, text in pairs(texts) do
    local key = secrets.find(text, view.keys)
    if key then
      found[#found + 1] = ("%s has the secret of key %s"):format(what, oracle.name(key))
    end
  end
  return found
end

---Everything, after the last run.
---@param ended? string the state or stop that it claims
---@param texts? table<string, string> what it put out
---@return string[] complaints
function Oracle:everything(ended, texts)
  local view, found = self:view(), {}
  for _, list in ipairs {
    self:instant(view), self:changes(assert(self.service:log())), self:ending(view, ended),
    Oracle.texts(texts or {}, view),
  } do
    for _, complaint in ipairs(list) do
      found[#found + 1] = complaint
    end
  end
  return found
end

return oracle
