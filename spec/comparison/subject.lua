-- SPDX-License-Identifier: Apache-2.0
-- What the comparison runs, by this library: subject.lua VERB [ARG...], the service by $CONFIDENT_BASE_URL,
-- $CONFIDENT_ORG_API_KEY and $CA_FILE. Prints what happened as one line of JSON, as its siblings do.

local cjson = require "cjson"
local confidentai = require "confidentai"

local client = confidentai.check(confidentai.new { ca_file = os.getenv "CA_FILE" })

local function ids_of(keys)
  local ids = {}
  for i, key in ipairs(keys or {}) do
    ids[i] = key.id
  end
  return ids
end

local verbs = {}

function verbs.create(name)
  local key, err = client:organization().api_keys:create(name)
  return { secret = key and key.value, printed = key and tostring(key) }, err
end

function verbs.list()
  local keys, err = client:organization().api_keys:list()
  return { ids = ids_of(keys) }, err
end

function verbs.list_project(project_id)
  local keys, err = client:project(project_id).api_keys:list()
  return { ids = ids_of(keys) }, err
end

function verbs.delete_project_key(project_id, id)
  local _, err = client:project(project_id).api_keys:delete(id)
  return {}, err
end

function verbs.client()
  return { base_url = client.base_url, printed = tostring(client) }
end

-- Every key of every project, as one would write it with this library.
function verbs.audit()
  local report, err = client:audit()
  return { count = report and report.totals.keys }, err
end

function verbs.methods()
  local names = {}
  for _, name in ipairs { "rotate", "provision", "ensure" } do
    names[#names + 1] = client:organization().api_keys[name] and name
  end
  return { names = names }
end

local ran, answer, err = pcall(verbs[arg[1]], arg[2], arg[3])
if not ran then
  answer = { error = "raises", message = answer }
elseif err then
  answer = { error = err.kind, outcome = err.outcome, message = err.message }
end
print(cjson.encode(answer))
