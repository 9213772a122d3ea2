-- SPDX-License-Identifier: Apache-2.0
-- Runs cases for a time, each with random numbers of a seed of its own, by which it is repeated alone.
--   $CONFIDENTAI_FUZZ_SECONDS: 60   $CONFIDENTAI_FUZZ_RUNS: no limit   $CONFIDENTAI_SEED: another each time

local random = require "spec.fuzz.random"

local runner = {}

local function number(name)
  return tonumber(os.getenv("CONFIDENTAI_" .. name) or "")
end

-- Of the system, as the time alone would be the same for two that begin together.
local function new_seed()
  local bytes = assert(assert(io.open("/dev/urandom", "rb")):read(4))
  local a, b, c, d = bytes:byte(1, 4)
  return ((a % 64 * 256 + b) * 256 + c) * 256 + d
end

local function fail(program, name, seed, problem)
  io.stderr:write(("%s failed: %s\n"):format(name, problem.message))
  if problem.input then
    io.stderr:write(("input: %q\n"):format(problem.input))
  end
  io.stderr:write(("repeat: CONFIDENTAI_SEED=%d CONFIDENTAI_FUZZ_RUNS=1 %s\n"):format(seed, program))
  os.exit(1)
end

---Runs cases until the time is over. Ends the program with status 1 at the first that fails.
---@param names string[] of the cases
---@param run fun(name: string, random: table) raises, a table { input, message } too, when something is wrong
---@param after? fun(count: integer) called now and then
---@param program string the file
function runner.run(program, names, run, after)
  local seed, limit = number "SEED" or new_seed(), number "FUZZ_RUNS" or math.huge
  local ends = os.time() + (number "FUZZ_SECONDS" or 60)
  print(("seed %d"):format(seed))
  local count, counts = 0, {}
  while count < limit and (count % 16 ~= 0 or os.time() < ends) do
    local own = random.new(seed + count)
    local name = own:pick(names)
    count = count + 1
    counts[name] = (counts[name] or 0) + 1
    local ok, problem = xpcall(function()
      run(name, own)
      if after and count % 256 == 0 then
        after(count)
      end
    end, function(message)
      return type(message) == "table" and message or { message = debug.traceback(tostring(message), 2) }
    end)
    if not ok then
      fail(program, name, seed + count - 1, problem)
    end
  end
  for _, name in ipairs(names) do
    print(("%-16s %d"):format(name, counts[name] or 0))
  end
  print(("%d runs"):format(count))
end

---Raises when something does not hold.
---@param condition any
---@param input string? what was tried
---@param message string
---@param ... any for its format
function runner.require(condition, input, message, ...)
  if not condition then
    error({ input = input, message = message:format(...) }, 0)
  end
end

return runner
