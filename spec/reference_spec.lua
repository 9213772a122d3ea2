-- SPDX-License-Identifier: Apache-2.0
-- The reference and the annotations are what their one source says, and that is what the code has.

local core = require "confidentai.core"
local confidentai = require "confidentai"
local folders = require "spec.folders"
local handle = require "confidentai.rotation.handle"
local reference = require "scripts.docs.reference"
local sandbox = require "confidentai.sandbox"
local support = require "spec.support"

local texts, sections = reference.texts()

local function section_of(title)
  for _, section in ipairs(sections) do
    if section.title == title then
      return section
    end
  end
  error("the reference has no section " .. title)
end

-- The names that a section has: of functions, those that are not for users too, and of fields.
local function documented(title)
  local section, functions, fields = section_of(title), {}, {}
  for _, made in ipairs(section.functions) do
    functions[made.shown] = true
  end
  for name in pairs(section.private) do
    functions[name] = true
  end
  for _, field in ipairs(section.class.fields) do
    fields[field.name] = field
  end
  return functions, fields
end

local function names_of(given)
  local list = {}
  for name in pairs(given) do
    if not tostring(name):find "^__" then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- A local variable of a function's file, by its name.
local function upvalue(f, wanted)
  for i = 1, 100 do
    local name, value = debug.getupvalue(f, i)
    if name == wanted then
      return value
    elseif not name then
      error("no such upvalue: " .. wanted)
    end
  end
end

-- Whether a value is of an annotation's type, as far as the fields of objects need it.
local function is_of(value, field)
  if field.type:find "^{" or field.type:find "%[%]$" then
    return type(value) == "table" or value == nil and field.optional
  end
  if value == nil then
    return field.optional
  end
  for word in (field.type .. "|"):gmatch "([^|]+)|" do
    local wanted = word == "integer" and "number" or word
    if type(value) == wanted or ('"%s"'):format(tostring(value)) == word or wanted:find "^confidentai%." then
      return true
    end
  end
  return false
end

-- The fields of a class that is no section of its own.
local function fields_of(name)
  for _, section in ipairs(sections) do
    for _, class in ipairs(section.more) do
      if class.name == "confidentai." .. name then
        local fields = {}
        for _, field in ipairs(class.fields) do
          fields[field.name] = field
        end
        return fields
      end
    end
  end
  error("the reference has no class " .. name)
end

local function assert_fields(object, fields)
  for name, field in pairs(fields) do
    assert.is_true(is_of(object[name], field), ("%s is a %s, and %s is declared"):format(name, type(object[name]),
      field.type))
  end
end

-- A plain table: what it has is declared, and the other way round.
local function assert_record(record, name)
  local fields = fields_of(name)
  assert_fields(record, fields)
  for field in pairs(record) do
    assert.is_true(type(field) == "number" or fields[field] ~= nil, ("%s.%s is not declared"):format(name, field))
  end
end

