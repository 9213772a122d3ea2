-- SPDX-License-Identifier: Apache-2.0
-- This library: BASE_URL CA_FILE BLOCKS CALLS

local confidentai = require "confidentai"
local core = require "confidentai.core"
local run = require "subjects.blocks"

local base_url, ca_file, blocks, calls = ...
local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url, ca_file = ca_file ~= "" and ca_file or nil,
})
local api_keys = client:organization().api_keys

run(core.now, tonumber(blocks), tonumber(calls), function() confidentai.check(api_keys:list()) end)
