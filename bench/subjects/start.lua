-- SPDX-License-Identifier: Apache-2.0
-- A script with one call: BASE_URL CA_FILE

local confidentai = require "confidentai"

local base_url, ca_file = ...
local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url, ca_file = ca_file ~= "" and ca_file or nil,
})
assert(#confidentai.check(client:organization().api_keys:list()) == 20)
