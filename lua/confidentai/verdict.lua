-- SPDX-License-Identifier: Apache-2.0
-- What the facts about a secret prove. Nothing is taken for proven that could be another key: what is proven may be
-- disabled on the strength of it.

local timestamp = require "confidentai.timestamp"

local verdict = {}

-- Seconds for which a key must have been idle before the secret was tried, so that a use after that is ours: the moves
-- of a busy key prove nothing.
local IDLE = 60

-- Seconds that two of the service's machines may differ by, and the whole seconds of its Date.
local TOLERANCE = 2

---Where a key is, in words.
---@param match confidentai.Match
---@return string
function verdict.place(match)
  return match.scope == "organization" and "the organization"
    or "project " .. (match.project_name or match.project_id)
end

---A key and where it is, in words.
---@param match confidentai.Match
---@return string
function verdict.describe(match)
  local id = match.key.id
  return ("key %s '%s' of %s%s"):format(type(id) == "number" and ("%.0f"):format(id) or id, match.key.name or "",
    verdict.place(match), match.pending and ", as its pending replacement," or "")
end

-- Returns which use a key's lastUsed shows since it was listed: "none"; "ours" alone; "another"; or
-- "unclear", where it cannot be read.
local function use_since(match, found)
  local kind_before, before = timestamp.read(match.last_used)
  local kind_after, after = timestamp.read(match.last_used_after)
  if kind_before == "unreadable" or kind_after == "unreadable" then
    return "unclear"
  elseif not after or before and after <= before then
    return "none"
  end
  local begun = found.date and found.date - found.seconds - TOLERANCE
  local ours = begun ~= nil and after >= begun and after <= found.date + TOLERANCE
    and (before == nil or begun - before >= IDLE)
  return ours and "ours" or "another"
end

-- Whether a scope that could not be read may hold the key.
local function may_hide(report, scope)
  for _, place in ipairs(report.unreadable) do
    if not scope or place.scope == scope then
      return true
    end
  end
  return false
end

-- Whether a key is enabled, by the latest that was seen of it.
local function enabled_now(match)
  return not match.gone and (match.now or match.key).valid
end

local function set(matches, certainty)
  for _, match in ipairs(matches) do
    match.certainty = certainty
  end
end

-- Of several keys, the one whose lastUsed shows that the secret was tried, when no other has moved.
local function the_one_that_moved(possible, found)
  local one
  for _, match in ipairs(possible) do
    local use = use_since(match, found)
    if use ~= "none" and (one or use ~= "ours") then
      return nil
    end
    one = use == "ours" and match or one
  end
  return one
end

