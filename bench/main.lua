-- SPDX-License-Identifier: Apache-2.0
-- Runs cases and prints their table: main.lua [NAME...]. bench/run has started what they need.
--
-- A case is a function that returns { rows, notes }. A row is { figure, ours, other, than, unit, target, absolute,
-- at_least }: `target` is the most, or with `at_least` the least, for ours / other, or with `absolute` for ours.

local harness = require "harness"

local ALL = { "list", "decode", "gather", "audit", "nginx", "neovim", "start", "command" }

local function first_line(command)
  return (assert(io.popen(command .. " 2>&1")):read "l" or "?"):gsub("^%s+", "")
end

local function print_machine()
  local release = io.open "/etc/os-release"
  local os_name = release and release:read("a"):match 'PRETTY_NAME="(.-)"' or "?"
  local load = io.open("/proc/loadavg"):read "l"
  print(("Machine: %s, %s cores, %s, %s; load when it began: %s"):format(
    io.open("/proc/cpuinfo"):read("a"):match "model name%s*:%s*(.-)\n" or "?",
    first_line "nproc", os_name, first_line "uname -sr", load:match "^%S+"))
  print(("Versions: %s; %s; %s; libcurl %s; %s; %s; commit %s"):format(
    first_line("lua5.4 -v"):match "Lua %S+", first_line("luajit -v"):match "LuaJIT %S+",
    first_line("nginx -v"):match "nginx/%S+", first_line "pkg-config --modversion libcurl",
    first_line "openssl version", first_line "nvim --version",
    first_line "git rev-parse --short HEAD 2>/dev/null"))
  print(harness.quick and "\nQuick: the figures mean nothing.\n" or "")
end

local function shown(value, unit)
  if value == nil then
    return ""
  end
  local digits = math.abs(value) >= 100 and "%.0f" or math.abs(value) >= 10 and "%.1f" or "%.2f"
  return (digits .. " %s"):format(value, unit or ""):gsub(" $", "")
end

local function print_row(case, row)
  local ratio = row.other and row.ours / row.other
  local held = row.absolute and row.ours or ratio
  local target, met = "", ""
  if row.target then
    target = (row.at_least and "≥ " or "≤ ") .. (row.absolute and shown(row.target, row.unit) or row.target)
    if row.at_least then
      met = held >= row.target and "yes" or "**no**"
    else
      met = held <= row.target and "yes" or "**no**"
    end
  end
  print(("| %s | %s | %s | %s | %s | %s | %s |"):format(case, row.figure, shown(row.ours, row.unit),
    row.other and shown(row.other, row.unit) .. " " .. row.than or row.than or "",
    ratio and ("%.2f"):format(ratio) or "", target, met))
end

local names = #arg > 0 and arg or ALL
print_machine()
print "| case | figure | this library | compared with | ratio | target | met |"
print "| --- | --- | --- | --- | --- | --- | --- |"
local notes = {}
for _, name in ipairs(names) do
  local started = harness.now()
  local result = require("cases." .. name)()
  for _, row in ipairs(result.rows) do
    print_row(name, row)
  end
  io.stdout:flush()
  for _, note in ipairs(result.notes or {}) do
    notes[#notes + 1] = name .. ": " .. note
  end
  harness.say("%s took %.0f s", name, harness.now() - started)
end
print ""
for _, note in ipairs(notes) do
  print("- " .. note)
end
