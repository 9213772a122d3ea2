-- SPDX-License-Identifier: Apache-2.0
-- What the sandbox's specs share: a sandbox for the file, an HTTP/1.1 client that hides nothing, and processes.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local busted = require "busted"
local cjson = require "cjson"
local files = require "spec.files"
local sandbox = require "confidentai.sandbox"
local socket = require "socket"
local uv = require "luv"

local support = {}

support.list_path = "/v1/organization/api-keys"

---Registers a sandbox for the block with busted: started before its specs, reset before each, stopped after, when it
---must have had nothing to complain of. Fields of the returned table are those of the running sandbox; methods too.
---@param options? confidentai.SandboxOptions
function support.service(options)
  local running
  busted.setup(function()
    running = assert(sandbox.start(options))
  end)
  busted.before_each(function()
    assert(running:reset())
  end)
  busted.teardown(function()
    local errors = running:errors()
    running:stop()
    assert.equal("", errors)
  end)
  return setmetatable({}, { __index = function(_, name)
    local value = running[name]
    if type(value) == "function" then
      return function(_, ...) return value(running, ...) end
    end
    return value
  end })
end

local Connection = {}
Connection.__index = Connection

--- A connection to a URL's host and port.
function support.connect(url)
  local host, port = url:match("^http://%[?([^/%]]+)%]?:(%d+)")
  local raw = assert(socket.connect(host, tonumber(port)))
  raw:settimeout(5)
  return setmetatable({ raw = raw }, Connection)
end

function Connection:close()
  self.raw:close()
end

local function request_text(request)
  local lines = { ("%s %s HTTP/1.1"):format(request.method or "GET", request.path), "Host: localhost" }
  if request.key then lines[#lines + 1] = "CONFIDENT_API_KEY: " .. request.key end
  if request.body then
    lines[#lines + 1] = "Content-Length: " .. #request.body
    lines[#lines + 1] = "Content-Type: " .. (request.content_type or "application/json")
  end
  for _, line in ipairs(request.lines or {}) do lines[#lines + 1] = line end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (request.body or "")
end

function Connection:send(request)
  assert(self.raw:send(request_text(request)))
end

local function read_chunked(raw)
  local parts = {}
  while true do
    local line, message = raw:receive("*l")
    if not line then return nil, message end
    local size = tonumber(line, 16)
    if size == 0 then
      raw:receive("*l")
      return table.concat(parts)
    end
    parts[#parts + 1] = raw:receive(size)
    raw:receive(2)
  end
end

local to_integer = math.tointeger or function(value) return value end

--- Debian's lua-cjson gives 7.0 for 7 on Lua 5.3 and 5.4, which makes a difference in paths.
local function integers(value)
  if type(value) == "number" and value % 1 == 0 then return to_integer(value) end
  if type(value) == "table" then
    for name, member in pairs(value) do value[name] = integers(member) end
  end
  return value
end

--- Reads an answer: { status, headers, body, data, complete }, or nil and the reason.
function Connection:receive(method)
  local line, message, partial = self.raw:receive("*l")
  if not line then return nil, message, partial end
  local answer = { status = tonumber(line:match("^HTTP/1%.1 (%d+)")), headers = {}, line = line }
  while true do
    line, message = self.raw:receive("*l")
    if not line then return nil, message end
    if line == "" then break end
    local name, value = line:match("^([^:]+): ?(.*)$")
    answer.headers[name:lower()] = value
  end
  if answer.status == 100 then return self:receive(method) end
  local length = tonumber(answer.headers["content-length"])
  if method == "HEAD" or answer.status == 204 or length == 0 then
    answer.body, answer.complete = "", true
  elseif length then
    local body, _, rest = self.raw:receive(length)
    answer.body, answer.complete = body or rest, body ~= nil
  else
    answer.body = read_chunked(self.raw)
    answer.complete = answer.body ~= nil
  end
  local ok, decoded = pcall(cjson.decode, answer.body or "")
  if ok then answer.json = integers(decoded) end
  if ok and type(decoded) == "table" then answer.data, answer.error = decoded.data, decoded.error end
  return answer
end

function Connection:request(request)
  self:send(request)
  return self:receive(request.method)
end

--- One request on a connection of its own.
function support.request(service, request)
  local connection = support.connect(request.url or service.base_url)
  if request.key == nil then request.key = service.api_key end
  if type(request.body) == "table" then request.body = cjson.encode(request.body) end
  local answer, message, partial = connection:request(request)
  connection:close()
  return answer, message, partial
end

--- Runs a shell command.
---@return string output
---@return number status
function support.shell(command)
  local pipe = assert(io.popen("{ " .. command .. "\n}; printf '\\n%s' $?"))
  local output = pipe:read("*a")
  pipe:close()
  local text, status = output:match("^(.*)\n(%d+)$")
  return text, tonumber(status)
end

function support.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Waits until something is true.
function support.eventually(condition, seconds)
  local deadline = socket.gettime() + (seconds or 3)
  repeat
    local value = condition()
    if value then return value end
    socket.sleep(0.01)
  until socket.gettime() > deadline
  return condition()
end

--- Whether a process runs; a zombie does not.
function support.is_running(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  if not file then return false end
  local state = file:read("*a"):match("%) (%a)")
  file:close()
  return state ~= "Z" and state ~= "X"
end

function support.read_file(name)
  return assert(files.read(name))
end

function support.temporary_folder()
  return assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/confidentai-spec-XXXXXX"))
end

function support.remove_folder(name)
  assert(name:find("/confidentai%-spec%-"))
  support.shell("rm -r " .. support.quote(name))
end

local Process = {}
Process.__index = Process

--- Starts a program; its output goes to files. `options.stdin` makes a pipe of its standard input, closed by
-- end_input.
function support.spawn(command, arguments, options)
  local self = setmetatable({ folder = support.temporary_folder() }, Process)
  local out = uv.fs_open(self.folder .. "/out", "w", 384)
  local err = uv.fs_open(self.folder .. "/err", "w", 384)
  local input = options and options.stdin and uv.pipe() or nil
  self.handle, self.pid = uv.spawn(command, {
    args = arguments, stdio = { input and input.read or nil, out, err }, env = options and options.env,
  }, function(code, signal)
    self.status, self.signal = code, signal
    self.handle:close()
  end)
  uv.fs_close(out)
  uv.fs_close(err)
  if input then
    uv.fs_close(input.read)
    self.input = input.write
  end
  assert(self.handle, self.pid)
  return self
end

function Process:output()
  return support.read_file(self.folder .. "/out")
end

function Process:errors()
  return support.read_file(self.folder .. "/err")
end

--- Waits for a complete line of output.
function Process:line()
  return support.eventually(function()
    uv.run("nowait")
    return self:output():match("^(.-)\n") or self.status and ""
  end, 10)
end

--- Waits for output that matches.
function Process:expect(pattern)
  return support.eventually(function() return self:output():match(pattern) end, 10)
end

function Process:kill(signal)
  uv.kill(self.pid, signal)
end

function Process:end_input()
  uv.fs_close(self.input)
  self.input = nil
end

--- Waits for the end: the exit status, or nil when it was killed or still runs.
function Process:wait(seconds)
  support.eventually(function()
    uv.run("nowait")
    return self.status
  end, seconds or 5)
  return self.signal == 0 and self.status or nil
end

--- Ends the process, however it is.
function Process:finish()
  if not self.status then
    self:kill("sigkill")
    self:wait()
  end
  if self.input then self:end_input() end
  support.remove_folder(self.folder)
end

return support
