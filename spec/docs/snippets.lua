-- SPDX-License-Identifier: Apache-2.0
-- Lua of the pages, run as programs of their own.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local folders = require "spec.folders"
local process = require "spec.process"

local snippets = {}

---Runs a block against a sandbox, as a reader does who has set the key, with a folder for a home. It must end well and
---show no secret.
---@param block spec.Block
---@param service table a sandbox
---@param folder string
---@return string output
function snippets.run(block, service, folder)
  folders.shell("mkdir -p -m 700 %s", folder .. "/state")
  local status, _, output, errors = process.run(block.text, {
    CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url, HOME = folder,
    STATE_DIRECTORY = folder .. "/state",
  })
  assert.equal(0, status, ("line %d: %s"):format(block.line, errors))
  for _, key in ipairs(assert(service:state()).keys) do
    assert.is_nil((output .. errors):find(key.value, 1, true))
  end
  return output
end

return snippets
