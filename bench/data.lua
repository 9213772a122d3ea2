-- SPDX-License-Identifier: Apache-2.0
-- Writes the answers that the bench asks for into a folder: data.lua FOLDER

local function write(path, count)
  local keys = {}
  for id = 1, count do
    keys[id] = ([[{"id":%d,"name":"ci-pipeline-%d","valid":%s,"value":"***************%06x",]]
      .. [["created_at":"2026-%02d-%02dT08:%02d:11.%03dZ","lastUsed":%s}]]):format(
      id, id, id % 5 ~= 0, id * 7919 % 0x1000000, id % 12 + 1, id % 28 + 1, id % 60, id % 1000,
      id % 3 == 0 and "null" or ('"2026-11-%02dT17:%02d:58.%03dZ"'):format(id % 28 + 1, id % 60, id % 1000))
  end
  local file = assert(io.open(path, "w"))
  file:write('{"success":true,"data":{"apiKeys":[', table.concat(keys, ","),
    ']},"deprecated":false,"link":"https://app.confident-ai.com/organization/api-keys"}')
  file:close()
end

write(arg[1] .. "/keys-20.json", 20)
write(arg[1] .. "/keys-10000.json", 10000)
