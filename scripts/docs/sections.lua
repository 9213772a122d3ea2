-- SPDX-License-Identifier: Apache-2.0
-- What the reference has, in its order: objects, their functions, and the tables that these take and return.

local annotation = require "scripts.docs.annotation"
local client_options = require "confidentai.options"
local comments = require "scripts.docs.comments"
local rotation_options = require "confidentai.rotation.options"
local sandbox_options = require "confidentai.sandbox.options"

local sections = {}

-- `class`: what documents the object; `calls`: how a function of it is called; `of`: whose functions they are in which
-- files; `more`: classes of tables. Folders: lua/confidentai.
local PLAN = {
  { title = "confidentai", class = "confidentai.Module", calls = "confidentai.",
    of = { { "init", "confidentai" }, { "gather", "gather" } },
    more = { "confidentai.Options", "confidentai.Event", "confidentai.GatherOptions", "confidentai.GatherResults" } },
  { title = "Error", class = "confidentai.Error" },
  { title = "Client", class = "confidentai.Client", calls = "client:",
    of = { { "scope", "Client" }, { "classes", "Client" } },
    more = { "confidentai.Whoami", "confidentai.AuditOptions", "confidentai.AuditReport", "confidentai.AuditTotals",
      "confidentai.AuditFinding", "confidentai.UnreadableScope", "confidentai.IdentifyOptions",
      "confidentai.Identification", "confidentai.Match", "confidentai.ContainOptions", "confidentai.Containment" } },
  { title = "Organization", class = "confidentai.Organization", calls = "organization:",
    of = { { "scope", "Organization" } }, more = { "confidentai.OrganizationRecord" } },
  { title = "Project", class = "confidentai.Project", calls = "project:", of = { { "scope", "Project" } },
    more = { "confidentai.ProjectRecord" } },
  { title = "Projects", class = "confidentai.Projects", calls = "projects:", of = { { "scope", "Projects" } },
    more = { "confidentai.ProjectList" } },
  { title = "ApiKeys", class = "confidentai.ApiKeys", calls = "api_keys:", of = { { "api_keys", "ApiKeys" } },
    more = { "confidentai.KeyList", "confidentai.UnreadableRecord",
      "confidentai.KeyName", "confidentai.KeyChanges", "confidentai.ForceOptions", "confidentai.DeletedKey",
      "confidentai.RotateOptions", "confidentai.ProvisionOptions", "confidentai.EnsureOptions",
      "confidentai.EnsureResult" } },
  { title = "ApiKey", class = "confidentai.ApiKey", calls = "key:", of = { { "classes", "ApiKey" } },
    more = { "confidentai.ToTableOptions", "confidentai.ApiKeyTable" } },
  { title = "confidentai.rotation", class = "confidentai.rotation", calls = "confidentai.rotation.",
    of = { { "rotation/init", "rotation" } },
    more = { "confidentai.OpenOptions", "confidentai.ListOptions", "confidentai.HistoryOptions",
      "confidentai.EndedRotation", "confidentai.DoctorOptions", "confidentai.DoctorReport", "confidentai.Finding" } },
  { title = "Rotation", class = "confidentai.Rotation", calls = "rotation:", of = { { "rotation/handle", "Rotation" } },
    more = { "confidentai.Status", "confidentai.Way", "confidentai.Step" } },
  { title = "confidentai.store", class = "confidentai.store", calls = "confidentai.store.",
    of = { { "store/file", "file" }, { "store/env_file", "env_file" }, { "store/exec", "exec" },
      { "store/callback", "callback" }, { "store/init", "store" } },
    more = { "confidentai.FileOptions", "confidentai.EnvFileOptions", "confidentai.ExecOptions",
      "confidentai.CallbackOptions" } },
  { title = "Store", class = "confidentai.Store" },
  { title = "State", class = "confidentai.State" },
  { title = "confidentai.scan", class = "confidentai.scan", calls = "confidentai.scan.", of = { { "scan", "scan" } },
    more = { "confidentai.FoundList", "confidentai.Found" } },
  { title = "Scan", class = "confidentai.Scan", calls = "scan:", of = { { "scan", "Scan" } } },
  { title = "Driver", class = "confidentai.Driver", more = { "confidentai.Awaited" } },
  { title = "Engine", class = "confidentai.Engine", calls = "engine:", of = { { "classes", "Engine" } } },
  { title = "confidentai.sandbox", class = "confidentai.sandbox", calls = "sandbox.", module = "confidentai.sandbox",
    of = { { "sandbox/init", "sandbox" } }, more = { "confidentai.SandboxOptions" } },
  { title = "Sandbox", class = "confidentai.Sandbox", calls = "service:", module = "confidentai.sandbox",
    of = { { "sandbox/init", "Sandbox" } } },
}

-- Files that only declare classes.
local CLASSES = { "classes", "audit", "identify", "contain", "driver/init", "state/init", "store/init",
  "rotation/status", "rotation/history", "rotation/ways", "rotation/doctor", "rotation/ensure", "rotation/job" }

local STORES = { file = true, env_file = true, exec = true, callback = true }

-- What users call a function: the `new` of a store's module is confidentai.store.file and the like.
local function shown_name(made)
  return made.name == "new" and STORES[made.owner] and made.owner or made.name
end

