-- SPDX-License-Identifier: Apache-2.0
-- A real nginx for specs, in a folder of its own. $BUILD_ROOT is where the module is, as in scripts/run; the words of
-- $RUN_UNDER are put before nginx.

local files = require "spec.files"
local http = require "spec.hosts.nginx.http"
local process = require "spec.process"
local uv = require "luv"

local server = {}

local Server = {}
Server.__index = Server

local running = {}

local function absolute(path)
  return path:sub(1, 1) == "/" and path or assert(uv.cwd()) .. "/" .. path
end

---Where the module for nginx is: the value for LUA_CPATH.
function server.cpath()
  return absolute(os.getenv("BUILD_ROOT") or "build") .. "/luajit/?.so;;"
end

---Words to start nginx with, but for its arguments. The paths of the Lua that runs the specs are not for it. `preload`:
---a library to be loaded before others, but after a sanitizer's, which must be the first.
function server.command(preload)
  local words = { "-u", "LUA_PATH", "-u", "LUA_CPATH" }
  for word in (os.getenv("RUN_UNDER") or ""):gmatch "%S+" do
    words[#words + 1] = word
  end
  local script = 'LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$0" exec nginx "$@"'
  for _, word in ipairs(preload and { "sh", "-c", script, preload } or { "nginx" }) do
    words[#words + 1] = word
  end
  return words
end

---The library that makes the resolver slow (slow_resolver.c), if it is built.
function server.slow_resolver()
  local path = absolute(os.getenv("BUILD_ROOT") or "build") .. "/luajit/slow_resolver.so"
  return uv.fs_stat(path) and path
end

---Starts nginx with spec/hosts/nginx/nginx.conf. `options`: variables (of its environment), init (Lua to run in
---init_by_lua), preload.
function server.start(options)
  local self = setmetatable({ prefix = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/nginx-XXXXXX")) },
    Server)
  self.variables = options.variables
  self.port, self.spare_port = http.free_port(), http.free_port()
  local user = uv.getuid() == 0 and "user root;" or ""
  local values = { root = uv.cwd(), cpath = server.cpath(), port = self.port, spare_port = self.spare_port, user = user,
    init = options.init or "" }
  files.write(self.prefix .. "/nginx.conf", (files.read("spec/hosts/nginx/nginx.conf"):gsub("@(%l[%l_]*)@", values)))
  local words = server.command(options.preload)
  for _, word in ipairs { "-p", self.prefix, "-c", "nginx.conf", "-e", "error.log" } do
    words[#words + 1] = word
  end
  self.child = process.start("env", words, options.variables)
  running[self] = true
  assert(http.await(function() return self.child.status or self:log():find("start worker process", 1, true) end, 60))
  assert(not self.child.status, self.child.errors)
  return self
end

---What nginx has logged.
function Server:log()
  return files.read(self.prefix .. "/error.log") or ""
end

-- The last three are a sanitizer's or valgrind's.
local BAD = {
  "%[error%]", "%[crit%]", "%[alert%]", "%[emerg%]", "exited on signal", "Sanitizer", "runtime error:", "^==%d+==",
}

---What nginx has logged of errors, or worse, since it was last asked, but for lines with one of these texts.
function Server:complaints(...)
  local found, text, expected = {}, self:log(), { ... }
  for line in text:sub((self.seen or 0) + 1):gmatch "[^\n]+" do
    local bad = false
    for _, pattern in ipairs(BAD) do
      bad = bad or line:find(pattern)
    end
    for _, one in ipairs(expected) do
      bad = bad and not line:find(one, 1, true)
    end
    if bad then
      found[#found + 1] = line
    end
  end
  self.seen = #text
  return table.concat(found, "\n")
end

---As http.request.
function Server:request(...)
  return http.request(self.port, ...)
end

---Connections to nginx, so many to each of its two workers: { [worker id] = { ... } }.
function Server:connections(count)
  local found, others = { [0] = {}, [1] = {} }, {}
  for _ = 1, 40 * count + 200 do
    local connection = http.connect(self.port)
    local answer = assert(connection:ask("/worker"):wait())
    local mine = found[tonumber(answer.body)]
    local list = #mine < count and mine or others
    list[#list + 1] = connection
    if #found[0] == count and #found[1] == count then
      break
    end
  end
  for _, connection in ipairs(others) do
    connection:close()
  end
  assert(#found[0] == count and #found[1] == count, "a worker takes no connections")
  return found
end

---Sends a signal as `nginx -s` does: "reload", "quit" or "stop".
function Server:signal(name)
  local words = server.command()
  for _, word in ipairs { "-p", self.prefix, "-c", "nginx.conf", "-e", "error.log", "-s", name } do
    words[#words + 1] = word
  end
  local child = process.start("env", words, self.variables)
  local status = child:wait(60000)
  assert(status == 0, child.errors)
end

---Stops nginx and removes its folder; `complained` is what it logged of errors. Its exit status.
function Server:stop()
  if not self.child.status then
    self.child:kill("sigterm")
  end
  local status, signal = self.child:wait(30000)
  self.complained = self:complaints()
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(self.prefix)) do
    local _ = os.remove(self.prefix .. "/" .. name)
  end
  os.remove(self.prefix)
  running[self] = nil
  return status, signal
end

---Stops those that run still, as a spec that fails leaves them.
function server.stop_all()
  for one in pairs(running) do
    one:stop()
  end
end

return server