describe("the reference", function()
  for path, text in pairs(texts) do
    it("is up to date in " .. path .. " (scripts/reference writes it)", function()
      assert.is_true(text == folders.read(path), path .. " is not what scripts/reference writes")
    end)
  end

  it("has every member of confidentai, and no other", function()
    local functions, fields = documented "confidentai"
    local members = {}
    for name in pairs(upvalue(getmetatable(confidentai).__index, "LATER")) do
      members[name] = confidentai[name]
    end
    for name, value in pairs(confidentai) do
      members[name] = value
    end
    for name, value in pairs(members) do
      assert.is_true((type(value) == "function" and functions or fields)[name] ~= nil, tostring(name))
      functions[name], fields[name] = nil, nil
    end
    assert.same({}, names_of(functions))
    assert.same({}, names_of(fields))
  end)

  for _, name in ipairs { "rotation", "scan" } do
    it("has every function of confidentai." .. name, function()
      assert.same(names_of((documented("confidentai." .. name))), names_of(confidentai[name]))
    end)
  end

  it("has every kind of store", function()
    local kinds = { revive = true }
    for name in pairs(upvalue(getmetatable(confidentai.store).__index, "KINDS")) do
      kinds[name] = true
    end
    assert.same(names_of(kinds), names_of((documented "confidentai.store")))
  end)

  for _, class in ipairs { "Client", "Organization", "Project", "Projects", "ApiKeys", "ApiKey", "Engine" } do
    it("has every method of " .. class, function()
      assert.same(names_of(core.methods[class]), names_of((documented(class))))
    end)
  end

  it("has every method and field of a Rotation", function()
    local index = debug.getmetatable(handle.new { record = {} }).__index
    local functions, fields = documented "Rotation"
    assert.same(names_of(upvalue(index, "Rotation")), names_of(functions))
    assert.same(names_of(upvalue(index, "fields")), names_of(fields))
  end)

  it("has every method of a text that is looked through", function()
    local methods = {}
    for name, value in pairs(getmetatable(confidentai.scan.new())) do
      methods[name] = type(value) == "function" and value or nil
    end
    assert.same(names_of(methods), names_of((documented "Scan")))
  end)

  it("has every method and field of a store", function()
    local _, fields = documented "Store"
    for _, store in ipairs {
      confidentai.store.file { path = "/tmp/x" }, confidentai.store.env_file { path = "/tmp/x", variable = "X" },
      confidentai.store.exec { command = { "true" } }, confidentai.store.callback { name = "x", put = print },
    } do
      for name, field in pairs(fields) do
        local value = store[name]
        assert.is_true(type(value) == "function" and field.type:find "^fun" ~= nil or is_of(value, field), name)
      end
      for name in pairs(store) do
        assert.is_table(fields[name], name)
      end
    end
  end)

  it("has the sandbox's functions", function()
    assert.same(names_of((documented "confidentai.sandbox")), names_of(sandbox))
  end)
end)

