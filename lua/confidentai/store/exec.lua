-- SPDX-License-Identifier: Apache-2.0
-- A store behind a command: it gets the secret on its standard input, and another, `check`, prints what is stored.
--
-- The command is a program and its arguments, run without a shell, in the host's environment (but without the variables
-- that hold a key: no store needs those to do its work). Which program that is, and the folder that it runs in, is
-- settled when the store is made, and on record: a later run may be in another folder, with another PATH. The command
-- reads the secret to the end of its input, with no line end after it, and must have stored it when it exits with
-- status 0; any other end counts as a failure that may have stored something. `check` prints the secret, with one line
-- end or none, or nothing where nothing is stored, and exits with status 0. Arguments and the environment never hold a
-- secret; what a command says on standard error goes into messages, shortened, with the secret covered.

local argument = require "confidentai.argument"
local core = require "confidentai.core"
local location = require "confidentai.store.location"

local exec = {}

local DEFAULT_TIMEOUT = 30 -- seconds

-- How often a command is looked at: a part of the time it has run so far, within these. Seconds.
local PART = 1 / 10
local SHORTEST, LONGEST = 0.001, 0.025

-- A command is killed at its time limit by its watcher (core/watcher.h); one that cannot be killed, as it hangs in the
-- kernel, is given up after this. Seconds.
local PATIENCE = 2

-- How much of standard error goes into a message, in bytes. Its end: that is where a program says what went wrong.
local LONGEST_COMPLAINT = 400

local fields = { command = "table", check = "table", name = "string", timeout = "number", folder = "string" }

---@class confidentai.ExecOptions
---@field command string[] a program and its arguments; it reads the secret from its standard input
---@field check? string[] a program and its arguments; it prints what is stored. Without it the store cannot be read
---@field name? string for people and records, instead of the program's; no secret
---@field timeout? number seconds for each run; default: 30
---@field folder? string absolute, where they run, and where their relative paths start; default: the current one

local Store = {}
Store.__index = Store

-- PUC 5.1 cannot yield through pcall, and may want to in a coroutine.
local pcall_yields = _VERSION ~= "Lua 5.1" or jit ~= nil

-- Pauses. Nil and why, when nothing waits any more; when that is raised (by Ctrl-C, for example), the process is ended,
-- as the wait for it is.
local function pause(context, process, seconds)
  if not pcall_yields and coroutine.running() then
    local _, problem = context.pause(seconds)
    return problem == nil, problem
  end
  local ok, first, problem = pcall(context.pause, seconds)
  if not ok then
    process:kill()
    error(first, 0)
  end
  return problem == nil, problem
end

-- Waits until the process has ended. True; or nil and why it was broken off.
local function await(process, context, timeout)
  local started = core.now()
  while not process:step() do
    local elapsed = core.now() - started
    local waited, problem = pause(context, process, math.max(SHORTEST, math.min(LONGEST, elapsed * PART)))
    if not waited then
      process:kill()
      return nil, "was ended, because its caller gave up: " .. tostring(problem)
    elseif elapsed > timeout + PATIENCE then
      process:kill()
      return nil, "cannot be ended"
    end
  end
  return true
end

