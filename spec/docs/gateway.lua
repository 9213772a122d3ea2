-- SPDX-License-Identifier: Apache-2.0
-- A system of its own for the pages about nginx: a folder in place of /. What they put into /etc, /usr and /var is put
-- there, and Debian's nginx reads it from there.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local folders = require "spec.folders"
local http = require "spec.hosts.nginx.http"
local process = require "spec.process"
local shell = require "spec.docs.shell"
local uv = require "luv"

local gateway = {}

local System = {}
System.__index = System

local PREFIXES = { "/confidentai", "/built", "/tmp/confidentai%-build", "/usr", "/etc", "/var" }

---A system in a folder.
---@param folder string
function gateway.system(folder)
  folders.shell("chmod 755 %s", folder) -- workers run as another user
  local self = setmetatable({ root = folder, port = http.free_port(), control = http.free_port() }, System)
  -- Workers and their user's command read this checkout, which may be where only root may look.
  local reads = process.start("runuser", { "-u", "www-data", "--", "test", "-r", uv.cwd() .. "/bin/confidentai" })
  self.user = folders.is_root() and (reads:wait(5000) == 0 and "www-data" or "root") or nil
  folders.shell("mkdir -p %s %s %s", folder .. "/run", folder .. "/etc/nginx/conf.d", folder .. "/bin")
  shell.prepare(folder .. "/bin")
  folders.shell("chmod 755 %s", folder .. "/bin/confidentai")
  folders.write(folder .. "/bin/nginx", ([[#!/bin/sh
unset LUA_PATH LUA_CPATH
exec /usr/sbin/nginx -p %s/run -c %s/run/nginx.conf -e error.log "$@"
]]):format(folder, folder), 493)
  return self
end

---Lines of a page, with this system's paths and ports.
function System:map(text)
  text = (" " .. text .. " "):gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. self.port)
    :gsub("127%.0%.0%.1:8081", "127.0.0.1:" .. self.control)
  for _, prefix in ipairs(PREFIXES) do
    text = text:gsub("([%s=>])(" .. prefix .. "%f[/%s])", "%1<root>%2")
  end
  text = text:gsub("<root>", (self.root:gsub("%%", "%%%%"))) -- which may be below one of these itself
  if self.user then
    text = text:gsub("%-o %S+ %-g %S+", "-o " .. self.user):gsub("%-u www%-data", "-u " .. self.user)
  else
    text = text:gsub(" %-o %S+ %-g %S+", ""):gsub("runuser %-u %S+ %-%- ", "")
  end
  return text:sub(2, -2)
end

---Writes nginx's main file. `lua` and `c`: where it looks for modules.
function System:configure(lua, c, more)
  local conf = self.root .. "/etc/nginx/conf.d/gateway.conf"
  local text = folders.read(conf)
  if text then -- what listens on fixed ports listens on free ones here
    folders.write(conf, (text:gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. self.port):gsub("listen 8080;",
      "listen 127.0.0.1:" .. self.port .. ";"):gsub("127%.0%.0%.1:8081", "127.0.0.1:" .. self.control)), 420)
  end
  folders.write(self.root .. "/run/nginx.conf", ([[
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
%s
worker_processes 2;
pid nginx.pid;
error_log error.log info;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  lua_package_path "%s";
  lua_package_cpath "%s";
  %s
}
]]):format(self.user and "user " .. self.user .. ";" or "", lua, c, more
    or "include " .. self.root .. "/etc/nginx/conf.d/*.conf;"), 420)
end

---Runs lines of shell, in a folder; a status that is not 0 fails.
function System:run(lines, variables, options)
  options = options or {}
  local all = { PATH = self.root .. "/bin:" .. os.getenv "PATH", LUA_PATH = package.path:gsub("%./", uv.cwd() .. "/"),
    LUA_CPATH = package.cpath:gsub("%./", uv.cwd() .. "/"), CONFIDENT_REGION = false, CONFIDENT_PROFILE = false,
    STATE_DIRECTORY = false, no_proxy = "127.0.0.1" }
  for name, value in pairs(variables) do
    all[name] = value
  end
  local child = process.start("sh", { "-c", 'cd "$0" && set -eu\n' .. lines, options.folder or uv.cwd() }, all)
  local status = child:wait(options.timeout or 60000)
  for _ = 1, 5 do
    uv.run "nowait"
  end
  assert.equal(options.status or 0, status, lines .. "\n" .. child.output .. child.errors .. self:log())
  return child.output, child.errors
end

---What nginx has logged.
function System:log()
  return folders.read(self.root .. "/run/error.log") or ""
end

---What it has logged of errors.
function System:complaints()
  local found = {}
  for line in self:log():gmatch "[^\n]+" do
    if line:find "%[error%]" or line:find "%[alert%]" or line:find "%[crit%]" or line:find "%[emerg%]" then
      found[#found + 1] = line
    end
  end
  return table.concat(found, "\n")
end

---The status of a request that has no key, when it has become this one, or after ten seconds.
function System:status(wanted)
  local status
  http.poll(function()
    local answer = http.request(self.port, "/v1/annotation-queues?page=1&pageSize=1")
    status = answer and answer.status
    return status == wanted
  end, 10)
  return status
end

-- Ends a process whose id is in a file.
local function stop(path, pattern)
  local text = folders.read(path)
  local pid = text and tonumber(text:match(pattern))
  if pid then
    pcall(uv.kill, pid, "sigterm")
    assert.is_true(http.poll(function() return uv.kill(pid, 0) ~= 0 end, 10), path)
  end
end

---Ends nginx, and a sandbox that a page has started.
function System:stop()
  stop(self.root .. "/run/nginx.pid", "^%d+")
  stop(self.root .. "/sandbox.json", '"pid":(%d+)')
end

return gateway
