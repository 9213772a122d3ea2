-- SPDX-License-Identifier: Apache-2.0
-- What a client does that takes many calls. Each is loaded when it is asked for.

local core = require "confidentai.core"
local argument = require "confidentai.argument"

local Client = core.methods.Client

local AUDIT = { max_age_days = "number", unused_days = "number", concurrency = "number", on_progress = "function",
  clock = "function" }

---Examines every key of the organization and its projects; it only reads. What could not be read is in `unreadable`.
---@param options? { max_age_days: number, unused_days: number, concurrency: integer, on_progress: fun(done: integer,
---total: integer), clock: fun(): number } days of age, and without use, from which on an enabled key is a finding;
---without them, age and use make none; concurrency: lists at once, 64; on_progress must neither wait nor raise; clock:
---seconds since 1970, default os.time
---@return table? report { at, base_url, organization, max_age_days, unused_days, totals = { scopes, keys, enabled,
---disabled, unrotated, findings, unreadable }, findings = confidentai.AuditFinding[], unreadable = { scope, project,
---err }[] }
---@return confidentai.Error? err the projects or the organization could not be asked for
function Client:audit(options)
  argument.self("Client", "audit", self)
  options = options == nil and {} or options
  argument.fields(1, "audit", options, AUDIT)
  for _, name in ipairs { "max_age_days", "unused_days" } do
    local days = options[name]
    if days and not (days >= 0 and days < math.huge) then
      argument.refuse(1, "audit", ("field '%s': days from 0 are expected"):format(name))
    end
  end
  local report, err = require("confidentai.audit").run(self, options)
  return report, err
end

---Finds whose key a secret is, by its last 6 characters among all keys of the organization and its projects, and notes
---when the key was last used. With `probe` the secret is tried, at the client's base URL only, which proves or refutes
---the match; that is a use of the key, and moves its lastUsed.
---@param secret string|string[] a secret, or its mask where it is not to be tried; several: each gets its report
---@param options? { probe: boolean, concurrency: integer, on_progress: fun(done: integer, total: integer), clock:
---fun(): number } as of audit
---@return confidentai.Identification|confidentai.Identification[]|nil report an array of matches, with more fields
---@return confidentai.Error? err the projects could not be listed
function Client:identify(secret, options)
  argument.self("Client", "identify", self)
  local identify = require "confidentai.identify"
  local secrets, checked = identify.check("identify", secret, options)
  local reports, err = identify.run(self, secrets, checked)
  if not reports then
    return nil, err
  end
  return type(secret) == "table" and reports or reports[1]
end

---Makes a leaked secret useless: finds its key, proves that it is the one, disables it, and proves that the secret is
---refused. A key that is not proven is never disabled, nor is the client's own; `replace` has such a key replaced by
---a new one, by a rotation with `compromised`, which deletes the old one.
---@param secret string whole
---@param options? { replace: confidentai.RotateOptions, confirm: fun(match: confidentai.Match, report: table): boolean,
---on_progress: fun(done: integer, total: integer), concurrency: integer, clock: fun(): number, pause: fun(seconds:
---number) } confirm: asked before anything is changed
---@return table? report the identification, with `outcome`: "contained", "replaced" or "dead", `contained_at`,
---`refused_at`
---@return confidentai.Error? err
---@return table? report how far it came, with its steps
function Client:contain(secret, options)
  argument.self("Client", "contain", self)
  local contain = require "confidentai.contain"
  local report, err, partial = contain.run(self, contain.check(secret, options))
  return report, err, partial
end
