-- SPDX-License-Identifier: Apache-2.0
-- The keys of 200 projects, listed over TLS at 50 ms of round trip, against the round trips that it takes at least.

local harness = require "harness"

local ROUND_TRIP = 50 -- milliseconds, of the proxies that bench/run starts
local CONNECTIONS = 32 -- to one origin over HTTP/1.1

return function()
  local rounds, projects = 5, 200
  if harness.quick then
    rounds, projects = 1, 40
  end
  local function subject(base_url, count, concurrency)
    return harness.lua("lua5.4", "subjects/gather.lua", base_url, harness.ca_file, count, concurrency)
  end
  local r = harness.rounds(rounds, {
    http1 = subject(harness.far_tls, projects, projects),
    http2 = subject(harness.far_http2, projects, projects),
    default = subject(harness.far_http2, projects, 16),
  })
  local sequential = harness.measure(subject(harness.far_http2, projects, 0)).wall
  local set_up = 2 -- round trips: of TCP, and of TLS 1.3
  local bound1 = (set_up + math.ceil(projects / CONNECTIONS)) * ROUND_TRIP
  local bound2 = (set_up + 2) * ROUND_TRIP
  local function row(figure, ours, other, than, target)
    return { figure = figure, ours = ours, other = other, than = than, unit = "ms", target = target }
  end
  return {
    rows = {
      row(projects .. " projects, HTTP/2, gather", r.http2.wall.median, bound2, "bound", 1.5),
      row(projects .. " projects, HTTP/1.1, gather", r.http1.wall.median, bound1, "bound", 1.3),
      row(projects .. " projects, HTTP/2, gather, 16 at once", r.default.wall.median, bound2, "bound"),
      row(projects .. " projects, HTTP/2, gather", r.http2.wall.median, sequential, "one after the other"),
    },
    notes = {
      ("medians of %d interleaved rounds, one after the other once; each in a new process, with its connections; the "
      .. "wire is tools/delay_proxy. Bounds, in round trips of %d ms: HTTP/2 4 (TCP, TLS 1.3, the first answers, which "
      .. "tell that it is HTTP/2 and how many streams there may be, and the rest); HTTP/1.1 %d (TCP, TLS 1.3, and %d "
      .. "answers on each of %d connections)"):format(rounds, ROUND_TRIP, bound1 / ROUND_TRIP,
        math.ceil(projects / CONNECTIONS), CONNECTIONS),
    },
  }
end
