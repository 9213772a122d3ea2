-- SPDX-License-Identifier: Apache-2.0
-- lua-http with cjson, on one connection: HOST PORT BLOCKS CALLS

local cjson = require "cjson"
local cqueues = require "cqueues"
local http_client = require "http.client"
local http_headers = require "http.headers"
local run = require "subjects.blocks"

local host, port, blocks, calls = ...
local connection = assert(http_client.connect { host = host, port = tonumber(port), tls = false, version = 1.1 })

local headers = http_headers.new()
headers:append(":method", "GET")
headers:append(":scheme", "http")
headers:append(":authority", host .. ":" .. port)
headers:append(":path", "/v1/organization/api-keys")
headers:append("confident_api_key", "confident_us_org_0123456789abcdef")

run(cqueues.monotime, tonumber(blocks), tonumber(calls), function()
  local stream = assert(connection:new_stream())
  assert(stream:write_headers(headers, true))
  local answer = assert(stream:get_headers())
  assert(answer:get ":status" == "200")
  return cjson.decode(assert(stream:get_body_as_string()))
end)