describe("the reference's declarations of what C gives", function()
  local service = support.service()

  it("are those of a key", function()
    local client = support.client(service)
    local _, fields = documented "ApiKey"
    local names = folders.read("src/lua/api_key.c"):match "key_fields%[%] = {(.-)NULL}"
    local in_c = {}
    for name in names:gmatch '"([%w_]+)"' do
      in_c[name] = true
    end
    assert.same(names_of(in_c), names_of(fields))
    local api_keys = client:project(service.projects[1].id).api_keys
    local key = confidentai.check(api_keys:create "documented")
    for _, object in ipairs { key, confidentai.check(api_keys:get(key)),
      confidentai.check(client:organization().api_keys:list())[1] } do
      assert_fields(object, fields)
      for name in pairs(object:to_table()) do
        assert.is_table(fields[name], name)
      end
    end
    assert.equal("string", type(key.project_id))
    client:close()
  end)

  it("are those of a client, its scopes and records", function()
    local client = support.client(service)
    local organization, project = client:organization(), client:project(service.projects[1].id)
    local objects = {
      Client = client, Organization = organization, Project = project, Projects = client.projects,
      ApiKeys = project.api_keys,
    }
    for title, object in pairs(objects) do
      local _, fields = documented(title)
      assert_fields(object, fields)
      for name in pairs(fields) do
        assert.is_not_nil(object[name], title .. "." .. name)
      end
    end
    assert_record(confidentai.check(organization:get()), "OrganizationRecord")
    assert_record(confidentai.check(project:get()), "ProjectRecord")
    assert_record(confidentai.check(client:whoami()), "Whoami")
    client:close()
  end)

  it("are those of an error and of events", function()
    local events = {}
    local client = support.client(service, { on_event = function(event) events[#events + 1] = event end })
    local _, err = client:organization().api_keys:get(999999)
    local _, fields = documented "Error"
    assert_fields(err, fields)
    for name in pairs(err) do
      assert.is_table(fields[name], name)
    end
    assert.is_true(#events >= 2)
    for _, event in ipairs(events) do
      assert_record(event, "Event")
    end
    client:close()
  end)

  it("are those of a sandbox that runs", function()
    local functions, fields = documented "Sandbox"
    local running = assert(sandbox.start {})
    local methods = {}
    for name, value in pairs(getmetatable(running)) do
      methods[name] = type(value) == "function" and value or nil
    end
    local ok, problem = pcall(function()
      assert.same(names_of(functions), names_of(methods))
      for name, field in pairs(fields) do
        assert.is_true(running[name] ~= nil or field.optional == true, name)
      end
    end)
    running:stop()
    assert(ok, problem)
  end)
end)

describe("the reference's declarations of tables", function()
  local service = support.service()
  local folder = folders.each()

  it("are those of options, as the code checks them", function()
    local function checked(f, name, ...)
      local value = upvalue(f, name)
      if ... then
        return checked(value, ...)
      end
      return names_of(value)
    end
    local store = "confidentai.store."
    for class, names in pairs {
      AuditOptions = checked(core.methods.Client.audit, "AUDIT"),
      IdentifyOptions = checked(require("confidentai.identify").check, "OPTIONS"),
      ContainOptions = checked(require("confidentai.contain").check, "OPTIONS"),
      GatherOptions = checked(confidentai.gather, "check_options", "OPTIONS"),
      FileOptions = checked(require(store .. "file").new, "fields"),
      EnvFileOptions = checked(require(store .. "env_file").new, "fields"),
      ExecOptions = checked(require(store .. "exec").new, "fields"),
      CallbackOptions = checked(require(store .. "callback").new, "fields"),
    } do
      assert.same(names, names_of(fields_of(class)), class)
    end
  end)

  it("are those of an audit and of an identification", function()
    local client = support.client(service)
    local api_keys = client:organization().api_keys
    local key = confidentai.check(api_keys:create "leaked")
    confidentai.check(api_keys:create "leaked")
    local report = confidentai.check(client:audit { max_age_days = 0 })
    assert_record(report, "AuditReport")
    assert_record(report.totals, "AuditTotals")
    assert_record(report.findings[1], "AuditFinding")
    report = confidentai.check(client:identify(key.value, { probe = true }))
    assert_record(report, "Identification")
    assert_record(report[1], "Match")
    report = confidentai.check(client:contain(key.value))
    local fields = fields_of "Identification"
    for name, field in pairs(fields_of "Containment") do
      fields[name] = field
    end
    assert_fields(report, fields)
    for name in pairs(report) do
      assert.is_true(type(name) == "number" or fields[name] ~= nil, name)
    end
    client:close()
  end)

  it("are those of a rotation, of its steps and of what ensure has done", function()
    local client, steps = support.client(service), {}
    local api_keys = client:project(service.projects[1].id).api_keys
    local store = confidentai.store.file { path = folder.path .. "/key" }
    local state_dir = confidentai.check(require("confidentai.state").find(folder.path .. "/state", true))
    local key = confidentai.check(api_keys:provision("svc", { store = store, state_dir = state_dir }))
    local rotation = confidentai.check(api_keys:rotate(key, { store = store, state_dir = state_dir, soak = 60,
      on_step = function(step) steps[#steps + 1] = step end }))
    assert_fields(rotation, select(2, documented "Rotation"))
    assert_record(rotation:status(), "Status")
    assert.is_true(#steps > 0)
    for _, step in ipairs(steps) do
      assert_fields(step, fields_of "Step") -- events have facts of their own
    end
    assert_record(confidentai.check(confidentai.rotation.doctor(client, { state_dir = state_dir })), "DoctorReport")
    local _, fields = documented "State"
    assert.same(names_of(fields), names_of(state_dir))
    local other = confidentai.store.file { path = folder.path .. "/ensured" }
    assert_record(confidentai.check(api_keys:ensure("job", { store = other })), "EnsureResult")
    client:close()
  end)
end)

describe("the annotations", function()
  for _, path in ipairs { "types/confidentai.lua", "types/confidentai/sandbox.lua" } do
    it("are Lua that does nothing: " .. path, function()
      local declared = assert(loadfile(path))()
      assert.is_table(declared)
      for _, value in pairs(declared) do
        assert.is_nil(value())
      end
    end)
  end
end)
