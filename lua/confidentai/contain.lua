-- SPDX-License-Identifier: Apache-2.0
-- Makes a leaked secret useless. Only a key that is proven to be the secret's is touched, and it is disabled, which can
-- be taken back; at the end the secret must be refused.

local all_keys = require "confidentai.all_keys"
local command_line = require "confidentai.command_line"
local core = require "confidentai.core"
local argument = require "confidentai.argument"
local driver_pause = require "confidentai.pause"
local identify = require "confidentai.identify"
local probe = require "confidentai.probe"
local timestamp = require "confidentai.timestamp"
local verdict = require "confidentai.verdict"

local contain = {}

---@class confidentai.ContainOptions
---@field replace? confidentai.RotateOptions has the key replaced by a rotation; default: it is disabled only
---asked before anything is changed; false: nothing is
---@field confirm? fun(match: confidentai.Match, report: confidentai.Containment): boolean
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time
---@field pause? fun(seconds: number) waits; default: as the client's driver does

---The identification, and what was done about it.
---@class confidentai.Containment: confidentai.Identification
---"dead": the secret was refused already, and nothing was done. nil: it did not come to an end.
---@field outcome? "contained"|"replaced"|"dead"
---@field contained_at? string ISO 8601, UTC: when the key was disabled
---@field refused_at? string ISO 8601, UTC: when the secret was seen to be refused
---@field rotation? { id: string, state: string, new_id: string? } that replaces the key

local OPTIONS = { replace = "table", confirm = "function", concurrency = "count", on_progress = "function",
  clock = "function", pause = "function" }

-- Seconds between two tries whether a disabled key is refused by now: the service may need a minute to spread it.
local WAITS = { 1, 2, 4, 8, 15, 30 }

-- States of a rotation from which on the old key is disabled (docs/rotation.md).
local OLD_IS_DISABLED = { disabled = true, grace = true, done = true }

---Checks the arguments of client:contain. Raises at the user's line.
---@param secret any
---@param options any
---@return string secret
---@return table options
function contain.check(secret, options)
  options = options == nil and {} or options
  argument.fields(2, "contain", options, OPTIONS, nil, 1)
  local problem = identify.problem_with(secret, true)
  if problem then
    argument.refuse(1, "contain", problem, 1)
  elseif options.replace and options.replace.store == nil then
    argument.refuse(2, "contain", "field 'replace': its field 'store' is missing: it says where the new secret goes", 1)
  end
  return secret, options
end

local function guard(message, next)
  return core.failure { kind = "guard", message = message, next = next, outcome = "not_applied" }
end

-- A command about the key of a match.
local function command(verb, match)
  return command_line.about("keys " .. verb, match.key.id, match.project_id)
end

-- The last match that may be the key.
local function last(report)
  local found
  for _, match in ipairs(report) do
    found = match.certainty ~= "excluded" and match or found
  end
  return found
end

-- Why nothing can be done about what was found.
local function refusal(report)
  if report.probe == "failed" then
    local err = report.probe_error
    return core.failure { kind = err.kind, message = "nothing was disabled, as the secret could not be tried: "
      .. err.message, outcome = "not_applied" }
  end
  local match = report.verdict == "last6" and last(report)
  return guard("nothing was disabled: " .. report.message,
    match and "if it is the right one, disable it by hand: " .. command("disable", match)
    or report.verdict == "ambiguous" and "disable the right one by hand: confidentai keys disable ID"
    or report.verdict == "global" and "revoke it in the dashboard, where it was made"
    or report.verdict == "foreign" and "tell the people of that organization"
    or "find its organization and region, and continue there")
end

-- The key as it is now, if it still is the one that was proven.
local function look(api_keys, match)
  local key, err = api_keys:get(match.key)
  if not key then
    err.outcome = "not_applied"
    return nil, err
  elseif key.name ~= match.key.name or key.created_at ~= match.key.created_at
    or key.value:sub(-6) ~= match.key.value:sub(-6) then
    return nil, guard(verdict.describe(match) .. " is not the key any more that was proven: nothing was disabled")
  end
  return key
end

-- Disables the key. An unclear answer is settled by a look.
local function disable(api_keys, match)
  local key, err = look(api_keys, match)
  if not key then
    return nil, err
  end
  key, err = api_keys:disable(match.key)
  if not key and err.outcome == "unknown" then
    key = api_keys:get(match.key)
    key = key and not key.valid and key
  end
  return key or nil, err
end

