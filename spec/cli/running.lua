-- SPDX-License-Identifier: Apache-2.0
-- Runs the command as a process of its own, on the interpreter of the specs: through pipes, or at a terminal.

local process = require "spec.process"
local uv = require "luv"

local running = {}

-- The interpreter that runs the specs: the outermost negative index of its arguments.
local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do
    lowest = lowest - 1
  end
  return arg[lowest]
end

local function quoted(words)
  local all = {}
  for i, word in ipairs(words) do
    all[i] = "'" .. word:gsub("'", "'\\''") .. "'"
  end
  return table.concat(all, " ")
end

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

-- The words that run it.
local function words(arguments)
  local all = { interpreter(), "bin/confidentai" }
  for _, argument in ipairs(arguments) do
    all[#all + 1] = argument
  end
  return all
end

---Starts the command. `options`: input (text of standard input, else empty), terminal (standard streams are one; what
---is typed is `input`, and output and errors come together), variables (of the environment).
function running.start(arguments, options)
  options = options or {}
  local input = temporary(options.input or "")
  local line = quoted(words(arguments))
  if options.terminal then
    -- Who types waits for the question: what comes before the echo is off would be shown.
    line = ("(sleep 0.4; cat %s; sleep 0.4) | script -qefc %s /dev/null"):format(input, quoted { line })
  else
    line = line .. " <" .. input
  end
  local variables = { XDG_CONFIG_HOME = "/nonexistent", TERM = "xterm" }
  for name, value in pairs(options.variables or {}) do
    variables[name] = value
  end
  local child = process.start("sh", { "-c", (options.terminal and "" or "exec ") .. line }, variables)
  child.input_path = input
  return child
end

---Runs the command to its end: status, output, errors.
function running.run(arguments, options)
  local child = running.start(arguments, options)
  local status = child:wait(30000)
  for _ = 1, 5 do
    uv.run("nowait")
    uv.sleep(1)
  end
  os.remove(child.input_path)
  return status, child.output, child.errors
end

---A function that runs the command against a service, and takes notice of every secret that it shows: the specs say
---that none was asked for.
function running.against(service)
  return function(arguments, options)
    options = options or {}
    local variables = { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url }
    for name, value in pairs(options.variables or {}) do
      variables[name] = value
    end
    local status, output, errors = running.run(arguments,
      { input = options.input, terminal = options.terminal, variables = variables })
    for _, key in ipairs(assert(service:state()).keys) do
      assert(not (output .. errors):find(key.value:sub(1, -7), 1, true), "a secret was shown")
    end
    return status, output, errors
  end
end

return running
