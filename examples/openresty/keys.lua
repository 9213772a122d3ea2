-- SPDX-License-Identifier: Apache-2.0
-- GET /keys: the list of keys, secrets masked, as a timer found it last: no request waits for the service.
-- luacheck: globals ngx

local cjson = require "cjson"
local service = require "service"

local keys = {}

local EVERY = 30 -- seconds between two looks

local shared = ngx.shared.keys

-- What was there stays until there is something newer.
local function refresh(premature)
  if premature then
    return -- this worker ends
  end
  local found, err = service.api_keys:list()
  if not found then
    ngx.log(ngx.WARN, "the list of keys is not refreshed: ", tostring(err))
    return
  end
  local list = {}
  for i, key in ipairs(found) do
    list[i] = cjson.encode(key:to_table()) -- masked, unless { reveal = true }
  end
  shared:set("list", ('{"refreshed_at":%d,"keys":[%s]}'):format(ngx.time(), table.concat(list, ",")))
end

---In init_worker_by_lua: one worker looks, for all.
function keys.start()
  if ngx.worker.id() == 0 then
    assert(ngx.timer.at(0, refresh))
    assert(ngx.timer.every(EVERY, refresh))
  end
end

---The handler.
function keys.show()
  local list = shared:get "list"
  ngx.header["Content-Type"] = "application/json"
  if not list then
    ngx.status, ngx.header["Retry-After"] = 503, 1
    list = cjson.encode { error = "early", message = "the list has not been read yet" }
  end
  ngx.say(list)
end

return keys