-- What a process said on standard error, fit for a message: ": ..." or "".
local function complaint(process, secret)
  local text, cut = process:errors()
  if cut then
    text = text:sub(#secret + 1) -- it may begin within the secret, which could not be told from other words then
  end
  text = core.redact(text, secret)
  for word in secret:gmatch "%S%S%S%S%S%S%S%S+" do -- it may stand beside other words, and before a line end
    text = core.redact(text, word)
  end
  text = text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #text > LONGEST_COMPLAINT then
    text = "..." .. text:sub(-LONGEST_COMPLAINT):gsub("^[\128-\191]+", "")
  end
  return text == "" and "" or ": " .. text
end

-- How a process ended other than well, in words; nil: it ended well.
local function failure(process, timeout)
  local status, how, reason = process:status()
  if status == 0 then
    return nil
  elseif status then
    return ("exited with status %d"):format(status)
  elseif how == "timeout" then
    return ("did not end within %g seconds, and was killed"):format(timeout)
  elseif how == "unstarted" then
    return "cannot be started: " .. reason
  elseif how == "lost" then
    return "ended, and how is not known"
  end
  return "was ended by " .. how
end

-- Why a program cannot be started; nil: it can be, as far as a look tells.
local function missing(path)
  if path:sub(1, 1) == "/" then
    local found, problem = core.program(path)
    return not found and problem or nil
  end
  local _, problem = core.program(path) -- it was in no folder of PATH when the store was made
  return problem or "it was not there when this store was made: make it again"
end

-- Runs a command. The process, and how it ended other than well (nil: well); or nil, and why it was not started.
local function run(store, what, argv, input, context)
  local timeout = store.spec.timeout
  local _, problem = context.pause(SHORTEST)
  if problem ~= nil then -- found out in time: nothing can wait here
    return nil, ("%s: its %s was not started: %s"):format(store.label, what, tostring(problem))
  end
  local process
  problem = missing(argv[1])
  if not problem then
    process, problem = core.process(argv, { input = input, folder = store.spec.folder, timeout = timeout })
  end
  if not process then
    return nil, ("%s: its %s cannot be started: %s"):format(store.label, what, problem)
  end
  local ended
  ended, problem = await(process, context, timeout)
  return process, not ended and problem or failure(process, timeout)
end

-- Runs `check`: what it printed; or nil, and why that is of no use.
local function read(store, context)
  local process, failed = run(store, "check", store.spec.check, nil, context)
  if not process then
    return nil, failed
  end
  local output, cut = process:output()
  if failed then
    return nil, ("%s: its check %s%s (it must print the secret, or nothing where none is stored, and succeed)"):format(
      store.label, failed, complaint(process, output))
  elseif cut then
    return nil, ("%s: its check printed more than %d bytes"):format(store.label, #output)
  end
  return output
end

---Finds out whether the store will do: the command can be run, and `check` succeeds.
---@param context { pause: fun(seconds: number) }
---@return boolean? true
---@return string? message
function Store:preflight(context)
  local problem = missing(self.spec.command[1])
  local folder = not problem and core.file.facts(self.spec.folder)
  if not problem and not folder then
    problem = ("its folder %s is gone"):format(self.spec.folder)
  end
  if problem then
    return nil, ("%s: its command cannot be started: %s"):format(self.label, problem)
  end
  if self.readable then
    local output
    output, problem = read(self, context)
    if not output then
      return nil, problem
    end
  end
  return true
end

---What is stored.
---@param context { pause: fun(seconds: number) }
---@return string|false|nil text false: nothing; nil: it cannot be told
---@return string? message
function Store:get(context)
  if not self.readable then
    return nil, self.label .. ": cannot be read, as it has no check"
  end
  local output, problem = read(self, context)
  if not output then
    return nil, problem
  end
  local text = output:gsub("\r?\n$", "")
  return text ~= "" and text
end

---Stores a secret. Nothing is never stored: what empties the place is another command, and for a person to run.
---@param text string|false
---@param context { pause: fun(seconds: number) }
---@return boolean? true
---@return string? message
---@return "failed"|"unknown"|nil certainty "failed": certainly not stored
function Store:put(text, context)
  if not text then
    return nil, self.label .. ": its command can store a secret, and take none out: remove it there by hand", "failed"
  end
  local process, failed = run(self, "command", self.spec.command, text, context)
  if not process then
    return nil, failed, "failed"
  elseif failed then
    local _, how = process:status()
    return nil, ("%s: its command %s%s"):format(self.label, failed, complaint(process, text)),
      how == "unstarted" and "failed" or "unknown"
  end
  return true
end

function Store:__tostring()
  return "confidentai.store " .. self.label
end

-- A copy of an option's array, with the path of its program; raises when it is none, at the line of whoever called the
-- constructor.
local function arguments(name, list, folder)
  local copy = {}
  for key in pairs(list) do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 or key > #list then
      argument.refuse(1, "exec", ("field '%s': an array is expected, and nothing else in it"):format(name), 1)
    end
  end
  for i = 1, #list do
    if type(list[i]) ~= "string" or list[i]:find("\0", 1, true) then
      argument.refuse(1, "exec", ("field '%s': strings without NUL bytes are expected"):format(name), 1)
    end
    copy[i] = list[i]
  end
  if not copy[1] or copy[1] == "" then
    argument.refuse(1, "exec", ("field '%s': a program is expected first"):format(name), 1)
  end
  copy[1] = location.program(copy[1], folder) or copy[1]
  return copy
end

---Makes a store of commands. Raises when an option is unknown, missing or of a wrong type. Runs nothing.
---@param options confidentai.ExecOptions
---@return confidentai.Store store
function exec.new(options)
  argument.fields(1, "exec", options, fields, "command")
  local timeout = options.timeout or DEFAULT_TIMEOUT
  if not (timeout > 0 and timeout < math.huge) then
    argument.refuse(1, "exec", "field 'timeout': a finite number above 0 is expected")
  elseif options.name and (options.name == "" or options.name:find "%c") then
    argument.refuse(1, "exec", "field 'name': a text of one line is expected")
  end
  local folder = options.folder or location.here() or "" -- one that is gone
  if folder:sub(1, 1) ~= "/" or folder:find("%c") or folder:find("\0", 1, true) then
    argument.refuse(1, "exec", "field 'folder': the absolute path of a folder is expected")
  end
  local spec = { kind = "exec", name = options.name, timeout = timeout, folder = folder }
  spec.command = arguments("command", options.command, folder)
  spec.check = options.check and arguments("check", options.check, folder)
  local given = options.command[1]
  local program = given:find("/", 1, true) and spec.command[1] or given
  return setmetatable({
    kind = "exec", label = "exec:" .. (options.name or program:gsub("%c", "?")), readable = spec.check ~= nil,
    spec = spec,
  }, Store)
end

return exec
