-- SPDX-License-Identifier: Apache-2.0
-- What runs in the nginx of host.conf. Arguments of a request: base_url, milliseconds, count, driver.
-- luacheck: globals ngx

local confidentai = require "confidentai"
local core = require "confidentai.core"

local host = {}

local function api_keys(arguments, milliseconds)
  local client = confidentai.check(confidentai.new {
    api_key = "confident_us_org_0123456789abcdef", driver = arguments.driver,
    base_url = ("%s/slow/%s"):format(arguments.base_url, milliseconds or arguments.milliseconds),
  })
  return client:organization().api_keys
end

function host.begin(arguments)
  for _ = 1, tonumber(arguments.count) do
    assert(ngx.timer.at(0, function() confidentai.check(api_keys(arguments):list()) end))
  end
  ngx.say "begun"
end

-- Calls of different lengths, as the driver looks at certain times only, which one length could happen to hit.
function host.time(arguments)
  confidentai.check(api_keys(arguments, 1):list()) -- makes the connection
  local count, added = tonumber(arguments.count), {}
  for i = 1, count do
    local milliseconds = tonumber(arguments.milliseconds) + i - (count + 1) / 2
    local keys = api_keys(arguments, math.floor(milliseconds))
    local started = core.now()
    confidentai.check(keys:list())
    added[i] = (core.now() - started) * 1e3 - math.floor(milliseconds)
  end
  table.sort(added)
  ngx.say(("added %.3f"):format(added[math.floor(count / 2) + 1]))
end

return host
