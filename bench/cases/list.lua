-- SPDX-License-Identifier: Apache-2.0
-- One list call of 20 keys on a kept connection, beside what else could make it.

local harness = require "harness"

local PATH = "/v1/organization/api-keys"

-- What a call's instructions are spent in, in thousands.
local function parts(by_object)
  local named, rest = {}, 0
  for object, cost in pairs(by_object) do
    if cost >= 1000 then
      named[#named + 1] = { object, cost }
    else
      rest = rest + cost
    end
  end
  table.sort(named, function(a, b) return a[2] > b[2] end)
  for i, part in ipairs(named) do
    named[i] = ("%s %.1f"):format(part[1]:gsub("%.so.*", ""), part[2] / 1000)
  end
  return table.concat(named, ", ") .. (", rest %.1f"):format(rest / 1000)
end

local function subjects(blocks, calls)
  local host, port = harness.http:match "//(.*):(%d+)"
  return {
    ours = harness.lua("lua5.4", "subjects/list.lua", harness.http, "", blocks, calls),
    ours_jit = harness.lua("luajit", "subjects/list.lua", harness.http, "", blocks, calls),
    curl = harness.program("libcurl", harness.http .. PATH, "", blocks, calls),
    cjson = harness.program("libcurl_cjson_lua5.4", harness.http .. PATH, "", blocks, calls),
    cjson_jit = harness.program("libcurl_cjson_luajit", harness.http .. PATH, "", blocks, calls),
    luasocket = harness.lua("lua5.4", "subjects/list_luasocket.lua", harness.http, "", blocks, calls),
    lua_http = harness.lua("luajit", "subjects/list_lua_http.lua", host, port, blocks, calls),
  }
end

return function()
  local rounds, blocks, calls = 7, 10, 100
  if harness.quick then
    rounds, blocks, calls = 1, 2, 20
  end
  local unpin = harness.share_core()
  local r = harness.rounds(rounds, subjects(blocks, calls))
  unpin()
  local few = math.max(2, calls // 25) -- as LuaSec waits for delayed acknowledgements, 40 ms each
  local secure = harness.rounds(rounds, {
    ours = harness.lua("lua5.4", "subjects/list.lua", harness.tls, harness.ca_file, blocks, few),
    luasec = harness.lua("lua5.4", "subjects/list_luasocket.lua", harness.tls, harness.ca_file, blocks, few),
  })
  local rows, notes = {}, {
    ("minima of %d interleaved rounds of %d blocks of %d calls, service and client on one core (but TLS); "
    .. "CPU is user and system; instructions are those of user space by callgrind, of N and 2 N calls"):format(
      rounds, blocks, calls),
    "libcurl + cjson: one C program, one easy handle, cjson.decode in the same Lua embedded; LuaSocket and LuaSec make "
    .. "a connection for each call, lua-http keeps one",
  }
  local function row(figure, ours, other, than, unit, target)
    rows[#rows + 1] = { figure = figure, ours = ours, other = other, than = than, unit = unit, target = target }
  end
  row("wall, Lua 5.4", r.ours.wall.min, r.cjson.wall.min, "libcurl + cjson", "µs", 1.35)
  row("wall, LuaJIT", r.ours_jit.wall.min, r.cjson_jit.wall.min, "libcurl + cjson", "µs", 1.35)
  row("wall, median", r.ours.median.median, r.cjson.median.median, "libcurl + cjson", "µs")
  row("wall", r.ours.wall.min, r.curl.wall.min, "libcurl alone", "µs")
  row("wall", r.ours.wall.min, r.luasocket.wall.min, "LuaSocket", "µs")
  row("wall, LuaJIT", r.ours_jit.wall.min, r.lua_http.wall.min, "lua-http", "µs")
  row("wall, TLS", secure.ours.wall.min, secure.luasec.wall.min, "LuaSec", "µs")
  row("CPU, Lua 5.4", r.ours.cpu.min, r.cjson.cpu.min, "libcurl + cjson", "µs")
  row("CPU, LuaJIT", r.ours_jit.cpu.min, r.cjson_jit.cpu.min, "libcurl + cjson", "µs")
  row("user CPU, whole process, Lua 5.4", r.ours.user.min / blocks / calls * 1e3,
    r.cjson.user.min / blocks / calls * 1e3, "libcurl + cjson", "µs")
  if not harness.quick then
    local function count(which)
      local total, by_object = harness.instructions(function(n) return subjects(1, n)[which] end, 200)
      return total / 1000, by_object
    end
    local cjson, cjson_by = count "cjson"
    local ours, ours_by = count "ours"
    row("instructions, thousands, Lua 5.4", ours, cjson, "libcurl + cjson")
    row("instructions, thousands, LuaJIT", (count "ours_jit"), (count "cjson_jit"), "libcurl + cjson")
    notes[#notes + 1] = "thousands of instructions per call by object: " .. parts(ours_by) .. "; of libcurl + cjson: "
      .. parts(cjson_by)
  end
  return { rows = rows, notes = notes }
end
