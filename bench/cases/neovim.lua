-- SPDX-License-Identifier: Apache-2.0
-- How long Neovim stands still while calls run, seen by a timer of 5 ms.

local harness = require "harness"

local CALLS = 20

-- The system's authorities and the service's own, as a file and as a folder under their hashes, so that finding one
-- costs what it costs users.
local function authorities()
  local path, folder = harness.folder .. "/authorities.pem", harness.folder .. "/authorities"
  local file, own = assert(io.open(path, "w")), assert(io.open(harness.ca_file))
  local system = io.open "/etc/ssl/certs/ca-certificates.crt"
  file:write(own:read "a", system and system:read "a" or "")
  file:close()
  local hash = harness.output { "openssl", "x509", "-noout", "-hash", "-in", harness.ca_file }:match "%x+"
  harness.output { "mkdir", folder }
  harness.output { "sh", "-c", 'cp -L /etc/ssl/certs/*.[0-9] "$0" || true', folder } -- where there are any
  harness.output { "cp", harness.ca_file, ("%s/%s.0"):format(folder, hash) }
  return path, folder
end

return function()
  local rounds = harness.quick and 1 or 5
  local authority_file, authority_folder = authorities()
  local own = { -- these as libcurl's own
    "LD_PRELOAD=" .. harness.tools .. "/libown_authorities.so", "OWN_CA_FILE=" .. authority_file,
    "OWN_CA_FOLDER=" .. authority_folder,
  }
  -- Without ca_file, the authorities are libcurl's own.
  local function subject(how, base_url, ca_file)
    local words = harness.lua("luajit", "")
    return { words[1], words[2] .. ";;", words[3], "env",
      ("SUBJECT=%s %s %s %d"):format(how, base_url, ca_file or "-", CALLS), own[1], own[2], own[3],
      "nvim", "--headless", "-u", "NONE", "-n", "-i", "NONE", "-c", "luafile bench/subjects/neovim.lua", "-c", "qa!" }
  end
  local r = harness.rounds(rounds, {
    idle = subject("idle", harness.http, harness.ca_file),
    gather = subject("gather", harness.far_http2, harness.ca_file),
    system = subject("gather", harness.far_http2),
    long_file = subject("gather", harness.far_http2, authority_file),
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
      row("longest gap, HTTP/2, connecting, these in a ca_file", r.long_file, "first"),
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
