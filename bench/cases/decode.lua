-- SPDX-License-Identifier: Apache-2.0
-- A list of 10,000 keys: decoding, checking and making the objects, beside cjson.decode of the same text.

local harness = require "harness"

return function()
  local rounds, count = 7, 8
  if harness.quick then
    rounds, count = 1, 2
  end
  local path = harness.folder .. "/keys-10000.json"
  local rows, subjects = {}, {}
  for _, lua in ipairs { "lua5.4", "luajit" } do
    for _, what in ipairs { "result", "list", "cjson" } do
      subjects[lua .. what] = harness.lua(lua, "subjects/decode.lua", what, harness.http .. "/many", path, count)
    end
    subjects[lua .. "curl"] = harness.program("libcurl_cjson_" .. lua,
      harness.http .. "/many/v1/organization/api-keys", "", count, 1)
  end
  local r = harness.rounds(rounds, subjects)
  for _, lua in ipairs { "lua5.4", "luajit" } do
    local result, list, cjson, curl = r[lua .. "result"], r[lua .. "list"], r[lua .. "cjson"], r[lua .. "curl"]
    rows[#rows + 1] = { figure = "decode and objects, " .. lua, ours = result.best.min, other = cjson.best.min,
      than = "cjson.decode", unit = "ms", target = 1.6 }
    rows[#rows + 1] = { figure = "whole call, " .. lua, ours = list.best.min, other = curl.wall.min / 1e3,
      than = "libcurl + cjson", unit = "ms" }
    rows[#rows + 1] = { figure = "growth of peak memory, whole call, " .. lua, ours = list.growth.median / 1024,
      other = cjson.growth.median / 1024, than = "cjson.decode", unit = "MiB", target = 1.5 }
  end
  return { rows = rows, notes = {
    ("minima of %d interleaved rounds of %d calls, after a full collection each; growth: peak of the process's memory "
    .. "in the first call over what it held before, median; of cjson.decode with the text read from a file"):format(
      rounds, count),
  } }
end
