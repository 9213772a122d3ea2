-- SPDX-License-Identifier: Apache-2.0
-- The queue of faults: what may be asked for, and which request is hit. What a fault then does is in
-- effects.lua.

local json = require "confidentai.sandbox.json"
local router = require "confidentai.sandbox.router"

local Faults = {}
Faults.__index = Faults

-- Fields that every fault may have.
local common = {
  type = "string", method = "string", path = "string", operation = "string", scope = "string",
  project_id = "string", key_id = "id", skip = "number", times = "times", apply = "boolean", close = "string",
}

-- One entry a type: whether the operation takes effect unless `apply` says otherwise, and the fields of its
-- own, with the values that they can have.
Faults.types = {
  lost_answer = { apply = true },
  drop = { apply = false },
  late_commit = {
    apply = true, one_of = { "seconds", "clock_seconds" },
    fields = {
      seconds = "number", clock_seconds = "number", answer = "string", status = "number", body = "any",
      content_type = "string",
    },
    choices = { answer = { hang = true, close = true } },
  },
  duplicate = { apply = true, fields = { answer = "string" }, choices = { answer = { first = true, second = true } } },
  delay = { apply = true, fields = { seconds = "number", when = "string" }, required = "seconds" },
  status = {
    apply = false, required = "status",
    fields = { status = "number", headers = "table", body = "any", content_type = "string" },
  },
  proxy = {
    apply = true, required = "status", fields = { status = "number", form = "string" },
    choices = { form = { html = true, text = true, json = true } },
  },
  not_found = {
    apply = false, fields = { what = "string" }, choices = { what = { project = true, key = true } },
  },
  replay = { apply = true, fields = { target = "id" }, operation = "create" },
  record = { apply = true, fields = { target = "id", fields = "texts" }, required = "fields" },
  body = {
    apply = true, required = "body",
    fields = { body = "string", status = "number", headers = "table", content_type = "string" },
  },
  garbage = { apply = true, fields = { raw = "boolean" } },
  truncate = { apply = true, fields = { bytes = "number" } },
  slow_body = { apply = true, fields = { seconds = "number", chunk = "number" } },
  redirect = { apply = false, fields = { status = "number", location = "string" }, required = "location" },
  huge = { apply = true, fields = { bytes = "number", chunked = "boolean" } },
  huge_header = { apply = true, fields = { bytes = "number" } },
  stale_list = { apply = true, fields = { seconds = "number", changes = "number" }, operation = "list" },
  short_list = { apply = true, fields = { drop = "number", hide = "ids" }, operation = "list" },
  edit = {
    apply = true, required = "change",
    fields = {
      change = "string", when = "string", target = "id", target_name = "string", target_scope = "string",
      target_project_id = "string", name = "string",
    },
    choices = {
      change = { create = true, delete = true, disable = true, enable = true },
      target_scope = { organization = true, project = true },
    },
  },
  reset = { apply = false },
  hang = { apply = false },
}

local choices = {
  when = { before = true, after = true },
  close = { stream = true, connection = true }, scope = { organization = true, project = true },
  operation = router.operations,
}

-- A header with a line break would be two.
local function are_headers(headers)
  for name, value in pairs(headers) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then return false end
    for _, single in ipairs(type(value) == "table" and value or { value }) do
      if type(single) ~= "string" and type(single) ~= "number" then return false end
      if tostring(single):find("[%c]") then return false end
    end
  end
  return true
end

local descriptions = {
  string = "a string", number = "a number from 0", boolean = "a boolean", table = "an object",
  id = "a string or a number", ids = "an id or an array of ids", times = "-1 or a number from 1",
  texts = "an object of names and JSON texts",
}

local function is_id(value)
  return type(value) == "string" or type(value) == "number"
end

local function are_ids(value)
  if type(value) ~= "table" then return is_id(value) end
  for index in pairs(value) do
    if type(index) ~= "number" or not is_id(value[index]) then return false end
  end
  return true
end

local function are_texts(value)
  if type(value) ~= "table" or next(value) == nil then return false end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then return false end
  end
  return true
end

local function is_of(kind, value)
  if kind == "any" then return true end
  if kind == "texts" then return are_texts(value) end
  if kind == "times" then return type(value) == "number" and (value == -1 or value >= 1) end
  if kind == "id" then return is_id(value) end
  if kind == "ids" then return are_ids(value) end
  if kind == "number" then return type(value) == "number" and value >= 0 end
  return type(value) == kind
end

local function check_field(spec, name, value)
  local kind = common[name] or spec.fields and spec.fields[name]
  if not kind then return "unknown field " .. name end
  if not is_of(kind, value) then return name .. " must be " .. descriptions[kind] end
  local allowed = spec.choices and spec.choices[name] or choices[name]
  if allowed and not allowed[value] then return name .. " cannot be " .. tostring(value) end
  if name == "headers" and not are_headers(value) then
    return "headers must be an object of names and strings, or arrays of strings"
  end
  if name == "method" and not value:find("^%u+$") then return "method must be in capitals" end
  if name == "status" and (value % 1 ~= 0 or value < 200 or value > 599) then
    return "status must be from 200 to 599"
  end