-- The secret works: it is an enabled key's, of the scope that it was accepted for.
local function judge_accepted(report, found)
  local enabled, disabled = {}, {}
  for _, match in ipairs(report) do
    if match.gone or found.scope and match.scope ~= found.scope then
      match.certainty = "excluded"
    elseif not enabled_now(match) then
      disabled[#disabled + 1] = match
    else
      enabled[#enabled + 1] = match
    end
  end
  -- A key that has just been disabled may be accepted for a while.
  set(disabled, #enabled == 0 and "ambiguous" or "excluded")
  local one = enabled[1]
  if #enabled > 1 then
    one = the_one_that_moved(enabled, found)
  elseif one then
    -- A list that looks complete may leave the secret's own key out, and this one may only end alike: without a use
    -- that it shows, nothing is proven.
    local use = use_since(one, found)
    one = (use == "ours" or use == "another" and not may_hide(report, found.scope)) and one or nil
  end
  set(enabled, #enabled == 1 and "last6" or one and "excluded" or "ambiguous")
  if one then
    one.certainty, one.evidence = "proven", "last_used"
  end
end

-- The secret does not work: an enabled key cannot be it.
local function judge_refused(report)
  local dead = {}
  for _, match in ipairs(report) do
    if enabled_now(match) then
      match.certainty = "excluded"
    else
      dead[#dead + 1] = match
    end
  end
  set(dead, #dead == 1 and "refused" or "ambiguous")
end

---Sets how certain each match is, by what trying the secret has shown.
---@param report confidentai.Identification whose matches were looked at again: `now`, `gone`
---@param found confidentai.Probe
---@param home fun(): table? the client's own organization
function verdict.judge(report, found, home)
  if found.result == "accepted" then
    local own = found.organization and home()
    if found.organization and not own then
      set(report, #report > 1 and "ambiguous" or "last6") -- nobody knows whose it is
    elseif own and own.id ~= found.organization.id then
      report.foreign = true
      set(report, "excluded")
    else
      judge_accepted(report, found)
    end
  elseif found.result == "refused" then
    judge_refused(report)
  end
end

---The enabled key that ends like a secret which is refused, where no other can be the secret's: rather than that two
---keys end alike and one of them is gone, the secret was copied wrongly, and the key works.
---@param report confidentai.Identification whose matches were judged
---@return confidentai.Match?
function verdict.doubtful(report)
  local one
  for _, match in ipairs(report) do
    if match.certainty ~= "excluded" then
      return nil
    end
    one = one or enabled_now(match) and match
  end
  return report.probe == "refused" and one or nil
end

-- The matches that may be the key, and one of them.
local function remaining(report)
  local count, one = 0, nil
  for _, match in ipairs(report) do
    if match.certainty ~= "excluded" then
      count, one = count + 1, one or match
    end
  end
  return count, one
end

local function say_dead(count, one, doubtful)
  if count == 0 and doubtful then
    return ("the service refuses the secret, though %s, which ends like it, is enabled: was it copied whole, and "
      .. "nothing else?"):format(verdict.describe(doubtful))
  elseif count == 0 then
    return "the service refuses the secret, and no key ends like it: it was deleted, or is of another organization or "
      .. "region"
  elseif count == 1 then
    return ("the service refuses the secret: %s, which ends like it, is disabled"):format(verdict.describe(one))
  end
  return "the service refuses the secret: the keys that end like it are disabled"
end

local function say_unlisted(report)
  return "the secret works, but no key that was listed can be it: " .. (report.organization
    and "it is a key of this organization that was made or enabled a moment ago, or its keys could not be read"
    or "it is a key of another organization's project, or of a scope that could not be read")
end

-- The verdict and its sentence.
local function decide(report, count, one)
  if report.global then
    return "global", "this is a global key: it works in every project, is in no list of keys, and is revoked in the "
      .. "dashboard"
  elseif report.foreign then
    return "foreign", ("the secret works, and is a key of another organization: %s (%s)"):format(
      report.organization.name or "?", report.organization.id)
  elseif report.probe == "refused" then
    return "dead", say_dead(count, one, verdict.doubtful(report))
  elseif count == 0 and report.probe == "accepted" then
    return "unlisted", say_unlisted(report)
  elseif count == 0 and #report.unreadable > 0 then
    return "unclear", "no key that could be read ends like this secret"
  elseif count == 0 then
    return "absent", "no key ends like this secret: it is not a key of this organization, or has been deleted"
  elseif count > 1 then
    return "ambiguous", ("%d keys end like this secret"):format(count)
  elseif one.certainty == "proven" then
    return "proven", "the secret works, and is " .. verdict.describe(one)
  elseif one.certainty == "ambiguous" then
    return "ambiguous", ("the secret works, though %s, which ends like it, is disabled: a change takes a moment to "
      .. "spread; try again in a minute"):format(verdict.describe(one))
  end
  return "last6", verdict.describe(one) .. " ends like this secret" .. (report.probe == "accepted"
    and ", which works, but it is not proven to be its secret: the key's last use did not show it" or "")
end

-- What else a reader must know before believing it.
local function doubts(report, one)
  local list = {}
  if report.probe == "failed" then
    list[#list + 1] = "the secret could not be tried: " .. tostring(report.probe_error)
  elseif report.probe == "skipped" and not report.global then
    list[#list + 1] = "it was not tried, as it names another region than this service's"
  end
  if #report.unreadable > 0 and report.verdict ~= "proven" then
    list[#list + 1] = ("%d of %d scopes could not be read, or not as a whole"):format(#report.unreadable, report.scopes)
  end
  if one and one.own then
    list[#list + 1] = "this client uses that key itself, so its last use tells nothing"
  end
  return list
end

---Comes to the report's verdict, and says it.
---@param report confidentai.Identification
function verdict.conclude(report)
  if report.global then
    set(report, "excluded")
  end
  local count, one = remaining(report)
  if count > 1 and report.probe ~= "accepted" and report.probe ~= "refused" then
    set(report, "ambiguous")
  end
  local message
  report.verdict, message = decide(report, count, one)
  local all = doubts(report, one)
  table.insert(all, 1, message)
  report.message, report.foreign, report.global = table.concat(all, "; "), nil, nil
end

return verdict
