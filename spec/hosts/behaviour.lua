-- SPDX-License-Identifier: Apache-2.0
-- What the library does in every host. Each entry is run inside of the host, against a sandbox that has the entry's
-- faults; nothing here is a host's own. `run(t)`: t.confidentai, t.client(options), t.project_id; raises when something
-- is not so.

local files = require "spec.files"

local function list(t, options)
  return t.client(options):organization().api_keys:list()
end

local function expect(wanted, got, what)
  if wanted ~= got then
    error(("%s: expected %s, got %s"):format(what or "value", tostring(wanted), tostring(got)), 2)
  end
end

local function expect_error(fields, result, err)
  expect(nil, result, "result")
  for name, value in pairs(fields) do
    expect(value, err[name], "err." .. name .. " of " .. tostring(err))
  end
end

-- Pauses as a client's calls wait. How long it took.
local function time_pause(t, seconds)
  local core, pause = require "confidentai.core", require "confidentai.pause"
  local before = core.now()
  local passed, err = pause(core.environment(t.client()).driver, seconds)
  t.confidentai.check(passed, err)
  return core.now() - before
end

local function write(path, text)
  files.write(path, text)
  assert(os.execute("chmod 600 " .. path))
end

-- Makes keys, and rotates all of them at once: the old secrets are refused then, and the stores hold others.
local function rotate(t, names)
  local path = os.tmpname()
  local folder = assert(require("confidentai.state").find(path .. "-state", true))
  local api_keys, tasks, old = t.client():project(t.project_id).api_keys, {}, {}
  for i, name in ipairs(names) do
    old[i] = t.confidentai.check(api_keys:create(name))
    write(path .. i, old[i].value)
    tasks[i] = function()
      local rotation, err = api_keys:rotate(old[i], {
        store = t.confidentai.store.file { path = path .. i }, state_dir = folder, soak = 0, grace = 0 })
      return rotation, err
    end
  end
  local results, errors = t.confidentai.gather(tasks)
  expect(nil, next(errors) and tostring(errors[next(errors)]), "error")
  for i, name in ipairs(names) do
    expect("done", results[i].state)
    local found = t.confidentai.check(api_keys:find(name))
    expect(1, #found)
    expect(results[i].new_id, tostring(found[1].id))
    expect(found[1].value:sub(-6), files.read(path .. i):sub(-6))
    expect(false, files.read(path .. i) == old[i].value, "the old secret is there")
  end
  assert(os.execute(("rm -r %s*"):format(path)))
end

return {
  { name = "lists, creates, disables, enables and deletes", run = function(t)
    for _, scope in ipairs { t.client():organization(), t.client():project(t.project_id) } do
      local key = t.confidentai.check(scope.api_keys:create("made"))
      expect(true, key.has_secret)
      expect(false, t.confidentai.check(scope.api_keys:disable(key)).valid)
      expect(true, t.confidentai.check(scope.api_keys:enable(key)).valid)
      expect(1, #t.confidentai.check(scope.api_keys:find("made")))
      t.confidentai.check(scope.api_keys:delete(key))
      local gone, err = scope.api_keys:get(key)
      expect_error({ kind = "api", status = 404 }, gone, err)
    end
  end },
  { name = "knows who it is", run = function(t)
    expect("manager", t.confidentai.check(t.client():whoami()).key.name)
  end },
  { name = "waits for a slow answer", faults = { { type = "delay", seconds = 0.3 } }, run = function(t)
    t.confidentai.check(list(t))
  end },
  { name = "ends a call at its time limit", faults = { { type = "hang", times = -1 } }, run = function(t)
    local result, err = list(t, { timeout = 0.2, max_retries = 0 })
    expect_error({ kind = "timeout", attempts = 1 }, result, err)
  end },
  { name = "tries again as Retry-After says",
    faults = { { type = "status", status = 503, headers = { ["Retry-After"] = "0" }, times = 2 } }, run = function(t)
      local retries = 0
      local client = t.client { on_event = function(event) retries = retries + (event.type == "retry" and 1 or 0) end }
      t.confidentai.check(client:organization().api_keys:create("made"))
      expect(2, retries)
    end },
  { name = "backs off without a word from the service",
    faults = { { type = "status", status = 500, times = 1 } }, run = function(t)
      t.confidentai.check(list(t))
    end },
  { name = "never sends a create twice", faults = { { type = "lost_answer", method = "POST" } }, posts = 1,
    run = function(t)
      t.confidentai.check(list(t))
      local result, err = t.client():organization().api_keys:create("once")
      expect_error({ kind = "network", outcome = "unknown", attempts = 1 }, result, err)
    end },
  { name = "says what garbage is", faults = { { type = "garbage" } }, run = function(t)
    local result, err = list(t)
    expect_error({ kind = "protocol" }, result, err)
  end },
  { name = "gathers many calls in the time of one",
    faults = { { type = "delay", seconds = 0.2, times = -1 } }, seconds = 3, run = function(t)
      local client, tasks = t.client(), {}
      for i = 1, 30 do
        tasks[i] = function() return client:organization().api_keys:list() end
      end
      local results, errors = t.confidentai.gather(tasks, { concurrency = 30 })
      expect(nil, next(errors))
      expect(30, results.n)
      for i = 1, 30 do
        expect("manager", results[i][1].name)
      end
    end },
  { name = "gathers within a gather", faults = { { type = "delay", seconds = 0.5, times = -1 } }, seconds = 3,
    run = function(t)
      local client = t.client()
      local function one()
        return client.projects:list()
      end
      local function several()
        local results, errors = t.confidentai.gather { one, one, one }
        expect(nil, next(errors))
        return results.n
      end
      local results, errors = t.confidentai.gather { several, several, one }
      expect(nil, next(errors))
      expect(3, results[1])
      expect(3, results[2])
      expect("table", type(results[3]))
    end },
  { name = "pauses", run = function(t)
    local spent = time_pause(t, 0.2)
    expect(true, spent >= 0.2, ("%.3f s, which is enough,"):format(spent))
    expect(true, spent < 2, ("%.3f s, which is not too much,"):format(spent))
  end },
  { name = "pauses in many tasks at once, beside calls", faults = { { type = "delay", seconds = 0.2, times = -1 } },
    seconds = 3, run = function(t)
      local tasks = {}
      for i = 1, 10 do
        tasks[2 * i - 1] = function()
          local spent = time_pause(t, 0.3) -- on PUC 5.1 a task that has made a tail call cannot give way
          return spent
        end
        tasks[2 * i] = function() return list(t) end
      end
      local results, errors = t.confidentai.gather(tasks, { concurrency = 20 })
      expect(nil, next(errors))
      for i = 1, 10 do
        expect(true, results[2 * i - 1] >= 0.3, "enough")
        expect("manager", results[2 * i][1].name)
      end
    end },
  { name = "keeps each task's error to itself", run = function(t)
    local client = t.client()
    local results, errors = t.confidentai.gather {
      function() return client:organization().api_keys:get(999) end,
      function() error("on purpose", 0) end,
      function() return client:organization().api_keys:list() end,
    }
    expect(404, errors[1].status)
    expect("on purpose", errors[2])
    expect("table", type(results[3]))
  end },
  { name = "cancels what is left when told to",
    faults = {
      { type = "hang", operation = "list", times = -1 }, { type = "status", status = 500, operation = "projects" },
    },
    seconds = 2, run = function(t)
      local client = t.client { max_retries = 0 }
      local function hanging()
        return client:organization().api_keys:list()
      end
      local _, errors = t.confidentai.gather({ hanging, hanging, function() return client.projects:list() end },
        { on_error = "cancel" })
      expect("cancelled", errors[1].kind)
      expect("cancelled", errors[2].kind)
      expect(500, errors[3].status)
    end },
  { name = "waits below a boundary that no yield crosses, or refuses to where that would stop others",
    faults = { { type = "delay", seconds = 0.05, times = -1 } }, run = function(t)
      local found, err
      t.confidentai.gather { function()
        local _ = ("x"):gsub("x", function() found, err = list(t) end)
        return true
      end }
      expect(true, found ~= nil or err.kind == "config", "an answer or a refusal")
    end },
  { name = "leaves a coroutine of the user's own alone", run = function(t)
    local generator = coroutine.wrap(function()
      coroutine.yield(#t.confidentai.check(list(t)))
      return "end"
    end)
    expect("number", type(generator()))
    expect("end", generator())
  end },
  { name = "rotates a key", run = function(t) rotate(t, { "one" }) end },
  { name = "rotates many keys at once", seconds = 6, run = function(t)
    rotate(t, { "one", "two", "three", "four" })
  end },
  { name = "raises once the client is closed", run = function(t)
    local client = t.client()
    local org = client:organization()
    client:close()
    expect(false, (pcall(org.api_keys.list, org.api_keys)))
  end },
}
