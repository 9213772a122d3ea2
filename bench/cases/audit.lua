-- SPDX-License-Identifier: Apache-2.0
-- An audit of the organization and 202 projects over TLS at 50 ms of round trip, by the library and by the command; and
-- its peak of memory with 10,000 keys.

local harness = require "harness"

local PROJECTS, ROUND_TRIP = 202, 50 -- milliseconds, of the proxies that bench/run starts

return function()
  local rounds = harness.quick and 1 or 5
  -- An audit of one of the organizations of nginx.conf, which has so many projects.
  local function library(base_url, projects, keys)
    return harness.lua("lua5.4", "subjects/audit.lua", ("%s/of-%d"):format(base_url, projects), harness.ca_file,
      projects + 1, keys)
  end
  local function command(base_url, projects)
    return harness.lua("lua5.4", "../bin/confidentai", "audit", "--max-age", "90d", "--unused", "30d", "--quiet",
      "--output", "json", "--base-url", ("%s/of-%d"):format(base_url, projects), "--ca-file", harness.ca_file)
  end
  local r = harness.rounds(rounds, {
    http2 = library(harness.far_http2, PROJECTS, 20 * (PROJECTS + 1)),
    http1 = library(harness.far_tls, PROJECTS, 20 * (PROJECTS + 1)),
    command = command(harness.far_http2, PROJECTS),
    many = library(harness.http2, 100, 10100),
    many_command = command(harness.http2, 100),
    one = library(harness.http2, 0, 10000),
    one_command = command(harness.http2, 0),
  })
  local bound = 5 * ROUND_TRIP
  local function wall(figure, ours, target)
    return { figure = figure, ours = ours, other = bound, than = "bound", unit = "ms", target = target,
      absolute = true }
  end
  local function peak(figure, ours, target)
    return { figure = figure, ours = ours.peak.median / 1024, unit = "MiB", target = target, absolute = true }
  end
  return {
    rows = {
      wall(PROJECTS .. " projects, HTTP/2", r.http2.wall.median, 600),
      wall(PROJECTS .. " projects, HTTP/1.1", r.http1.wall.median),
      wall(PROJECTS .. " projects, HTTP/2, the whole command", r.command.elapsed.median, 600),
      peak("peak memory, 10,100 keys in 101 places", r.many, 24),
      peak("peak memory, the same by the command, JSON", r.many_command, 24),
      peak("peak memory, 10,000 keys in one place", r.one, 24),
      peak("peak memory, the same by the command, JSON", r.one_command, 24),
    },
    notes = {
      ("medians of %d rounds, each in a new process with its connections; bound: %d round trips of %d ms (TCP, TLS "
      .. "1.3, the projects, and two for %d lists of which 64 are begun at once); most keys are findings, some two, "
      .. "which the report keeps"):format(rounds, bound / ROUND_TRIP, ROUND_TRIP, PROJECTS + 1),
    },
  }
end
