-- SPDX-License-Identifier: Apache-2.0
-- Whose key is this secret? The service tells the last 6 characters of each key, so all keys of all scopes are looked
-- at. Who wants to be certain has the secret tried. That is a use, so the key's last use is noted before.

local core = require "confidentai.core"
local all_keys = require "confidentai.all_keys"
local argument = require "confidentai.argument"
local base_url = require "confidentai.base_url"
local probe = require "confidentai.probe"
local refusal = require "confidentai.refusal"
local timestamp = require "confidentai.timestamp"
local verdict = require "confidentai.verdict"

local identify = {}

-- Characters that the service shows of a key, and the length from which a secret has so many to show (masks).
local SHOWN, SHORTEST = 6, 18

local OPTIONS = { probe = "boolean", concurrency = "count", on_progress = "function", clock = "function" }

---@class confidentai.IdentifyOptions
---@field probe? boolean try the secret; default: false
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time

---@class confidentai.Match
---@field scope "organization"|"project"
---@field project_id? string
---@field project_name? string
---@field key confidentai.ApiKey as it was listed
---@field last_used? string as it was before the secret was tried
---@field last_used_after? string as it was after that; "unknown": the key could not be looked at
---@field certainty "last6"|"ambiguous"|"proven"|"refused"|"excluded"
---@field evidence? "last_used" what proves it
---@field pending? boolean it is the end of the secret that will replace the key's, in a rotation by the service
---@field own? boolean it ends as the client's own credential does

---An array of matches, with more fields.
---@class confidentai.Identification: { [integer]: confidentai.Match }
---@field secret string masked
---@field base_url string where it was looked for
---@field at string when it was begun
---@field verdict "proven"|"last6"|"ambiguous"|"dead"|"foreign"|"global"|"unlisted"|"absent"|"unclear"
---@field message string for people
---@field probe? "accepted"|"refused"|"failed"|"skipped" nil: it was not to be tried
---@field probe_error? confidentai.Error
---@field organization? confidentai.OrganizationRecord the secret's, where it is an organization key that works
---@field scopes integer how many were looked through
---What could not be read, or not as a whole.
---@field unreadable { scope: string, project_id: string?, project_name: string?, err: confidentai.Error }[]
---@field steps { at: string, what: string }[]

