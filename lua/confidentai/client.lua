-- SPDX-License-Identifier: Apache-2.0
-- What a client does that takes many calls. Each is loaded when it is asked for.

local core = require "confidentai.core"
local argument = require "confidentai.argument"

local Client = core.methods.Client

local AUDIT = { max_age_days = "number", unused_days = "number", concurrency = "number", on_progress = "function",
  clock = "function" }

---Examines every key of the organization and its projects; it only reads. What could not be read is in `unreadable`.
---@param options? confidentai.AuditOptions
---@return confidentai.AuditReport? report
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
---@param options? confidentai.IdentifyOptions
---@return confidentai.Identification|confidentai.Identification[]|nil report an array of matches, with more fields; for
---several secrets: an array of reports, in their order
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
---@param options? confidentai.ContainOptions
---@return confidentai.Containment? report
---@return confidentai.Error? err of kind "guard": nothing was done, as the key is not proven, is the client's own, or
---was not confirmed; with `next`: what a person can do
---@return confidentai.Containment? partial how far it came, with its steps
function Client:contain(secret, options)
  argument.self("Client", "contain", self)
  local contain = require "confidentai.contain"
  local report, err, partial = contain.run(self, contain.check(secret, options))
  return report, err, partial
end