end

local function check_presence(spec, fault)
  if spec.required and fault[spec.required] == nil then
    return fault.type .. " needs the field " .. spec.required
  end
  if not spec.one_of then return nil end
  local present = 0
  for _, name in ipairs(spec.one_of) do present = present + (fault[name] ~= nil and 1 or 0) end
  if present ~= 1 then return fault.type .. " needs one of the fields " .. table.concat(spec.one_of, ", ") end
end

local function check_edit(fault)
  local is_create = fault.change == "create"
  if is_create and (fault.name or "") == "" then return "an edit that creates needs the field name" end
  if is_create and (fault.target or fault.target_name) then return "an edit that creates has no target" end
  if not is_create and fault.name then return "name is for an edit that creates" end
  local elsewhere = fault.target_scope or fault.target_project_id
  if not is_create and elsewhere and not (fault.target or fault.target_name) then
    return "an edit elsewhere needs one of the fields target, target_name"
  end
end

-- A fault that can hit no request is a mistake, and a test that passes without it.
local function check_aim(spec, fault)
  local operation = fault.operation or spec.operation
  if spec.operation and operation ~= spec.operation then
    return ("%s is for the operation %s only"):format(fault.type, spec.operation)
  end
  if not operation then return nil end
  local route = router.operations[operation]
  if fault.method and not route.methods[fault.method] then
    return ("%s has no requests of the method %s"):format(operation, fault.method)
  end
  if fault.scope and not route.scopes[fault.scope] then
    return ("%s has no requests of the scope %s"):format(operation, fault.scope)
  end
  if fault.key_id and not route.names.key_id then return operation .. " is about no single key" end
  if fault.project_id and not route.names.project_id then return operation .. " is about no project" end
end

local function is_pattern(text)
  return text == nil or (pcall(string.find, "", text))
end

---Says what is wrong with a fault.
---@param fault any
---@return string? message nil when it is well formed
function Faults.check(fault)
  if type(fault) ~= "table" then return "a fault is an object" end
  local spec = Faults.types[fault.type]
  if not spec then return "unknown fault type " .. tostring(fault.type) end
  for name, value in pairs(fault) do
    local message = check_field(spec, name, value)
    if message then return message end
  end
  local message = check_presence(spec, fault) or check_aim(spec, fault)
  if message then return message end
  if not is_pattern(fault.path) then return "path is no Lua pattern" end
  if not is_pattern(fault.target_name) then return "target_name is no Lua pattern" end
  if fault.type == "edit" then return check_edit(fault) end
end

---A new, empty queue.
---@return table faults
function Faults.new()
  return setmetatable({ queue = {}, last_id = 0 }, Faults)
end

---Adds a well formed fault at the end of the queue.
---@param fault table
---@param revision number of the service, now: what a stale list shows
---@return integer id
function Faults:add(fault, revision)
  local spec = Faults.types[fault.type]
  self.last_id = self.last_id + 1
  fault.id = self.last_id
  fault.skip, fault.times = fault.skip or 0, fault.times or 1
  fault.operation = fault.operation or spec.operation
  if fault.apply == nil then fault.apply = spec.apply end
  fault.revision = revision
  self.queue[#self.queue + 1] = fault
  return fault.id
end

---Removes all faults.
function Faults:clear()
  self.queue = {}
end

---The faults that can still hit a request.
---@return table list an array for JSON
function Faults:list()
  local list = json.array()
  for index, fault in ipairs(self.queue) do list[index] = fault end
  return list
end

local function matches(fault, request)
  for _, name in ipairs { "method", "operation", "scope", "project_id" } do
    if fault[name] ~= nil and fault[name] ~= request[name] then return false end
  end
  if fault.key_id ~= nil and tostring(fault.key_id) ~= request.key_id then return false end
  if not fault.path then return true end
  -- Some malformed patterns only show when they meet a subject: they hit nothing.
  local ok, found = pcall(string.find, request.path or "", fault.path)
  return ok and found ~= nil
end

-- Whether a fault hits a request; its counts go down.
local function hits(self, fault, request)
  if not matches(fault, request) then return false end
  if fault.skip > 0 then
    fault.skip = fault.skip - 1
    return false
  end
  if fault.times > 0 then fault.times = fault.times - 1 end
  if fault.times == 0 then
    for index, other in ipairs(self.queue) do
      if other == fault then
        table.remove(self.queue, index)
        break
      end
    end
  end
  return true
end

---The first fault that hits a request. Edits are none: they happen beside.
---@param request table { method, path, operation, scope, project_id, key_id }
---@return table? fault
function Faults:take(request)
  for _, fault in ipairs(self.queue) do
    if fault.type ~= "edit" and hits(self, fault, request) then return fault end
  end
end

---All edits that happen during a request, in their order.
---@param request table as for take
---@return table list of faults
function Faults:take_edits(request)
  local queued, taken = {}, {}
  for _, fault in ipairs(self.queue) do
    if fault.type == "edit" then queued[#queued + 1] = fault end
  end
  for _, fault in ipairs(queued) do
    if hits(self, fault, request) then taken[#taken + 1] = fault end
  end
  return taken
end

return Faults