local function text_of(option, default)
  if default == nil then
    return option.doc
  end
  return ("%s; default: %s"):format(option.doc,
    type(default) == "number" and ("%.0f"):format(default)
      or type(default) == "string" and ('"%s"'):format(default) or tostring(default))
end

local function field(name, option, default, required)
  local type = option.annotation or option.type
  return { name = name, optional = not required, type = type, text = text_of(option, default) }
end

-- The classes of options that code has as data.
local function option_classes(add)
  local fields = {}
  for i, option in ipairs(client_options.list) do
    fields[i] = field(option.name, option, option.default)
  end
  add { name = "confidentai.Options", text = "Options of `confidentai.new`.", fields = fields }
  for letter, class in pairs { r = "Rotate", p = "Provision", e = "Ensure", o = "Open", l = "List",
    h = "History", d = "Doctor" } do
    fields = {}
    for name, option in pairs(rotation_options.list) do
      if option.of:find(letter, 1, true) then
        fields[#fields + 1] = field(name, option, option.default, name == "store")
      end
    end
    table.sort(fields, function(a, b)
      if a.optional ~= b.optional then
        return b.optional
      end
      return a.name < b.name
    end)
    add { name = ("confidentai.%sOptions"):format(class), text = "", fields = fields }
  end
  fields = {}
  local types = { names = "string[]", number = "integer" }
  for _, option in ipairs(sandbox_options.list) do
    if not option.hidden and option.name ~= "output" then -- a command's
      option = { name = option.name, type = types[option.kind] or option.kind, doc = option.doc,
        default = option.default }
      -- The command has a port that people can remember, and the call one that is free.
      fields[#fields + 1] = option.name == "port" and field("port", option, 0)
        or type(option.default) == "table" and field(option.name, option, table.concat(option.default, '", "'))
        or field(option.name, option, option.default)
    end
  end
  add { name = "confidentai.SandboxOptions", text = "", fields = fields }
end

-- Reads all sources: classes by their names, and the functions of each file.
local function read_sources()
  local classes, functions = {}, {}
  local function add(class)
    if classes[class.name] then
      error(("the class %s is declared twice"):format(class.name), 0)
    end
    classes[class.name] = class
  end
  local function read(name)
    if functions[name] then
      return
    end
    local found = comments.read(name == "classes" and "src/lua/classes.lua" or ("lua/confidentai/%s.lua"):format(name))
    functions[name] = found.functions
    for _, class in ipairs(found.classes) do
      add(class)
    end
  end
  for _, name in ipairs(CLASSES) do
    read(name)
  end
  for _, section in ipairs(PLAN) do
    for _, source in ipairs(section.of or {}) do
      read(source[1])
    end
  end
  option_classes(add)
  return classes, functions
end

local function functions_of(section, functions)
  local list, private = {}, {}
  for _, source in ipairs(section.of or {}) do
    for _, made in ipairs(functions[source[1]]) do
      if made.owner == source[2] then
        made.shown = shown_name(made)
        if made.private then
          private[made.shown] = true
        else
          comments.check(made)
          list[#list + 1] = made
        end
      end
    end
  end
  return list, private
end

local PLAIN = { any = true, boolean = true, ["false"] = true, ["function"] = true, integer = true, ["nil"] = true,
  number = true, string = true, table = true, ["true"] = true }

-- Raises when a type is none of Lua's and none that the reference has.
local function check_names(list, known, where)
  for _, made in ipairs(list) do
    local _, rest, names = annotation.read(made.type)
    if rest ~= "" then
      error(("%s: '%s' is no type"):format(where, made.type), 0)
    end
    for _, name in ipairs(names) do
      if not PLAIN[name] and not known[name] then
        error(("%s: the type %s is not in the reference"):format(where, name), 0)
      end
    end
  end
end

local function check(list)
  local known = {}
  for _, section in ipairs(list) do
    known[section.class.name] = true
    for _, class in ipairs(section.more) do
      known[class.name] = true
    end
  end
  for _, section in ipairs(list) do
    check_names(section.class.fields, known, section.class.name)
    for _, class in ipairs(section.more) do
      check_names(class.fields, known, class.name)
    end
    for _, made in ipairs(section.functions) do
      known.T = #made.generics > 0
      check_names(made.params, known, section.calls .. made.shown)
      check_names(made.returns, known, section.calls .. made.shown)
    end
    known.T = nil
  end
end

---@class docs.Section
---@field title string
---@field module string what is required to get it
---@field class docs.Class
---@field calls? string "client:"
---@field functions docs.Function[] each with `shown`, its name
---@field private table<string, true> names of functions that are not for users
---@field more docs.Class[]

---Reads what the reference has. Raises when something is not documented, or not well formed.
---@return docs.Section[] list
function sections.read()
  local classes, functions = read_sources()
  local function class_of(name)
    return classes[name] or error(("the class %s is not declared"):format(name), 0)
  end
  local list = {}
  for i, plan in ipairs(PLAN) do
    local section = { title = plan.title, module = plan.module or "confidentai", calls = plan.calls, more = {} }
    section.class = class_of(plan.class)
    section.functions, section.private = functions_of(plan, functions)
    for j, name in ipairs(plan.more or {}) do
      section.more[j] = class_of(name)
    end
    list[i] = section
  end
  check(list)
  return list
end

return sections
