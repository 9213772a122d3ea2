-- SPDX-License-Identifier: Apache-2.0
-- An audit, in a process with nothing else: BASE_URL CA_FILE SCOPES KEYS
-- Prints milliseconds from the first call to the report, connections included.

local confidentai = require "confidentai"
local core = require "confidentai.core"

local base_url, ca_file, scopes, keys = ...
local client = confidentai.check(confidentai.new {
  api_key = "confident_us_org_0123456789abcdef", base_url = base_url, ca_file = ca_file,
})
local started = core.now()
local report = confidentai.check(client:audit { max_age_days = 90, unused_days = 30 })
assert(report.totals.scopes == tonumber(scopes) and report.totals.keys == tonumber(keys))
assert(#report.unreadable == 0)
print(("wall %.3f"):format((core.now() - started) * 1e3))
