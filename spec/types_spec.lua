-- SPDX-License-Identifier: Apache-2.0
-- The types of the reference, which the annotations have too, are those that the code checks: what an editor marks as
-- wrong raises, names the argument or the option, and nothing is sent.

local confidentai = require "confidentai"
local handle = require "confidentai.rotation.handle"
local reference = require "scripts.docs.reference"
local sandbox = require "confidentai.sandbox"
local support = require "spec.support"

local _, sections = reference.texts()
local unpack = unpack or table.unpack -- luacheck: std max
local compile = loadstring or load -- luacheck: std max

-- One value of each kind, and a number that is no integer.
local SAMPLES = {
  boolean = true, integer = 7, number = 1.5, string = "text", table = {}, ["function"] = print, userdata = io.stdout,
}

-- Which kind an alternative of a type is of. ApiKeys and clients are userdata, which no sample is.
local function kind_of(alternative)
  if alternative:find "%[%]$" or alternative:find "^[{(]" or alternative:find "^table<" then
    return "table"
  elseif alternative:find '^"' then
    return "string"
  elseif alternative:find "^fun%(" then
    return "function"
  elseif alternative == "confidentai.ApiKey" or alternative == "confidentai.Client" then
    return "object"
  end
  return alternative:find "^confidentai%." and "table" or alternative
end

-- The samples that a type does not admit, by their kinds.
local function wrong_for(type_text)
  local flat = type_text:gsub("%b()", function(inner) return inner:gsub("|", "/") end)
    :gsub("%b{}", function(inner) return inner:gsub("|", "/") end)
  local kinds, wrong = {}, {}
  for alternative in flat:gmatch "[^|]+" do
    kinds[kind_of((alternative:gsub("%?$", "")))] = true
  end
  if kinds.any or kinds.T then
    return wrong
  end
  for kind, sample in pairs(SAMPLES) do
    if not kinds[kind] and not (kind == "integer" and kinds.number) then
      wrong[kind] = sample
    end
  end
  return wrong
end

local CLASSES = {}
for _, section in ipairs(sections) do
  for _, class in ipairs(section.more) do
    CLASSES[class.name] = class
  end
end

-- The class of a parameter that is a table of options, or of changes.
local function options_of(param)
  local name = param.type:match "^confidentai%.%w*Options$" or param.type:match "^confidentai%.KeyChanges$"
  return CLASSES[name]
end

-- What serves for an argument, or a required option, while another is tried.
local SERVES = {
  id = 1, name = "types", base = "types", secret = "confident_us_org_0123456789abcdef", tasks = {}, task = print,
  text = "text", piece = "text", seconds = 0, valid = true, path = "/tmp/types", variable = "TYPES",
  command = { "true" }, put = print,
  store = confidentai.store.callback { name = "types", put = function() return true end },
}

-- A table of options with all that it must have, but the one left out.
local function options_with_required(class, left_out)
  local given = {}
  for _, field in ipairs(class.fields) do
    if not field.optional and field.name ~= left_out then
      given[field.name] = assert(SERVES[field.name], field.name)
    end
  end
  return given
end

-- Calls a function with arguments that serve, but for one.
local function call(object, made, client, position, value)
  local arguments = {}
  for i, param in ipairs(made.params) do
    local class = options_of(param)
    if i == position then
      arguments[i] = value
    elseif class then
      arguments[i] = options_with_required(class)
    else
      arguments[i] = param.name == "client" and client or SERVES[param.name]
    end
  end
  -- As users write it: functions of C find their names, and which argument is the first, in the code that calls them.
  local text = "local object = ...; return function(...) local result = object%s%s(...); return result end"
  local calls = assert(compile(text:format(made.separator, made.shown)))(object)
  return pcall(calls, unpack(arguments, 1, #made.params))
end

-- Functions whose arguments are not looked at here: `check` takes what comes; `async` says first that the host has no
-- loop; `step` is for drivers; the sandbox's own specs are in spec/sandbox.
local function is_apart(section, made)
  return made.owner == "confidentai" and made.shown == "check" or made.shown == "async" or section.title == "Engine"
    or section.title == "Sandbox"
end

describe("the types of the reference", function()
  local service = support.service()
  local client, objects

  before_each(function()
    client = support.client(service)
    local organization = client:organization()
    objects = {
      confidentai = confidentai, Client = client, Organization = organization, Project = client:project "p",
      Projects = client.projects, ApiKeys = organization.api_keys, Scan = confidentai.scan.new(),
      ApiKey = confidentai.check(organization.api_keys:list())[1],
      ["confidentai.rotation"] = confidentai.rotation, ["confidentai.store"] = confidentai.store,
      Rotation = handle.new { record = { id = "types", base = "types", state = "soaking" } },
      ["confidentai.scan"] = confidentai.scan, ["confidentai.sandbox"] = sandbox,
    }
  end)
  after_each(function()
    client:close()
  end)

  -- That a call with this raises, and says so in the words of arguments; with `named` in them.
  local function assert_raises(section, made, position, value, what, named)
    local ok, problem = call(objects[section.title], made, client, position, value)
    local where = ("%s.%s, argument %d: %s"):format(section.title, made.shown, position, what)
    assert.is_false(ok, where)
    problem = tostring(problem)
    local words = ("bad argument #%d to '%s'"):format(position, made.shown)
    if section.title == "confidentai.sandbox" then -- which shares no code with the rest
      assert.is_truthy(problem:find("confidentai.sandbox.start: ", 1, true), where .. ": " .. problem)
    else
      assert.is_truthy(problem:find(words, 1, true), where .. ": " .. problem)
    end
    assert.is_truthy(not named or problem:find(named, 1, true), where .. ": " .. problem)
    assert.is_nil(problem:find("lua/confidentai/", 1, true), where .. ": " .. problem)
    assert.equal(1, #support.requests(service), where) -- the list that gave a key
  end

  local tried = 0
  for _, section in ipairs(sections) do
    for _, made in ipairs(section.functions) do
      for position, param in ipairs(is_apart(section, made) and {} or made.params) do
        local class = options_of(param)
        it(("are checked by %s.%s: %s"):format(section.title, made.shown, param.name), function()
          for kind, sample in pairs(wrong_for(param.type)) do
            assert_raises(section, made, position, sample, kind)
            tried = tried + 1
          end
          if not param.optional and not param.type:find "any" then
            assert_raises(section, made, position, nil, "nil")
          end
        end)

        local fields = class and it or function() end
        fields(("are checked by %s.%s: fields of %s"):format(section.title, made.shown, param.name), function()
          for _, field in ipairs(class.fields) do
            for kind, sample in pairs(wrong_for(field.type)) do
              local given = options_with_required(class)
              given[field.name] = sample
              assert_raises(section, made, position, given, field.name .. " = " .. kind, field.name)
              tried = tried + 1
            end
            if not field.optional then
              assert_raises(section, made, position, options_with_required(class, field.name), "no " .. field.name,
                field.name)
            end
          end
          local given = options_with_required(class)
          given.misspelt = true
          assert_raises(section, made, position, given, "an unknown field",
            made.shown == "to_table" and "the only option" or "misspelt")
        end)
      end
    end
  end

  it("are many", function()
    assert.is_true(tried > 500, tostring(tried))
  end)
end)