---The mask of a secret, as the service writes it.
---@param secret string
---@return string
function identify.mask(secret)
  return ("*"):rep(15) .. (#secret >= SHORTEST and secret:sub(-SHOWN) or "")
end

---What is wrong with a secret; nil: nothing. A mask, as the service shows it, will do where nothing is to be tried.
---@param secret any
---@param whole? boolean it is to be tried
---@return string? problem which does not quote it
function identify.problem_with(secret, whole)
  if type(secret) ~= "string" then
    return "a secret: string expected, got " .. type(secret)
  elseif not secret:find "^[\33-\126]+$" then
    return "a secret of printable ASCII without blanks is expected"
  elseif not secret:find "^%*" then
    return #secret < SHORTEST and "a secret of 18 characters or more is expected, or a mask" or nil
  elseif whole then
    return "the whole secret is needed to try it, and this is a mask"
  elseif #secret:match "^%*+(.*)$" ~= SHOWN then
    return "a mask that shows 6 characters is expected"
  end
end

---Checks the arguments of client:identify. Raises at the user's line.
---@param name string the public function
---@param secrets any
---@param options any
---@return string[] secrets
---@return table options
function identify.check(name, secrets, options)
  options = options == nil and {} or options
  argument.fields(2, name, options, OPTIONS, nil, 1)
  local list = type(secrets) == "table" and secrets or { secrets }
  if list[1] == nil then
    argument.refuse(1, name, type(secrets) == "table" and "one secret at least is expected"
      or identify.problem_with(secrets), 1)
  end
  for _, secret in ipairs(list) do
    local problem = identify.problem_with(secret, options.probe)
    if problem then
      argument.refuse(1, name, problem, 1)
    end
  end
  return list, options
end

-- A step of what was done, with its time, for whoever writes the report of an incident.
local function note(report, clock, what, ...)
  report.steps[#report.steps + 1] = { at = timestamp.text(clock()), what = what:format(...) }
end
identify.note = note

-- The reports on secrets that end as a mask does. One that shows less than it should may be of several.
local function alike(by_end, mask)
  local shown = mask:match "[^*]*$"
  if #shown >= SHOWN then
    return by_end[shown:sub(-SHOWN)] or {}
  end
  local found = {}
  for last, reports in pairs(by_end) do
    for _, report in ipairs(shown ~= "" and last:sub(-#shown) == shown and reports or {}) do
      found[#found + 1] = report
    end
  end
  return found
end

-- Adds the keys of a scope that end as one of the secrets does.
local function look_through(client, scope, index, by_end)
  local project = scope.project or {}
  for position, key in ipairs(scope.keys or {}) do
    local seen = {}
    for _, mask in ipairs { key.value, key.replacement } do
      for _, report in ipairs(alike(by_end, mask)) do
        if not seen[report] then
          report[#report + 1] = {
            scope = key.scope, project_id = project.id, project_name = project.name, key = key,
            last_used = key.last_used, certainty = "last6", pending = mask ~= key.value or nil,
            own = key.scope == "organization" and client:owns(key) or nil,
            order = index + position / 1e7, api_keys = scope.api_keys,
          }
        end
        seen[report] = true
      end
    end
  end
end

-- Why the keys of a scope prove no absence, though they were listed: an error, or nil.
local function gap(client, scope)
  local hidden, own = 0, scope.scope ~= "organization"
  for _, key in ipairs(scope.keys) do
    hidden = hidden + (key.value:find "%*$" and 1 or 0)
    own = own or client:owns(key) ~= false
  end
  local message = hidden > 0 and ("the service does not show how %d of the %d keys end"):format(hidden, #scope.keys)
    or not own and "the list leaves out the key that this client itself uses"
  return message and core.failure { kind = "protocol", message = message } or nil
end

-- Fills the reports with the keys that end as their secrets do. Returns true, or nil and an error.
local function find(client, reports, by_end, options)
  local unreadable, indexes = {}, {}
  local total, err = all_keys.visit(client, function(scope, index, done, count)
    look_through(client, scope, index, by_end)
    local problem = scope.err or gap(client, scope)
    if problem then
      local project = scope.project or {}
      indexes[#indexes + 1] = index
      unreadable[index] = { scope = scope.scope, project_id = project.id, project_name = project.name, err = problem }
    end
    if options.on_progress then
      options.on_progress(done, count)
    end
  end, options.concurrency)
  if not total then
    return nil, err
  end
  table.sort(indexes)
  for i, index in ipairs(indexes) do
    indexes[i] = unreadable[index]
  end
  for _, report in ipairs(reports) do
    table.sort(report, function(a, b) return a.order < b.order end)
    report.scopes, report.unreadable = total, indexes
  end
  return true
end

-- Which scope a secret is thought to be of, so that it is tried by the call that such a key may make.
local function expected_scope(secret, report)
  local named, scope = probe.scope_of(secret), nil
  if named then
    return named
  end
  for _, match in ipairs(report) do
    if scope and scope ~= match.scope then
      return nil
    end
    scope = match.scope
  end
  return scope
end

-- Looks at the matching keys again, after the secret was tried.
local function look_again(report)
  for _, match in ipairs(report) do
    local key, err = match.api_keys:get(match.key)
    match.now, match.gone = key, not key and refusal.is(err, 404)
    if not match.gone then
      match.last_used_after = (key or { last_used = timestamp.UNKNOWN }).last_used
    end
  end
end

-- Tries the secret and notes what came of it.
local function try(client, secret, report, home, clock)
  if probe.scope_of(secret) == "global" then
    report.probe = "skipped"
    return
  end
  local region, here = core.region_of(secret), base_url.region(client.base_url)
  if region and here and region ~= here then
    report.probe = "skipped"
    note(report, clock, "the secret was not tried: it names the region %s, and this is %s", region, here)
    return
  end
  local found = probe.try(client, secret, expected_scope(secret, report))
  report.probe, report.probe_error = found.result or "failed", found.err
  report.organization = found.organization
  note(report, clock, "tried the secret: %s", found.err and "no answer, " .. tostring(found.err) or found.result)
  if found.date and math.abs(found.date - clock()) > 5 then
    note(report, clock, "the service's clock, which lastUsed goes by, said %s", timestamp.text(found.date))
  end
  if found.result and #report > 0 then
    look_again(report)
    note(report, clock, "looked at the matching keys again")
  end
  verdict.judge(report, found, home)
end

-- The client's own organization, asked for once, and only where a secret turns out to be of one.
local function home_of(client)
  local organization, err
  return function()
    if not organization and not err then
      organization, err = core.organization(client):get()
    end
    return organization
  end
end

local function finish(report)
  verdict.conclude(report)
  for _, match in ipairs(report) do
    match.order, match.api_keys, match.now, match.gone = nil, nil, nil, nil
  end
end

---Finds the keys of secrets. For Client:identify, which documents it.
---@param client confidentai.Client
---@param secrets string[]
---@param options table checked
---@return confidentai.Identification[]? reports in the order of the secrets
---@return confidentai.Error? err the projects could not be listed
function identify.run(client, secrets, options)
  local clock, reports, by_end = options.clock or os.time, {}, {}
  for i, secret in ipairs(secrets) do
    local report = { secret = identify.mask(secret), at = timestamp.text(clock()), base_url = client.base_url,
      steps = {} }
    local last = secret:sub(-SHOWN)
    by_end[last] = by_end[last] or {}
    table.insert(by_end[last], report)
    reports[i] = report
  end
  local ok, err = find(client, reports, by_end, options)
  if not ok then
    return nil, err
  end
  local home = home_of(client)
  for i, report in ipairs(reports) do
    note(report, clock, "looked through the keys of %d of %d scopes; matches by the last 6 characters: %d",
      report.scopes - #report.unreadable, report.scopes, #report)
    for _, match in ipairs(report) do
      note(report, clock, "%s was last used: %s", verdict.describe(match), match.last_used or "never")
    end
    report.global = probe.scope_of(secrets[i]) == "global"
    if options.probe then
      try(client, secrets[i], report, home, clock)
    end
    finish(report)
  end
  return reports
end

return identify
