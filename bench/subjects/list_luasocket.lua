-- SPDX-License-Identifier: Apache-2.0
-- LuaSocket, or LuaSec for https, with cjson: a connection for each call, as they keep none.
--   BASE_URL CA_FILE BLOCKS CALLS

local cjson = require "cjson"
local ltn12 = require "ltn12"
local socket = require "socket"
local run = require "subjects.blocks"

local base_url, ca_file, blocks, calls = ...
local http = require(base_url:find "^https:" and "ssl.https" or "socket.http")

run(socket.gettime, tonumber(blocks), tonumber(calls), function()
  local parts = {}
  local request = {
    url = base_url .. "/v1/organization/api-keys", sink = ltn12.sink.table(parts),
    headers = { CONFIDENT_API_KEY = "confident_us_org_0123456789abcdef" },
  }
  if ca_file ~= "" then
    request.cafile, request.verify, request.protocol = ca_file, "peer", "any"
  end
  local _, status = http.request(request)
  assert(status == 200, status)
  return cjson.decode(table.concat(parts))
end)
