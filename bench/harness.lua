-- SPDX-License-Identifier: Apache-2.0
-- What the cases share: running subjects, medians, rows of the table.

local socket = require "socket"

local harness = { quick = os.getenv "BENCH_QUICK" == "1", folder = os.getenv "BENCH_FOLDER" }

local root = assert(io.popen "pwd"):read "l"
local build = os.getenv "BUILD_ROOT"

harness.tools = build .. "/bench"
harness.ca_file = harness.folder .. "/certificate.pem"

---The base URLs of the service: http, and over TLS with HTTP/1.1 or HTTP/2, near and 50 ms of round trip away.
local function url(scheme, variable)
  return ("%s://127.0.0.1:%s"):format(scheme, os.getenv(variable))
end
harness.http, harness.tls, harness.http2 =
  url("http", "BENCH_HTTP_PORT"), url("https", "BENCH_TLS_PORT"), url("https", "BENCH_HTTP2_PORT")
harness.far_tls, harness.far_http2 = url("https", "BENCH_FAR_TLS_PORT"), url("https", "BENCH_FAR_HTTP2_PORT")
harness.host = url("http", "BENCH_HOST_PORT")

---A command line: words, quoted for the shell.
local function quoted(words)
  local all = {}
  for i, word in ipairs(words) do
    all[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
  end
  return table.concat(all, " ")
end

---The words that run a file of bench/ in a Lua that finds this library.
function harness.lua(lua, file, ...)
  return { "env", ("LUA_PATH=%s/lua/?.lua;%s/lua/?/init.lua;%s/bench/?.lua;;"):format(root, root, root),
    ("LUA_CPATH=%s/%s/?.so;;"):format(build, lua), lua, root .. "/bench/" .. file, ... }
end

---The words that run a C program of bench/; its cjson is that of the Lua in its name.
function harness.program(name, ...)
  return { harness.tools .. "/" .. name, ... }
end

---Runs a command to its end; its output.
function harness.output(words)
  local pipe = assert(io.popen(quoted(words)))
  local text = pipe:read "a"
  if not pipe:close() then
    error("failed: " .. quoted(words), 0)
  end
  return text
end

-- Where the program is in a command: what env sets before it is outside of what is measured.
local function program_at(words)
  local at = 1
  while words[1] == "env" and (at == 1 or words[at]:find "^[%u_]+=") do
    at = at + 1
  end
  return at
end

---Runs a command under tools/measure. The figures that both print, by name.
function harness.measure(words)
  local all, command = {}, program_at(words)
  for i = 1, command - 1 do
    all[i] = words[i]
  end
  if harness.core then
    all[#all + 1], all[#all + 2], all[#all + 3] = "taskset", "-c", harness.core
  end
  all[#all + 1] = harness.tools .. "/measure"
  for i = command, #words do
    all[#all + 1] = words[i]
  end
  local figures = {}
  for name, value in harness.output(all):gmatch "([%w_]+) (%-?[%d.]+)\n" do
    figures[name] = tonumber(value)
  end
  return figures
end

---Runs subjects in turn, round after round, so that what else the machine does falls on all of them. The figures of
---each subject by name: { min, max, median, all }.
function harness.rounds(count, subjects)
  local results, names = {}, {}
  for name in pairs(subjects) do
    names[#names + 1] = name
  end
  table.sort(names)
  for round = 1, count do
    for _, name in ipairs(names) do
      local subject = subjects[name]
      local figures = type(subject) == "function" and subject(round) or harness.measure(subject)
      results[name] = results[name] or {}
      for figure, value in pairs(figures) do
        results[name][figure] = results[name][figure] or { all = {} }
        table.insert(results[name][figure].all, value)
      end
    end
  end
  for _, figures in pairs(results) do
    for _, figure in pairs(figures) do
      table.sort(figure.all)
      figure.min = figure.all[1]
      figure.max = figure.all[#figure.all]
      figure.median = harness.median(figure.all)
    end
  end
  return results
end

---Puts the service and all subjects on one core, until the function that it returns is called: where each has its own,
---what it costs to wake an idle core is measured, which differs from moment to moment.
function harness.share_core()
  local http = require "socket.http"
  local worker = http.request(harness.http .. "/worker"):match "%d+"
  local function pin(cores)
    harness.output { "taskset", "-pc", cores, worker }
  end
  local before = harness.output { "taskset", "-pc", worker }:match "(%S+)\n"
  pin(0)
  harness.core = 0
  return function()
    pin(before)
    harness.core = nil
  end
end

---Of a sorted array.
function harness.median(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[(n + 1) // 2] or (sorted[n // 2] + sorted[n // 2 + 1]) / 2
end

-- What callgrind counted: instructions in all, and by the file that they are in.
local function read_callgrind(path)
  local by_object, names, object, skip = {}, {}, nil, false
  local total
  for line in io.lines(path) do
    local id, name = line:match "^ob=(%b()) ?(.*)"
    if id then
      if name ~= "" then
        names[id] = name
      end
      object = names[id]
    elseif line:find "^cob=" then
      id, name = line:match "^cob=(%b()) ?(.*)"
      if name ~= "" then
        names[id] = name
      end
    elseif line:find "^calls=" then
      skip = true -- the next line is what the callee took
    elseif line:find "^[%d+*-]" then
      local cost = line:match "^%S+ (%d+)$"
      if cost and not skip then
        by_object[object] = (by_object[object] or 0) + tonumber(cost)
      end
      skip = false
    else
      total = total or tonumber(line:match "^summary: (%d+)" or line:match "^totals: (%d+)")
    end
  end
  return total, by_object
end

---Instructions of one call: the difference between so many calls and twice as many. `words(count)` gives the command.
---@return number total
---@return table by_object by the file that they are in
function harness.instructions(words, count)
  local path = harness.folder .. "/callgrind"
  local function run(calls)
    local all = words(calls)
    local at = program_at(all)
    for i, word in ipairs { "valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=" .. path } do
      table.insert(all, at + i - 1, word)
    end
    harness.output(all)
    return read_callgrind(path)
  end
  local once, once_by = run(count)
  local twice, twice_by = run(2 * count)
  local by_object = {}
  for object, cost in pairs(twice_by) do
    by_object[object:match "[^/]*$"] = (cost - (once_by[object] or 0)) / count
  end
  return (twice - once) / count, by_object
end

---Waits until something listens on a port of this machine.
function harness.await(base_url)
  local port = tonumber(base_url:match ":(%d+)$")
  for _ = 1, 100 do
    local connection = socket.connect("127.0.0.1", port)
    if connection then
      connection:close()
      return
    end
    socket.sleep(0.05)
  end
  error("nothing listens on port " .. port, 0)
end

harness.now = socket.gettime
harness.sleep = socket.sleep

---Tells on standard error what goes on.
function harness.say(...)
  io.stderr:write("bench: ", string.format(...), "\n")
end

return harness
