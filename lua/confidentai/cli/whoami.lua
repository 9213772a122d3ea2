-- SPDX-License-Identifier: Apache-2.0
-- `confidentai whoami`

local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local help = require "confidentai.cli.help"
local output = require "confidentai.cli.output"
local session = require "confidentai.cli.session"

local whoami = {}

-- A mask, never the credential.
---@type confidentai.Column[]
whoami.columns = {
  { name = "organization_id", title = "ORGANIZATION", value = function(who) return who.organization.id end },
  { name = "organization_name", title = "NAME", shrinks = true,
    value = function(who) return who.organization.name end },
  { name = "plan", title = "PLAN", value = function(who) return who.organization.plan end },
  { name = "key_id", title = "KEY ID", value = function(who) return who.key and who.key.id end,
    text = function(who) return who.key and grid.text(who.key.id) or "unknown" end },
  { name = "key_name", title = "KEY NAME", shrinks = true, value = function(who) return who.key and who.key.name end },
  { name = "value", title = "KEY", value = function(who) return who.mask end },
  { name = "base_url", title = "BASE URL", value = function(who) return who.base_url end },
}

---Tells the parser about the options.
---@param command table of argparse
function whoami.define(command)
  help.examples(command, { "confidentai whoami", "confidentai whoami --profile prod --output json" })
  session.define(command)
end

local function show(self, arguments)
  local client = self:client()
  local who = failure.check(client:whoami())
  who.mask, who.base_url = client.api_key, client.base_url
  output.record(whoami.columns, who, arguments)
end

---Runs the command.
---@param arguments table parsed
---@return integer status
function whoami.run(arguments)
  return session.run(arguments, show)
end

return whoami
