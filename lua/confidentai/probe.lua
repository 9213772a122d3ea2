-- SPDX-License-Identifier: Apache-2.0
-- Tries a secret: does the service accept it, and as what? It goes to the client's base URL and nowhere else. That is a
-- use of its key, which moves lastUsed: whoever wants to know that must have noted it before.

local operation = require "confidentai.operation"

local probe = {}

---@class confidentai.Probe
---@field result "accepted"|"refused"|nil nil: it could not be found out
---@field scope? "organization"|"project" of an accepted secret, as far as the service shows it
---@field organization? table as of organization:get(), of an accepted organization key
---@field err? confidentai.Error why it could not be found out
---@field date? number the service's clock when it answered, in seconds since 1970
---@field seconds number how long it took, on the service's side of it too

local function ask(client, found, request)
  request.flags.fresh = true
  local result, err, call = operation.perform(client, request)
  local info = call and call:info()
  if info then
    found.date = info.date or found.date
    for _, attempt in ipairs(info.attempts) do
      found.seconds = found.seconds + attempt.seconds + (attempt.wait or 0)
    end
  end
  return result, err
end

-- Only the service's own words count: a proxy on the way says 401 and 403, too.
local function says(err, status)
  return err.status == status and err.envelope == true
end

-- An organization key can ask for its organization; a project's is told 403. Whether that settled it.
local function as_organization(client, secret, found)
  local organization, err = ask(client, found,
    { method = "GET", path = { "v1", "organization" }, shape = "organization", flags = { credential = secret } })
  if organization then
    found.result, found.scope, found.organization = "accepted", "organization", organization
  elseif says(err, 401) then
    found.result = "refused"
  elseif says(err, 403) then
    found.result = "accepted"
  else
    found.err = err
  end
  return organization ~= nil or found.err ~= nil
end

-- The cheapest call that a project key may make (platform page): 401 says that it does not authenticate; 403, that it
-- does, but is of another kind.
local function as_project(client, secret, found)
  local ok, err = ask(client, found, { method = "GET", path = { "v1", "annotation-queues" }, shape = "anything",
    flags = { credential = secret, query = "page=1&pageSize=1" } })
  if ok then
    found.result, found.scope = "accepted", "project"
  elseif says(err, 403) then
    found.result = "accepted"
  elseif says(err, 401) then
    found.result = found.result or "refused"
  else
    found.result, found.err = nil, err
  end
end

-- The words that tell the kind in a prefix such as confident_us_org_ or confident_proj_.
local KINDS = { org = "organization", proj = "project" }

---The scope that a secret's prefix names.
---@param secret string
---@return "organization"|"project"|nil
function probe.scope_of(secret)
  return KINDS[secret:match "^confident_(%l+)_" or ""] or KINDS[secret:match "^confident_%l+_(%l+)_" or ""]
end

---Tries a secret. As an organization key first, unless it is to be a project's: a secret that is accepted as one of
---neither kind counts as accepted, one is refused when the service knows it as neither.
---@param client confidentai.Client
---@param secret string whole
---@param scope? "organization"|"project" what it is thought to be
---@return confidentai.Probe
function probe.try(client, secret, scope)
  local found = { seconds = 0 }
  if scope ~= "project" and as_organization(client, secret, found) then
    return found
  elseif scope == "organization" and found.result == "refused" then
    return found
  end
  as_project(client, secret, found)
  return found
end

return probe
