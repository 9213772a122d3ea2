-- SPDX-License-Identifier: Apache-2.0
-- Writes the answers that the bench asks for into a folder: data.lua FOLDER

local function write_envelope(path, data)
  local file = assert(io.open(path, "w"))
  file:write('{"success":true,"data":', data,
    ',"deprecated":false,"link":"https://app.confident-ai.com/organization/api-keys"}')
  file:close()
end

local function write_projects(path, count)
  local projects = {}
  for i = 1, count do
    projects[i] = ([[{"id":"clq9z3x1k0001la08f7t3g%d","name":"project %d","description":"one of many",]]
      .. [["organizationId":"org_1","created_at":"2026-01-01T00:00:00.000Z"}]]):format(i, i)
  end
  write_envelope(path, '{"projects":[' .. table.concat(projects, ",") .. "]}")
end

local function write_keys(path, count)
  local keys = {}
  for id = 1, count do
    keys[id] = ([[{"id":%d,"name":"ci-pipeline-%d","valid":%s,"value":"***************%06x",]]
      .. [["created_at":"2026-%02d-%02dT08:%02d:11.%03dZ","lastUsed":%s}]]):format(
      id, id, id % 5 ~= 0, id * 7919 % 0x1000000, id % 12 + 1, id % 28 + 1, id % 60, id % 1000,
      id % 3 == 0 and "null" or ('"2026-11-%02dT17:%02d:58.%03dZ"'):format(id % 28 + 1, id % 60, id % 1000))
  end
  write_envelope(path, '{"apiKeys":[' .. table.concat(keys, ",") .. "]}")
end

for _, count in ipairs { 20, 100, 10000 } do
  write_keys(("%s/keys-%d.json"):format(arg[1], count), count)
end
for _, count in ipairs { 0, 100, 202 } do
  write_projects(("%s/projects-%d.json"):format(arg[1], count), count)
end
write_envelope(arg[1] .. "/organization.json",
  '{"organization":{"id":"org_1","name":"Many","plan":"free","created_at":"2026-01-01T00:00:00.000Z"}}')
