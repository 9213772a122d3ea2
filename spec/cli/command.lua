-- SPDX-License-Identifier: Apache-2.0
-- Runs the command `confidentai` as a process, on the interpreter of the specs: with pipes, or at a terminal.

local cjson = require "cjson"
local process = require "spec.process"
local support = require "spec.sandbox.support"

local command = {}

-- What a person's or a machine's settings must not change.
local function variables_for(service, given)
  local variables = {
    CONFIDENT_ORG_API_KEY = service and service.api_key or false,
    CONFIDENT_BASE_URL = service and service.base_url or false,
    CURL_CA_BUNDLE = service and service.ca_file or false,
    CONFIDENT_REGION = false, CONFIDENT_PROFILE = false, NO_COLOR = false, COLUMNS = false, TERM = "xterm",
    STATE_DIRECTORY = false, XDG_STATE_HOME = false, XDG_CONFIG_HOME = "/nonexistent", HOME = "/nonexistent",
  }
  for name, value in pairs(given or {}) do
    variables[name] = value
  end
  return variables
end

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = support.quote(word)
  end
  return table.concat(list, " ")
end

---Starts the command.
---@param service? table a sandbox, whose key and URL it finds in its environment
---@param words string[]
---@param options? { variables: table, input: string|true, shell: string, columns: integer } shell: a shell's command
---line, in which $command stands for the words, such as "$command | head -1"; columns: at a terminal of that width, to
---which `input` is typed
function command.start(service, words, options)
  options = options or {}
  local variables = variables_for(service, options.variables)
  if not options.columns and not options.shell then
    local all = { "bin/confidentai" }
    for i, word in ipairs(words) do
      all[i + 1] = word
    end
    return process.start(process.interpreter(), all, variables, options.input)
  end
  local line = support.quote(process.interpreter()) .. " bin/confidentai " .. quoted(words)
  if options.shell then
    line = options.shell:gsub("%$command", function() return line end)
  end
  if not options.columns then
    return process.start("sh", { "-c", line }, variables, options.input)
  end
  -- A sanitizer that is preloaded is for the command, not for the tool that opens the terminal.
  local preloaded = os.getenv "LD_PRELOAD"
  if preloaded then
    variables.LD_PRELOAD = false
    line = "export LD_PRELOAD=" .. support.quote(preloaded) .. "; " .. line
  end
  line = ("stty cols %d -echo\n%s"):format(options.columns, line)
  return process.start("script", { "-qec", line, "/dev/null" }, variables, options.input or "")
end

---Runs the command to its end: { status, signal, output, errors }. At a terminal all is output, with line ends as files
---have them.
function command.run(service, words, options)
  local result = {}
  result.status, result.signal, result.output, result.errors = command.start(service, words, options):finish()
  if options and options.columns then
    result.output = result.output:gsub("\r\n", "\n")
  end
  return result
end

---A function that runs the command against a service, with { input, terminal, question, variables }: status, output,
---errors. Every secret that it shows is noticed, as the specs that use it ask for none.
function command.against(service)
  return function(words, options)
    options = options or {}
    local typed = options.terminal and options.input
    local child = command.start(service, words, { input = typed and true or options.input,
      variables = options.variables, columns = options.terminal and 120 or nil })
    if typed then
      child:wait_for(options.question or ":") -- what is typed before the echo is off is shown
      child:write(typed)
    end
    local result = {}
    result.status, result.signal, result.output, result.errors = child:finish()
    for _, key in ipairs(assert(service:state()).keys) do
      assert(not (result.output .. result.errors):find(key.value:sub(1, -7), 1, true), "a secret was shown")
    end
    return result.status, result.output, result.errors
  end
end

-- Debian's lua-cjson gives 7.0 for 7 on Lua 5.3 and 5.4.
local function integers(value)
  if type(value) == "table" then
    for name, member in pairs(value) do
      value[name] = integers(member)
    end
  elseif type(value) == "number" and value % 1 == 0 and math.tointeger then
    return math.tointeger(value)
  elseif value == cjson.null then
    return nil
  end
  return value
end

function command.json(text)
  return integers(cjson.decode(text))
end

---The records of JSON lines.
function command.lines(text)
  local records = {}
  for line in text:gmatch "[^\n]+" do
    records[#records + 1] = command.json(line)
  end
  return records
end

-- One record of CSV (RFC 4180) from position `at` on: its cells, and where the next begins.
local function csv_record(text, at)
  local cells = {}
  while true do
    local cell
    if text:sub(at, at) == '"' then
      local stop = at + 1
      while text:sub(stop, stop + 1) == '""' or text:sub(stop, stop) ~= '"' do
        stop = stop + (text:sub(stop, stop) == '"' and 2 or 1)
      end
      cell, at = text:sub(at + 1, stop - 1):gsub('""', '"'), stop + 1
    else
      cell, at = text:match("^([^,\r]*)()", at)
    end
    cells[#cells + 1] = cell
    if text:sub(at, at) ~= "," then
      assert(text:sub(at, at + 1) == "\r\n", "a line of CSV ends in CR LF")
      return cells, at + 2
    end
    at = at + 1
  end
end

---The records of CSV, by the names in its head.
function command.csv(text)
  local names, at = csv_record(text, 1)
  local records = {}
  while at <= #text do
    local cells, after = csv_record(text, at)
    local record = {}
    assert(#cells == #names)
    at = after
    for i, name in ipairs(names) do
      record[name] = cells[i]
    end
    records[#records + 1] = record
  end
  return records
end

return command
