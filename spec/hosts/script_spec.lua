-- SPDX-License-Identifier: Apache-2.0
-- A plain script: the blocking driver.

local contract = require "spec.hosts.contract"
local inside = require "spec.hosts.inside"
local support = require "spec.support"

describe("in a plain script", function()
  contract(support.service(), inside.run)
end)
