-- SPDX-License-Identifier: Apache-2.0
-- Provisioning: a new key, created exactly once, proven and in its stores; or none. It is a rotation without an old
-- key, and goes back by itself when it cannot be finished.

local begin = require "confidentai.rotation.begin"
local calls = require "confidentai.rotation.calls"

local provision = {}

---Provisions, or ends what an interrupted provisioning of this name has begun.
---@param api_keys confidentai.ApiKeys
---@param checked table options, `base` among them
---@return confidentai.ApiKey? key without its secret, which is in the stores
---@return confidentai.Error? err
function provision.run(api_keys, checked)
  local self, err = begin.run(api_keys, "provision", checked)
  if not self then
    return nil, err
  end
  if self.provisioned then
    return self.provisioned
  end
  local key
  key, err = calls.get(self, self.record.new.id)
  if key == false then
    return self:failure("guard", "the new key was deleted meanwhile")
  elseif not key then
    err.state = self.record.state -- "done": it is there, and could not be shown
    return nil, err
  end
  return key
end

return provision
