-- SPDX-License-Identifier: Apache-2.0
-- The sandbox's process, seen from the program that starts it. It uses luv for spawning and for plain
-- descriptors only: no pipe handles, no callbacks that matter, so that it neither needs nor disturbs the
-- program's own event loop.

local interpreter = require "confidentai.sandbox.interpreter"
local json = require "confidentai.sandbox.json"
local uv = require "luv"

local Child = {}
Child.__index = Child

local poll_interval = 2 -- milliseconds

local function now()
  return uv.hrtime() / 1e9
end

-- A file that has no name any more: unlike a pipe it never fills up, and nothing stays behind.
local function unnamed_file()
  local fd, name = uv.fs_mkstemp(uv.os_tmpdir() .. "/confidentai-sandbox-XXXXXX")
  if not fd then return nil, name end
  uv.fs_unlink(name)
  return fd
end

local function is_absolute(file)
  return file:find("^/") or file:find("^%a:[/\\]")
end

local function spawn(self, options, chosen, stdin, stdout)
  local script = interpreter.script()
  if not is_absolute(script) then script = uv.cwd() .. "/" .. script end
  local handle, pid = uv.spawn(chosen.command, {
    args = { script, json.encode(options) }, stdio = { stdin, stdout, self.stderr },
    env = interpreter.environment(uv.os_environ(), chosen),
    -- A Ctrl-C in the terminal is for the program, which then stops its sandbox or dies and takes it along.
    detached = true,
  }, function()
    if self.handle and not self.handle:is_closing() then self.handle:close() end
    self.handle = nil
  end)
  if not handle then return nil, pid end
  handle:unref()
  self.handle, self.pid = handle, pid
  return true
end

---Starts the process.
---@param options table for options.complete, in the child
---@return table? child
---@return string? message
function Child.start(options)
  local chosen, missing = interpreter.find()
  if not chosen then return nil, missing end
  local self = setmetatable({ received = "" }, Child)
  local message
  self.stderr, message = unnamed_file()
  if not self.stderr then return nil, message end
  local stdin, stdout = uv.pipe(), uv.pipe({ nonblock = true })
  self.stdin, self.stdout = stdin.write, stdout.read
  options.exit_with_fd = 0
  local ok
  ok, message = spawn(self, options, chosen, stdin.read, stdout.write)
  uv.fs_close(stdin.read)
  uv.fs_close(stdout.write)
  if not ok then
    self:release()
    return nil, ("cannot run %s: %s"):format(chosen.command, tostring(message))
  end
  return self
end

---Reads what the child has printed.
---@return boolean ended the child has closed its standard output: it has exited
function Child:read()
  while self.stdout do
    local data = uv.fs_read(self.stdout, 65536, -1)
    if not data then return false end -- EAGAIN: nothing now
    if data == "" then return true end
    self.received = self.received .. data
  end
  return true
end

---Waits for the first line.
---@param seconds number at most
---@return string? line
---@return string? message
function Child:line(seconds)
  local deadline = now() + seconds
  repeat
    local ended = self:read()
    local line = self.received:match("^(.-)\n")
    if line then return line end
    if ended then return nil, self:errors() end
    uv.sleep(poll_interval)
  until now() > deadline
  return nil, ("the sandbox was not ready within %g s\n%s"):format(seconds, self:errors())
end

---What the child has written to its standard error.
---@return string text
function Child:errors()
  if not self.stderr then return self.last_errors or "" end
  local size = uv.fs_fstat(self.stderr).size
  return uv.fs_read(self.stderr, math.min(size, 65536), 0) or ""
end

local function wait_for_end(self, seconds)
  local deadline = now() + seconds
  repeat
    if self:read() then return true end
    uv.sleep(poll_interval)
  until now() > deadline
  return false
end

---Gives back what the handle holds. The child notices the end of its standard input and exits.
function Child:release()
  if self.stderr then self.last_errors = self:errors() end
  for _, name in ipairs { "stdin", "stdout", "stderr" } do
    if self[name] then uv.fs_close(self[name]) end
    self[name] = nil
  end
end

-- Lets libuv collect the exited process, so that no zombie stays. Only outside of the program's own loop:
-- libuv's must not be entered twice, and a loop that runs collects it anyway.
local function reap(self)
  if not self.handle or uv.loop_mode() then return end
  self.handle:ref() -- libuv looks for exited processes only while something is referenced
  local deadline = now() + 1
  while self.handle and now() < deadline do
    uv.run("nowait")
    if self.handle then uv.sleep(1) end
  end
end

---Ends the child: SIGTERM, then SIGKILL. Does nothing the second time.
---@param seconds? number between the two; default 2
function Child:stop(seconds)
  if not self.stdout then return end
  uv.kill(self.pid, "sigterm")
  if not wait_for_end(self, seconds or 2) then
    uv.kill(self.pid, "sigkill")
    wait_for_end(self, 2)
  end
  self:release()
  reap(self)
end

return Child
