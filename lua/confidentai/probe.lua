-- SPDX-License-Identifier: Apache-2.0
-- Tries a secret: does the service accept it, and as what? It goes to the client's base URL and nowhere else. That is a
-- use of its key, which moves lastUsed: whoever wants to know that must have noted it before.

local operation = require "confidentai.operation"
local refusal = require "confidentai.refusal"

local probe = {}

---@class confidentai.Probe
---@field result "accepted"|"refused"|nil nil: it could not be found out
---@field scope? "organization"|"project" of an accepted secret, as far as the service shows it
---@field organization? table as of organization:get(), of an accepted organization key
---@field err? confidentai.Error why it could not be found out
---@field date? number the service's clock when it answered, in seconds since 1970
---@field seconds number how long it took, on the service's side of it too

local function ask(client, found, request)
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

---The cheapest call that a project's key may make (docs/platform.md).
---@param secret string whole
---@return confidentai.Request
function probe.project_request(secret)
  return { method = "GET", path = { "v1", "annotation-queues" }, shape = "anything",
    flags = { credential = secret, fresh = true, query = "page=1&pageSize=1" } }
end

---What the answer to that call says of the secret: 401, that it does not authenticate; 403, that it does, but is of
---another kind.
---@param result any nil: the call failed
---@param err? confidentai.Error
---@return "accepted"|"refused"|nil verdict nil: nothing
function probe.project_answer(result, err)
  if result or refusal.is(err, 403) then
    return "accepted"
  end
  return refusal.is(err, 401) and "refused" or nil
end

-- An organization key can ask for its organization; a project's is told 403. Whether that settled it.
local function as_organization(client, secret, found)
  local organization, err = ask(client, found,
    { method = "GET", path = { "v1", "organization" }, shape = "organization",
      flags = { credential = secret, fresh = true } })
  if organization then
    found.result, found.scope, found.organization = "accepted", "organization", organization
  elseif refusal.is(err, 401) then
    found.result = "refused"
  elseif refusal.is(err, 403) then
    found.result = "accepted"
  else
    found.err = err
  end
  return organization ~= nil or found.err ~= nil
end

local function as_project(client, secret, found)
  local ok, err = ask(client, found, probe.project_request(secret))
  local answer = probe.project_answer(ok, err)
  if ok then
    found.scope = "project"
  end
  if answer == "refused" then
    answer = found.result or answer -- as an organization key it was accepted, of no use there
  elseif not answer then
    found.err = err
  end
  found.result = answer
end

-- The words that tell the kind in a prefix such as confident_us_org_ or confident_proj_.
local KINDS = { org = "organization", proj = "project", global = "global" }

---The scope that a secret's prefix names. A global key works in every project, in calls that name one.
---@param secret string
---@return "organization"|"project"|"global"|nil
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