-- Has the key replaced by a rotation, which disables and deletes it.
local function replace(api_keys, match, secret, options, report)
  local given = {}
  for name, value in pairs(options.replace) do
    given[name] = value
  end
  given.compromised, given.old_secret = true, secret
  local rotation, err = api_keys:rotate(match.key, given)
  if not rotation then
    return nil, err
  end
  report.rotation = { id = rotation.id, state = rotation.state, new_id = rotation.new_id }
  if not OLD_IS_DISABLED[rotation.state] then
    return nil, core.failure { kind = "api", outcome = "unknown",
      message = ("the rotation %s stands at '%s', and the leaked key still works"):format(rotation.id, rotation.state),
      next = "confidentai rotate status " .. rotation.id }
  end
  return true
end

-- Shows that the secret is refused, once the change has spread. Returns true, or nil and an error.
local function prove(client, secret, match, report, options, clock)
  local driver = core.environment(client).driver
  local pause = options.pause or function(seconds)
    local ok, err = driver_pause(driver, seconds)
    return ok, err
  end
  local found
  for attempt = 0, #WAITS do
    if attempt > 0 then
      pause(WAITS[attempt])
    end
    found = probe.try(client, secret, match.scope)
    if found.result == "refused" then
      report.refused_at = timestamp.text(clock())
      identify.note(report, clock, "tried the secret: refused")
      return true
    end
  end
  identify.note(report, clock, "tried the secret for a minute: %s", found.result or tostring(found.err))
  return nil, core.failure { kind = found.err and found.err.kind or "api", outcome = "unknown",
    message = verdict.describe(match) .. " is disabled, but " .. (found.err
      and "the secret could not be tried: " .. found.err.message
      or "the service still accepts the secret after a minute: it may be another key's, or the change has not spread"),
    next = "try it again: confidentai identify --probe" .. (options.replace and ""
      or "; if this key is not the one, enable it again: " .. command("enable", match)) }
end

-- Does what was decided. Returns true, or nil and an error.
local function act(client, secret, match, report, options, clock)
  local api_keys = all_keys.of(client, match)
  if options.replace then
    identify.note(report, clock, "replacing %s", verdict.describe(match))
    local ok, err = replace(api_keys, match, secret, options, report)
    if not ok then
      identify.note(report, clock, "it was not replaced: %s", tostring(err))
      return nil, err
    end
    identify.note(report, clock, "replaced by key %s; the old one is disabled (rotation %s, %s)",
      report.rotation.new_id, report.rotation.id, report.rotation.state)
  else
    identify.note(report, clock, "disabling %s", verdict.describe(match))
    local key, err = disable(api_keys, match)
    if not key then
      identify.note(report, clock, "it was not disabled: %s", tostring(err))
      return nil, err
    end
    identify.note(report, clock, "disabled it")
  end
  report.contained_at = timestamp.text(clock())
  local ok, err = prove(client, secret, match, report, options, clock)
  return ok, err
end

-- Whether the proven match may be acted on. Returns true, or nil and an error.
local function permit(match, report, options)
  if match.own and not options.replace then
    return nil, guard(verdict.describe(match) .. " is the client's own, without which it is locked out",
      "replace it: confidentai contain --replace --store STORE; or act with another organization key")
  elseif options.confirm and not options.confirm(match, report) then
    return nil, guard "this was not confirmed: nothing was disabled"
  end
  return true
end

---Contains a secret. For Client:contain, which documents it.
---@param client confidentai.Client
---@param secret string
---@param options table checked
---@return table? report
---@return confidentai.Error? err
---@return table? report so far
function contain.run(client, secret, options)
  local clock = options.clock or os.time
  local reports, err = identify.run(client, { secret },
    { probe = true, clock = clock, concurrency = options.concurrency, on_progress = options.on_progress })
  if not reports then
    return nil, err
  end
  local report = reports[1]
  if verdict.doubtful(report) then
    return nil, guard("nothing was disabled: " .. report.message,
      "give the secret as it stands in what leaked; or disable that key by hand: confidentai keys disable ID"), report
  elseif report.verdict == "dead" then
    report.outcome = "dead"
    return report
  elseif report.verdict ~= "proven" then
    return nil, refusal(report), report
  end
  local match
  for _, candidate in ipairs(report) do
    match = candidate.certainty == "proven" and candidate or match
  end
  local ok
  ok, err = permit(match, report, options)
  if ok then
    ok, err = act(client, secret, match, report, options, clock)
  end
  if not ok then
    return nil, err, report
  end
  report.outcome = options.replace and "replaced" or "contained"
  return report
end

return contain
