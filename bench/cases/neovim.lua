-- SPDX-License-Identifier: Apache-2.0
-- How long Neovim stands still while calls run, seen by a timer of 5 ms.

local harness = require "harness"

local CALLS = 20

-- A file of authorities as long as a system's own, so that reading it costs what it costs users.
local function authorities()
  local path = harness.folder .. "/authorities.pem"
  local file, own = assert(io.open(path, "w")), assert(io.open(harness.ca_file))
  local system = io.open "/etc/ssl/certs/ca-certificates.crt"
  file:write(own:read "a", system and system:read "a" or "")
  file:close()
  return path
end

return function()
  local rounds = harness.quick and 1 or 5
  local function subject(how, base_url, ca_file)
    local words = harness.lua("luajit", "")
    return { words[1], words[2] .. ";;", words[3], "env",
      ("SUBJECT=%s %s %s %d"):format(how, base_url, ca_file, CALLS),
      "nvim", "--headless", "-u", "NONE", "-n", "-i", "NONE", "-c", "luafile bench/subjects/neovim.lua", "-c", "qa!" }
  end
  local r = harness.rounds(rounds, {
    idle = subject("idle", harness.http, harness.ca_file),
    gather = subject("gather", harness.far_http2, harness.ca_file),
    system = subject("gather", harness.far_http2, authorities()),
    http1 = subject("gather", harness.far_tls, harness.ca_file),
  })
  local blocking = harness.measure(subject("blocking", harness.far_http2, harness.ca_file))
  local function row(figure, result, which, target)
    return { figure = figure, ours = result[which].median, other = blocking[which], than = "blocking", unit = "ms",
      target = target, absolute = true }
  end
  return {
    rows = {
      row("longest gap, HTTP/2", r.gather, "second", 10),
      row("longest gap, HTTP/2, connecting", r.gather, "first", 10),
      row("longest gap, HTTP/2, connecting, the system's authorities", r.system, "first", 10),
      row("longest gap, HTTP/1.1", r.http1, "second", 10),
      row("longest gap, HTTP/1.1, connecting", r.http1, "first", 10),
      { figure = "longest gap, nothing runs", ours = r.idle.second.median, unit = "ms" },
    },
    notes = {
      ("%d calls, gathered, over TLS at 50 ms of round trip; medians of %d rounds, blocking once"):format(
        CALLS, rounds),
    },
  }
end
