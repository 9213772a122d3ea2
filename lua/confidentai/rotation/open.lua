-- SPDX-License-Identifier: Apache-2.0
-- Finds the rotations again that are not finished, or whose suspects are not settled, from their records.

local all_keys = require "confidentai.all_keys"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local escrow = require "confidentai.rotation.escrow"
local identity = require "confidentai.rotation.identity"
local job = require "confidentai.rotation.job"
local record = require "confidentai.rotation.record"
local state = require "confidentai.state"
local stores = require "confidentai.rotation.stores"

local open = {}

-- A job of a record.
local function make(client, checked, folder, key, content, version)
  local self = job.new(client, all_keys.of(client, content), {
    stores = stores.of_record(content, checked.stores), old_secret = checked.old_secret, on_step = checked.on_step,
    clock = checked.clock, pause = checked.pause, random = checked.random,
  })
  self.state, self.key, self.record, self.version = folder, key, content, version
  self.escrow = escrow.open(folder, key, content.id)
  return self
end

-- The organization that the client is of; false: the service refuses its key, as it does after a rotation of that key.
local function organization_of(client, checked)
  local self = job.new(client, core.organization(client).api_keys, checked)
  local id, err = calls.organization(self)
  if not id and (err.status == 401 or err.status == 403) then
    return false, err
  end
  return id, err
end

local function is_ours(content, client, organization)
  if content.base_url ~= client.base_url then
    return false
  end
  return content.organization == organization or not organization and content.self
end

-- The jobs of all records that are ours. What cannot be read is told beside them.
local function collect(client, checked, folder, organization)
  local found, problems = {}, {}
  local keys, problem = folder.list("records/")
  if not keys then
    return record.failure("the records cannot be listed: " .. tostring(problem))
  end
  for _, key in ipairs(keys) do
    local content, version = record.read(folder, key)
    if content and is_ours(content, client, organization) then
      local self, err = make(client, checked, folder, key, content, version)
      local known = self and (organization or identity.choose(self))
      if known then
        found[#found + 1] = self
      elseif err then
        problems[#problems + 1] = err
      end
    elseif not content and version then
      problems[#problems + 1] = version
    end
  end
  return found, problems
end

---The jobs of the records for the client's base URL and organization, ended ones too.
---@param client confidentai.Client
---@param checked table options
---@return confidentai.Job[]? jobs
---@return confidentai.Error[]|confidentai.Error err_or_problems what is wrong with single records
---@return string|false|nil organization
---@return confidentai.State? folder
function open.all(client, checked)
  local folder, problem = state.find(checked.state_dir)
  if not folder then
    return record.failure(problem)
  end
  local organization, refused = organization_of(client, checked)
  if organization == nil then
    return nil, refused
  end
  local found, problems = collect(client, checked, folder, organization)
  if found and #found == 0 and not organization then
    return nil, problems[1] or refused -- a record that cannot be read may be the one that knows the key
  end
  return found, problems, organization, folder
end

return open
