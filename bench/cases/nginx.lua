-- SPDX-License-Identifier: Apache-2.0
-- What a worker of nginx has left for others while calls are in flight, and what its driver adds to a call.

local harness = require "harness"
local http = require "socket.http"

local CALLS, HANGING = 50, 2000 -- milliseconds
local PER_ORIGIN = 25 -- the engine sends at most 32 at once to one that speaks HTTP/1.1

local function ask(path, arguments)
  local words = {}
  for name, value in pairs(arguments or {}) do
    words[#words + 1] = name .. "=" .. value
  end
  local body, status = http.request(harness.host .. path .. "?" .. table.concat(words, "&"))
  assert(status == 200, status)
  return body
end

-- Begins calls that hang in the worker, and leaves them the time to be sent.
local function begin(count, driver)
  local left = count
  for _, base_url in ipairs { harness.http, (harness.http:gsub("127.0.0.1", "127.0.0.2", 1)) } do
    local here = math.min(left, PER_ORIGIN)
    if here > 0 then
      ask("/begin", { base_url = base_url, milliseconds = HANGING, count = here, driver = driver })
    end
    left = left - here
  end
  harness.sleep(0.2)
end

local UNITS = { us = 1, ms = 1e3, s = 1e6 }

local function microseconds(text, pattern)
  local value, unit = text:match(pattern .. "%s+([%d.]+)(%a+)")
  return tonumber(value) * UNITS[unit]
end

-- What an unrelated location gets: requests per second, microseconds.
local function load(seconds)
  local text = harness.output { "wrk", "-t1", "-c8", "-d" .. seconds .. "s", "--latency", harness.host .. "/unrelated" }
  return {
    rate = tonumber(text:match "Requests/sec:%s+([%d.]+)"), p50 = microseconds(text, "50%%"),
    p99 = microseconds(text, "99%%"), longest = microseconds(text, "Latency%s+%S+%s+%S+"),
  }
end

-- CPU that the worker uses in so many seconds, in percent of a core.
local function burnt(worker, seconds)
  local function spent()
    return tonumber(io.open("/proc/" .. worker .. "/schedstat"):read("l"):match "^%d+") / 1e9
  end
  local before, started = spent(), harness.now()
  harness.sleep(seconds)
  return { percent = (spent() - before) / (harness.now() - started) * 100 }
end

return function()
  local rounds, seconds, timed = 8, 1, 21
  if harness.quick then
    rounds, timed = 1, 3
  end
  harness.await(harness.host)
  local worker = ask("/worker"):match "%d+"
  local r = harness.rounds(rounds, {
    idle = function() return load(seconds) end,
    busy = function()
      begin(CALLS)
      local figures = load(seconds)
      harness.sleep(HANGING / 1e3 - seconds + 0.3) -- until they have ended
      return figures
    end,
  })
  local waiting = harness.rounds(harness.quick and 1 or 3, {
    idle = function() return burnt(worker, 1) end,
    busy = function()
      begin(CALLS)
      local figures = burnt(worker, 1.5)
      harness.sleep(HANGING / 1e3 - 1.5 + 0.3)
      return figures
    end,
  })
  local slow = "/slow/50/v1/organization/api-keys"
  local one = harness.rounds(harness.quick and 1 or 3, {
    ours = function()
      local text = ask("/time", { base_url = harness.http, milliseconds = 50, count = timed })
      return { added = tonumber(text:match "added ([%d.]+)") }
    end,
    curl = harness.program("libcurl", harness.http .. slow, "", timed, 1),
  })
  begin(1, "blocking")
  local blocked = load(seconds + 2)
  local busy, idle = r.busy, r.idle
  local function row(figure, ours, other, than, unit, target, at_least)
    return { figure = figure, ours = ours, other = other, than = than, unit = unit, target = target,
      at_least = at_least }
  end
  return {
    rows = {
      row("requests per second elsewhere in the worker", busy.rate.max, idle.rate.max, "idle", nil, 0.95, true),
      row("p50 elsewhere", busy.p50.min, idle.p50.min, "idle", "µs"),
      row("p99 elsewhere", busy.p99.min, idle.p99.min, "idle", "µs", 1.2),
      row("p99 elsewhere, median of rounds", busy.p99.median, idle.p99.median, "idle", "µs"),
      row("longest elsewhere", busy.longest.median / 1e3, blocked.longest / 1e3, "blocking", "ms"),
      { figure = "CPU while waiting, of a core", ours = waiting.busy.percent.median, unit = "%",
        than = ("%.2f %% idle"):format(waiting.idle.percent.median), target = 3, absolute = true },
      { figure = "added to a call of 50 ms", ours = one.ours.added.median - (one.curl.median.median / 1e3 - 50),
        unit = "ms", than = ("%.1f ms libcurl"):format(one.curl.median.median / 1e3), target = 2, absolute = true },
    },
    notes = {
      ("one worker, %d calls in flight whose answers take %d ms; wrk with 8 connections for %d s; the best of "
      .. "%d interleaved rounds, as wrk and the worker compete with all else for the cores; blocking: one call of the "
      .. "blocking driver, once; added: calls of 40 to 60 ms, over what a C program with libcurl takes more than 50")
        :format(CALLS, HANGING, seconds, rounds),
    },
  }
end
