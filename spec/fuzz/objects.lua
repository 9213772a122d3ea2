-- SPDX-License-Identifier: Apache-2.0
-- Every method of every object, in any order, on right and wrong objects, finalizers by hand, calls that are cancelled,
-- clients that are closed: whatever Lua code can do to the binding. With sanitizers by scripts/fuzz:
--   scripts/run lua5.4 spec/fuzz/objects.lua    see runner.lua for how long, and how to repeat
-- A sequence of calls is one case. Nothing may crash, no message may show a secret, and no call is left at its end.

local answers = require "spec.fuzz.service.answers"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local runner = require "spec.fuzz.runner"
local server = require "spec.fuzz.service.server"

-- Calls of one sequence.
local LENGTH = 40

local service = server.start()
local NAMES = { "list", "get", "create", "enable", "disable", "delete", "projects", "project", "organization" }

local WRONG = { 0, 1, -1, 7, 2 ^ 53, 1 / 0, -1 / 0, 0 / 0, 0.5, "", "x", "7", "id", "name", "value", "__gc", "\0", "p1",
  ("x"):rep(300), true, false, {}, { id = 7 }, { valid = false }, { force = true }, { name = "ci" }, print, io.stdout,
  coroutine.create(print), answers.OWN, answers.SECRET }

-- What is not called by lot: it would wait for ever, or end the engine for all that follow, which is done at the end.
local LEFT_OUT = { ["Engine.step"] = true, ["Engine.timer"] = true, ["Engine.__gc"] = true }

local FUNCTIONS = { "engine", "client", "organization", "project", "projects", "failure", "is_utf8", "host", "now",
  "checksum", "region_of", "project_id", "key_id", "redact", "libcurl", "environment" }

local function new_client(random)
  return confidentai.check(confidentai.new { api_key = answers.OWN, base_url = service.base_url, max_retries = 0,
    timeout = 1, max_response_bytes = random:pick { 64, 65536 }, driver = service:driver() })
end

-- The objects of a sequence; each is found by chance, some more than once.
local function new_objects(random)
  local client = new_client(random)
  local organization, project = client:organization(), client:project "p1"
  return { client, organization, project, client.projects, organization.api_keys, project.api_keys, core.engine(),
    core.engine():timer(0), core.engine():timer(1) }
end

-- The methods that the objects of a class have, and their metamethods, as { name, function } sorted by name.
local methods_of = {}

local function find_methods(object)
  local metatable = debug.getmetatable(object)
  if type(metatable) ~= "table" or methods_of[metatable] then
    return methods_of[metatable]
  end
  local list, class = {}, tostring(metatable.__name or metatable.__metatable):match "[^.]*$"
  for _, from in ipairs { metatable, type(metatable.methods) == "table" and metatable.methods or {} } do
    for name, value in pairs(from) do
      if type(value) == "function" and type(name) == "string" and not LEFT_OUT[class .. "." .. name] then
        list[#list + 1] = { name = class .. "." .. name, call = value }
      end
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  methods_of[metatable] = list
  return list
end

local acts = {}

-- What a call gives is used further.
local function keep(objects, ok, ...)
  for i = 1, select("#", ...) do
    local value = (select(i, ...))
    if ok and (type(value) == "userdata" or type(value) == "table") and #objects < 200 then
      objects[#objects + 1] = value
    end
    local text = not ok and tostring(value) or type(value) == "table" and value.message or ""
    local shown = not objects.replaced and tostring(text):find(answers.OWN, 1, true)
      or tostring(text):find(answers.SECRET, 1, true)
    runner.require(not shown, nil, "a secret is in: %s", tostring(text))
  end
end

local function argument(objects, random)
  if random:one_in(2) then
    return random:pick(objects)
  end
  return random:pick(WRONG)
end

local function call(objects, random, f, first)
  service:prepare(answers.make(random:pick(NAMES), random))
  local count = random:below(4)
  keep(objects, pcall(f, first, argument(objects, random), argument(objects, random), argument(objects, random),
    count == 3 and argument(objects, random) or nil))
end

-- A client that is given another credential forgets its first, and cannot mask it in what the service says then.
local function pick_method(objects, random, list)
  local method = random:pick(list)
  objects.replaced = objects.replaced or method.name == "Client.replace_credential"
  return method.call
end

-- A method on an object of its class.
function acts.right(objects, random)
  local object = random:pick(objects)
  local list = type(object) == "userdata" and find_methods(object)
  if list and list[1] then
    call(objects, random, pick_method(objects, random, list), object)
  end
end

-- A method on anything.
function acts.wrong(objects, random)
  local list = find_methods(random:pick(objects))
  if list and list[1] then
    call(objects, random, pick_method(objects, random, list), argument(objects, random))
  end
end

acts["function"] = function(objects, random)
  call(objects, random, core[random:pick(FUNCTIONS)], argument(objects, random))
end

-- A call that is started, and perhaps never waited for.
function acts.start(objects, random)
  local ok, made = pcall(objects[1].start, objects[1], random:pick { "GET", "POST", "PUT", "DELETE" },
    { "v1", "organization" }, random:one_in(2) and '{"name":"x"}' or nil)
  keep(objects, ok, made)
  if ok and type(made) == "userdata" and random:one_in(2) then
    keep(objects, pcall(function() return made:cancel() end))
  end
end

function acts.gather(objects, random)
  local tasks = {}
  for i = 1, random:below(6) do
    tasks[i] = function()
      local act = random:pick { "right", "wrong", "start" }
      acts[act](objects, random)
      return i
    end
  end
  keep(objects, pcall(confidentai.gather, tasks, { concurrency = random:pick { 1, 2, 16 },
    driver = service:driver() }))
end

function acts.step()
  service:step()
  core.engine():step(0)
end

function acts.collect()
  collectgarbage()
end

-- An object that is lost, as if its last reference went.
function acts.lose(objects, random)
  if #objects > 1 then
    table.remove(objects, random:from(2, #objects))
  end
end

function acts.client(objects, random)
  objects[#objects + 1] = new_client(random)
end

local names = {}
for name in pairs(acts) do
  names[#names + 1] = name
end
table.sort(names) -- so that a seed means the same each time

local function sequence(_, random)
  local objects = new_objects(random)
  for _ = 1, LENGTH do
    local name = random:pick(names)
    if random:one_in(2) then
      name = "right"
    end
    acts[name](objects, random)
  end
  objects = nil -- luacheck: ignore 311
  collectgarbage()
  collectgarbage()
  for _ = 1, 1000 do
    if core.engine():in_flight() == 0 then
      break
    end
    service:step()
    core.engine():step(0.002)
  end
  runner.require(core.engine():in_flight() == 0, nil, "%d calls are left", core.engine():in_flight())
end

runner.run("scripts/run lua5.4 spec/fuzz/objects.lua", { "sequence" }, sequence)

-- Without the engine, everything raises or is refused.
local last = require("spec.fuzz.random").new(1)
local left = new_objects(last)
debug.getmetatable(core.engine()).__gc(core.engine())
for _ = 1, 1000 do
  acts.right(left, last)
  acts.wrong(left, last)
end
service:stop()
