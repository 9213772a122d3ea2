-- SPDX-License-Identifier: Apache-2.0
-- What spec/hosts/nginx_spec.lua has run inside of nginx. Loaded in init_by_lua, so that the client below, and what it
-- knows of the environment, is from before the fork.
-- luacheck: globals ngx

local cjson = require "cjson"
local confidentai = require "confidentai"
local core = require "confidentai.core"
local exec = require "confidentai.store.exec"
local inside = require "spec.hosts.inside"
local nginx = require "confidentai.driver.nginx"
local pause = require "confidentai.pause"

local handlers = {}

-- With credential and address from the environment.
local shared = assert(confidentai.new { max_retries = 0, timeout = 20 })
local first_keys -- found in init_by_lua, if asked for

-- Of what can be called: one of a slow service's, whose address is known to the resolver only.
local function client_for(given)
  return given.options and assert(confidentai.new(given.options)) or shared
end

---Answers a request, its length known.
function handlers.answer(text, status)
  ngx.status = status or 200
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

-- Keeps how a call ended, for whoever asks later: phases cannot answer.
local function keep(name, result, err)
  ngx.shared.results:set(name, cjson.encode {
    ok = result ~= nil, kind = err and err.kind, message = err and err.message, outcome = err and err.outcome,
  })
end

---Where a call works.
function handlers.works(phase)
  keep(phase, shared:organization():get())
end

---Where it does not. A create, so that one that is sent all the same does not go unnoticed.
function handlers.refused(phase)
  keep(phase, shared:organization().api_keys:create(phase))
end

---For init_by_lua.
function handlers.call_early()
  first_keys = confidentai.check(shared:organization().api_keys:list())
end

function handlers.init_worker()
  handlers.refused "init_worker"
  if os.getenv "IN_INIT_WORKER" or ngx.worker.id() == 0 then
    assert(ngx.timer.at(0, function() handlers.works "init_worker timer" end))
  end
end

local actions = {}

---Runs what a request asks for: /NAME with a value as JSON.
function handlers.content()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local name = ngx.var.uri:match "([%w_]+)$"
  local answer = actions[name](body and cjson.decode(body) or {})
  handlers.answer(cjson.encode(answer == nil and cjson.null or answer))
end

function actions.result(given)
  local kept = ngx.shared.results:get(given.name)
  return kept and cjson.decode(kept)
end

function actions.forget()
  ngx.shared.results:flush_all()
end

function actions.behaviour(given)
  local ok, problem = inside.run(given.name, given.facts)
  return { ok = ok, problem = problem }
end

function actions.below_c()
  local key, err, results, errors
  local _ = ("x"):gsub("x", function()
    key, err = shared:organization().api_keys:create "below"
    results, errors = confidentai.gather { function() return shared:organization().api_keys:create "gathered" end }
  end)
  return {
    key = key ~= nil, kind = err.kind, message = err.message, outcome = err.outcome,
    gathered = results[1] ~= nil, gather_kind = errors[1].kind,
  }
end

function actions.early()
  local late = confidentai.new()
  return {
    count = first_keys and #first_keys, environment = os.getenv "CONFIDENT_ORG_API_KEY" or "none",
    late = late and late:organization():get() ~= nil,
  }
end

function actions.timer()
  assert(ngx.timer.at(0, function() handlers.works "timer" end))
end

-- What behaviour.lua has under a name, in a timer.
function actions.behaviour_in_timer(given)
  assert(ngx.timer.at(0, function()
    local ok, problem = inside.run(given.name, given.facts)
    keep(given.name, ok or nil, { message = problem })
  end))
end

-- A key of a name of the request's own, made and read again: whoever gets another's answer says so.
function actions.own(given)
  local api_keys = shared:organization().api_keys
  local key = confidentai.check(api_keys:create(given.name))
  local again = confidentai.check(api_keys:get(key.id))
  return { name = again.name, created = key.name, id = again.id, same = key == again }
end

function actions.get(given)
  local organization, err = client_for(given):organization():get()
  return { ok = organization ~= nil, kind = err and err.kind }
end

