-- SPDX-License-Identifier: Apache-2.0
-- A script with one call, from the start of its process to the end, beside a C program that does the same.

local harness = require "harness"

return function()
  local rounds = harness.quick and 3 or 60
  local path = "/v1/organization/api-keys"
  local unpin = harness.share_core()
  local r = harness.rounds(rounds, {
    ours = harness.lua("lua5.4", "subjects/start.lua", harness.http, ""),
    ours_jit = harness.lua("luajit", "subjects/start.lua", harness.http, ""),
    curl = harness.program("libcurl", harness.http .. path, "", 1, 1),
    ours_tls = harness.lua("lua5.4", "subjects/start.lua", harness.http2, harness.ca_file),
    curl_tls = harness.program("libcurl", harness.http2 .. path, harness.ca_file, 1, 1),
  })
  unpin()
  local function row(figure, ours, other, figure_name, divisor, unit, target)
    return { figure = figure, ours = ours[figure_name].median / divisor, other = other[figure_name].median / divisor,
      than = "C with libcurl", unit = unit, target = target }
  end
  return {
    rows = {
      row("start to end, Lua 5.4", r.ours, r.curl, "elapsed", 1, "ms", 1.4),
      row("start to end, LuaJIT", r.ours_jit, r.curl, "elapsed", 1, "ms", 1.4),
      row("start to end, Lua 5.4, TLS", r.ours_tls, r.curl_tls, "elapsed", 1, "ms", 1.4),
      row("peak memory, Lua 5.4", r.ours, r.curl, "peak", 1024, "MiB", 1.4),
      row("peak memory, LuaJIT", r.ours_jit, r.curl, "peak", 1024, "MiB", 1.4),
      row("peak memory, Lua 5.4, TLS", r.ours_tls, r.curl_tls, "peak", 1024, "MiB", 1.4),
    },
    notes = { ("medians of %d interleaved processes of each, service and client on one core"):format(rounds) },
  }
end
