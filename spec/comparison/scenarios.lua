-- SPDX-License-Identifier: Apache-2.0
-- What the comparison looks at: each runs a subject at real services on this machine, and says in words what came of
-- it: how many keys there are then, what was sent, and whereto. The words are those of the table in docs/comparison.md.

local support = require "spec.support"

local PATIENCE = 60 -- seconds: the official SDKs pause up to 10 between attempts

local function count_of(number, noun)
  return ("%d %s%s"):format(number, noun, number == 1 and "" or "s")
end

-- How a call ended, for whoever made it.
local function ending(answer)
  if not answer.error then
    return "the call succeeds"
  elseif answer.outcome then
    return ("the call fails, `%s`, outcome `%s`"):format(answer.error, answer.outcome)
  end
  return ("the call fails, `%s`"):format(answer.error)
end

-- Loses the answers to so many creates, and says which keys there are then.
local function losing(times)
  return function(service, subject)
    assert(service:fault { type = "lost_answer", operation = "create", times = times })
    local answer = assert(subject:at(service, PATIENCE, "create", "compared"))
    local keys, unknown = support.keys_named(service, "compared"), 0
    for _, key in ipairs(keys) do
      assert(key.valid)
      unknown = unknown + (key.value ~= answer.secret and 1 or 0)
    end
    return ("%s, %d with a secret that nobody has; %s"):format(count_of(#keys, "key"), unknown, ending(answer))
  end
end

-- What a subject does with an id that climbs out of its place in the path.
local function climbing(verb, project_id, key_id)
  return function(service, subject)
    local answer = assert(subject:at(service, PATIENCE, verb, project_id, key_id))
    local requests = support.requests(service)
    if #requests == 0 then
      assert(answer.error == "raises", answer.message)
      return "refused, nothing is sent"
    end
    return ("`%s %s`; %s"):format(requests[1].method, requests[1].path, ending(answer))
  end
end

-- `service`: at which; without: at the first.
---@type { row: string, service?: string, run: fun(service: table, subject: table, elsewhere: table): string }[]
return {
  { row = "the answer to a `create` is lost", run = losing(1) },
  { row = "three are lost", run = losing(3) },
  { row = "a `create` is answered 201", run = function(service, subject)
    assert(service:set { create_status = 201 })
    local answer = assert(subject:at(service, PATIENCE, "create", "compared"))
    assert(support.requests(service, "POST")[1].status == 201)
    local keys = support.keys_named(service, "compared")
    return ("%s, %s; %s"):format(count_of(#keys, "key"), answer.secret == keys[1].value and "its secret at hand"
      or "its secret lost", ending(answer))
  end },
  { row = '`list` of project `"../organization"`', run = climbing("list_project", "../organization") },
  { row = '`delete` of a project\'s key `"../../../organization/api-keys/2"`',
    run = climbing("delete_project_key", "p", "../../../organization/api-keys/2") },
  { row = "a redirect to another host", run = function(service, subject, elsewhere)
    assert(service:fault { type = "redirect", operation = "list", location = elsewhere.base_url .. "/v1/organization" })
    local answer = assert(subject:at(service, PATIENCE, "list"))
    local there = support.requests(elsewhere)
    if #there == 0 then
      assert(answer.error)
      return "not followed"
    end
    return there[1].credential and "followed, with the key" or "followed, without the key"
  end },
  { row = "429 with `Retry-After: 1`, once", run = function(service, subject)
    assert(service:fault { type = "status", status = 429, headers = { ["Retry-After"] = "1" } })
    local answer = assert(subject:at(service, PATIENCE, "list"))
    local requests = support.requests(service)
    if #requests == 1 then
      return ending(answer)
    end
    assert(requests[2].at - requests[1].at >= 1)
    return "waits as told; " .. ending(answer)
  end },
  { row = "a certificate that is not trusted", service = "tls", run = function(service, subject)
    local answer = subject:at({ base_url = service.base_url, api_key = service.api_key }, 8, "list")
    assert(#support.requests(service) == 0)
    return answer and ending(answer) .. ", at once" or "tried again and again; not ended after 8 s"
  end },
  { row = "a key `confident_au_...`, no region set", run = function(_, subject)
    local australian = { base_url = false, api_key = "confident_au_org_0123456789ab" }
    local answer = assert(subject:at(australian, PATIENCE, "client"))
    return ("`%s`"):format(answer.base_url)
  end },
  { row = "a new key, printed", run = function(service, subject)
    local answer = assert(subject:at(service, PATIENCE, "create", "compared"))
    return answer.printed:find(answer.secret, 1, true) and "shows the secret" or "shows no secret"
  end },
  { row = "the client, printed", run = function(service, subject)
    local answer = assert(subject:at(service, PATIENCE, "client"))
    return answer.printed:find(service.api_key, 1, true) and "shows the secret" or "shows no secret"
  end },
  { row = "the keys of 20 projects, over TLS", service = "large", run = function(service, subject)
    local before = service:stats().connections_accepted
    local answer = assert(subject:at(service, PATIENCE, "audit"))
    assert(answer.count == 22, answer.message) -- one of each project, two of the organization
    local requests = #support.requests(service)
    return ("%s, %s"):format(count_of(requests, "request"),
      count_of(service:stats().connections_accepted - before, "connection"))
  end },
  { row = "rotation", run = function(service, subject)
    local answer = assert(subject:at(service, PATIENCE, "methods"))
    return answer.names[1] and ("`%s`"):format(table.concat(answer.names, "`, `")) or "not there"
  end },
}