function actions.many(given)
  local tasks = {}
  for i = 1, given.count do
    tasks[i] = function() return client_for(given):organization():get() end
  end
  local _, errors = confidentai.gather(tasks, { concurrency = given.count })
  local _, first = next(errors)
  return { ok = first == nil, message = tostring(first) }
end

-- Seconds that ten tasks take, whose calls are below a pcall.
function actions.below_pcall()
  local tasks, before = {}, core.now()
  for i = 1, 10 do
    tasks[i] = function() return select(2, pcall(function() return (shared:organization():get()) end)) end
  end
  local _, errors = confidentai.gather(tasks)
  return next(errors) == nil and core.now() - before
end

---Lists, and is not there any more when the answer comes.
function actions.hanging()
  return { ok = shared:organization().api_keys:list() ~= nil }
end

function actions.hanging_in_gather()
  local function list() return shared:organization().api_keys:list() end
  return confidentai.gather { list, list }
end

-- Of this worker: nothing here waits.
function actions.state()
  return { in_flight = core.engine():in_flight(), worker = ngx.worker.id(), pid = ngx.worker.pid(),
    timers = ngx.timer.pending_count() + ngx.timer.running_count() }
end

function actions.collected()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count"
end

-- The longest time between two turns of this worker's loop, while it asks for one every 5 ms.
function actions.gap(given)
  local longest, last, ends = 0, core.now(), core.now() + given.seconds
  repeat
    ngx.sleep(0.005)
    local now = core.now()
    longest, last = math.max(longest, now - last), now
  until now > ends
  return longest
end

-- Tasks of this request's gather see this request, and none else, each time they go on.
function actions.context(given)
  ngx.ctx.name = given.name
  local wrong, api_keys = 0, shared:organization().api_keys
  local function task()
    for _ = 1, 3 do
      confidentai.check(api_keys:list())
      if ngx.ctx.name ~= given.name or ngx.var.arg_name ~= given.name then
        wrong = wrong + 1
      end
    end
    return true
  end
  local results, errors = confidentai.gather { task, task, task, task }
  return { wrong = wrong, failed = next(errors) ~= nil, n = results.n }
end

function actions.threads()
  local function get() return (confidentai.check(shared:organization():get())) end
  local threads, names = {}, {}
  for i = 1, 5 do
    threads[i] = ngx.thread.spawn(get)
  end
  for i, thread in ipairs(threads) do
    local _, organization = ngx.thread.wait(thread)
    names[i] = organization.name
  end
  return names
end

function actions.coroutines()
  local got = {}
  local co = coroutine.create(function()
    for i = 1, 3 do
      coroutine.yield(i, confidentai.check(shared:organization():get()).name)
    end
  end)
  for i = 1, 3 do
    local _, number, name = coroutine.resume(co)
    got[i] = { number, name }
  end
  return got
end

-- A light thread that is killed while it waits.
function actions.killed()
  local thread = ngx.thread.spawn(actions.hanging)
  ngx.sleep(0.2)
  return { killed = ngx.thread.kill(thread), in_flight = core.engine():in_flight() }
end

-- What comes of storing a secret by a command, and of reading it again.
local function store_by_command(given)
  local context = { pause = function(seconds)
    local passed, err = pause(nginx, seconds)
    return passed, err
  end }
  local store = exec.new(given.store)
  local stored, message = store:put(given.secret, context)
  return { ok = stored == true, message = message, read = store.readable and store:get(context) or nil }
end

actions.store = store_by_command

-- Likewise, in a timer; kept as `name`.
function actions.store_in_timer(given)
  assert(ngx.timer.at(0, function()
    ngx.shared.results:set(given.name, cjson.encode(store_by_command(given)))
  end))
end

-- A light thread that is killed while its command runs.
function actions.store_and_be_killed(given)
  local thread = ngx.thread.spawn(store_by_command, given)
  ngx.sleep(0.2)
  ngx.thread.kill(thread)
end

-- The rest is for figures: milliseconds that a call takes.
function actions.timed()
  local before = core.now()
  confidentai.check(shared:organization():get())
  return (core.now() - before) * 1e3
end

return handlers
