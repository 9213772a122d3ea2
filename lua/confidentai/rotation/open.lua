-- SPDX-License-Identifier: Apache-2.0
-- Finds the rotations again that are not finished, or whose suspects are not settled, from their records.

local all_keys = require "confidentai.all_keys"
local calls = require "confidentai.rotation.calls"
local core = require "confidentai.core"
local escrow = require "confidentai.rotation.escrow"
local identity = require "confidentai.rotation.identity"
local job = require "confidentai.rotation.job"
local record = require "confidentai.rotation.record"
local refusal = require "confidentai.refusal"
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
  if not id and refusal.is(err, 401, 403) then
    return false, err
  end
  return id, err
end

-- Whether a record is of the client's organization: ids tell, as one service has many spellings. Where the service
-- refuses the client's key, the organization is not known, and only the rotation of that very key may be ours: its
-- secrets are tried, which no other address must see.
local function is_ours(content, client, organization)
  if organization then
    return content.organization == organization
  end
  return content.self and content.base_url == client.base_url
end

-- Why a rotation that is not finished is left out.
local function left_out(content, client, organization)
  if content.settled then
    return nil
  end
  local text = "the rotation %s of '%s' is of the organization %s at %s: it was left alone, as "
  text = text:format(content.id, content.base, content.organization, content.base_url)
    .. (organization and "this key is of the organization %s at %s" or "the service refuses this key%s (%s)")
  local _, err = record.failure(text:format(organization or "", client.base_url))
  err.rotation, err.next = content.id, "use an enabled organization key of that organization, and its --base-url"
  return err
end

-- All records: { key, content, version }, and what is wrong with others.
local function read_all(folder)
  local keys, problem = folder.list "records/"
  if not keys then
    return record.failure("the records cannot be listed: " .. tostring(problem))
  end
  local list, problems = {}, {}
  for _, key in ipairs(keys) do
    local content, version = record.read(folder, key)
    if content then
      list[#list + 1] = { key = key, content = content, version = version }
    elseif version then
      problems[#problems + 1] = version
    end
  end
  return list, problems
end

-- The organization, where only the rotation of the client's own key can tell: from publication on, the new key acts,
-- and all other rotations of that organization go on, too.
local function find_successor(client, checked, folder, list)
  for _, item in ipairs(list) do
    if is_ours(item.content, client, false) and item.content.published then
      local self = make(client, checked, folder, item.key, item.content, item.version)
      if identity.choose(self) then
        return item.content.organization
      end
    end
  end
  return false
end

-- The jobs of all records that are ours. What cannot be read or is not ours is told beside them.
local function collect(client, checked, folder, organization)
  local list, problems = read_all(folder)
  if not list then
    return nil, problems
  end
  organization = organization or find_successor(client, checked, folder, list)
  local found = {}
  for _, item in ipairs(list) do
    local self, err = nil, nil
    if is_ours(item.content, client, organization) then
      self = make(client, checked, folder, item.key, item.content, item.version)
      if not organization then
        local known
        known, err = identity.choose(self)
        self = known and self or nil
      end
    end
    found[#found + 1] = self
    problems[#problems + 1] = not self and (err or left_out(item.content, client, organization)) or nil
  end
  return found, problems
end

---The records as they are on the disk, without a request: jobs that cannot be advanced, for status.of.
---@param checked table options
---@return confidentai.Job[]? jobs
---@return confidentai.Error[]|confidentai.Error err_or_problems what is wrong with single records
---@return confidentai.State? folder
function open.read(checked)
  local folder, problem = state.find(checked.state_dir)
  if not folder then
    return record.failure(problem)
  end
  local list, problems = read_all(folder)
  for i, item in ipairs(list or {}) do
    list[i] = job.reader(folder, item.key, item.content, checked)
  end
  return list, problems, folder
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
    local first = problems[1]
    return nil, first and not first.rotation and first or refused -- one that cannot be read may know the key
  end
  return found, problems, organization, folder
end

return open
