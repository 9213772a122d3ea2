-- SPDX-License-Identifier: Apache-2.0
-- The sandbox as a process: puts the parts together, says where it listens, runs until it is told to stop.

local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local uv = require "luv"
local Changes = require "confidentai.sandbox.changes"
local Clock = require "confidentai.sandbox.clock"
local Control = require "confidentai.sandbox.control"
local Faults = require "confidentai.sandbox.faults"
local Journal = require "confidentai.sandbox.journal"
local Late = require "confidentai.sandbox.late"
local Server = require "confidentai.sandbox.server"
local Service = require "confidentai.sandbox.service"
local certificate = require "confidentai.sandbox.certificate"
local greeting = require "confidentai.sandbox.greeting"
local path = require "confidentai.sandbox.path"
local persistence = require "confidentai.sandbox.persistence"

local process = {}

-- Seconds between writes of a state in which only lastUsed moved.
local save_interval = 1

local function wall_clock()
  local seconds, microseconds = uv.gettimeofday()
  return seconds + microseconds / 1e6
end

local function bind(host, port, option)
  local socket, bound = Server.bind(host, port)
  if socket then return socket, bound end
  if bound == "in use" then
    local advice = "port %d of %s is in use: stop what listens there, or choose another with --%s (0: any)"
    return nil, advice:format(port, host, option)
  end
  return nil, ("cannot listen on %s port %d: %s"):format(host, port, bound)
end

local function open_service(options)
  local state
  if options.state then
    local message
    state, message = persistence.load(options.state)
    if message then return nil, message end
  end
  local ok, service = pcall(Service.new, {
    projects = options.projects, seed = options.seed, generation = options.generation, clock = Clock.new(wall_clock),
    witness_folder = options.witness_folder, state = state,
  })
  if ok then return service end
  if state then return nil, options.state .. " is damaged; move it away or name another" end
  return nil, service
end

local function write_ca_file(options, pem)
  local file = options.ca_file
  if not file then
    local descriptor, made = uv.fs_mkstemp(uv.os_tmpdir() .. "/confidentai-sandbox-ca-XXXXXX")
    if not descriptor then return nil, made end
    uv.fs_close(descriptor)
    file = made
  end
  local ok, message = persistence.replace(file, pem)
  if not ok then return nil, "cannot write the CA file: " .. tostring(message) end
  return file
end

local function saver(options, service)
  return function()
    if not options.state or not service.changed then return true end
    service.changed = false
    local ok, message = persistence.save(options.state, service:export())
    if not ok then
      service.changed = true
      io.stderr:write("confidentai sandbox: cannot save the state: ", tostring(message), "\n")
    end
    return ok
  end
end

-- Binds both ports, saves the state, makes the certificate: all that can fail.
local function prepare(options)
  local parts, message = {}
  parts.service, message = open_service(options)
  if not parts.service then return nil, message end
  parts.socket, parts.port = bind(options.host, options.port, "port")
  if not parts.socket then return nil, parts.port end
  parts.control_socket, parts.control_port = bind(options.host, options.control_port, "control-port")
  if not parts.control_socket then return nil, parts.control_port end
  parts.save = saver(options, parts.service)
  parts.service.changed = true
  if not parts.save() then return nil, "no state can be kept there" end
  if options.tls then
    local pem
    parts.ctx, pem = certificate.new()
    parts.ca_file, message = write_ca_file(options, pem)
    if not parts.ca_file then return nil, message end
  end
  return parts
end

local function report_error(_, context, operation, problem)
  -- Clients that leave in the middle are what the sandbox is for; only its own mistakes are worth a line.
  if operation == "onstream" and type(problem) == "string" then
    io.stderr:write("confidentai sandbox: ", tostring(context), ": ", problem, "\n")
  end
end

-- Returns when a descriptor has nothing more to give. Not below a pcall: on PUC 5.1, polling could not yield.
local function wait_for_end(descriptor)
  local kind = uv.guess_handle(descriptor)
  if kind == "file" or kind == "unknown" then return end -- /dev/null and closed ones cannot be polled: they have ended
  repeat
    cqueues.poll({ pollfd = descriptor, events = "r" })
    -- On standard input something may be typed, which is ignored; other descriptors only ever end.
  until descriptor ~= 0 or not io.stdin:read(1)
end

local function watch(cq, options, stop)
  signal.ignore(signal.SIGPIPE)
  signal.block(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
  local listener = signal.listen(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
  cq:wrap(function()
    listener:wait()
    stop()
  end)
  if options.exit_with_fd then
    cq:wrap(function()
      wait_for_end(options.exit_with_fd)
      stop()
    end)
  end
end

local function assemble(cq, options, parts)
  local save = parts.save
  local faults, journal = Faults.new(), Journal.new()
  local changes = Changes.new { service = parts.service, journal = journal, save = save }
  local late = Late.new {
    service = parts.service, changes = changes, spawn = function(task) cq:wrap(task) end,
  }
  local server = Server.new {
    cq = cq, socket = parts.socket, ctx = parts.ctx,
    service = parts.service, faults = faults, journal = journal,
    changes = changes, late = late,
    base = path.split(options.base_path or "/"), on_error = report_error,
  }
  Control.new {
    cq = cq, socket = parts.control_socket, service = parts.service, faults = faults, journal = journal, late = late,
    server = server, save = save, on_error = report_error,
  }
end

local function run_until_stopped(cq, is_stopped)
  while not is_stopped() do
    local ok, message = cq:step()
    if not ok then io.stderr:write("confidentai sandbox: ", tostring(message), "\n") end
  end
end

---Runs the sandbox until a signal, or the end of `exit_with_fd`, stops it.
---@param options table complete, as options.complete gives it
---@return integer status for os.exit: 0 after a clean end, 1 when it could not start
function process.run(options)
  local parts, message = prepare(options)
  if not parts then
    io.stderr:write("confidentai sandbox: ", tostring(message), "\n")
    return 1
  end
  local cq, stopped = cqueues.new(), false
  watch(cq, options, function() stopped = true end)
  assemble(cq, options, parts)
  cq:wrap(function()
    while true do
      cqueues.sleep(save_interval)
      parts.save()
    end
  end)
  greeting.print(options, parts)
  run_until_stopped(cq, function() return stopped end)
  parts.save()
  if parts.ca_file and not options.ca_file then os.remove(parts.ca_file) end
  return 0
end

return process
