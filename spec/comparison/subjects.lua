-- SPDX-License-Identifier: Apache-2.0
-- Who is compared: this library, and the official SDKs where they are installed. Each is a program beside this file,
-- which does one thing by its library and prints what happened as one line of JSON.

local cjson = require "cjson"
local process = require "spec.process"

local FOLDER = "spec/comparison/"
local PYTHON = os.getenv "CONFIDENTAI_PYTHON" or "python3"
local NODE = os.getenv "CONFIDENTAI_NODE" or "node"

-- Whether a program ends well. One that is not there at all fails to start.
local function succeeds(command, arguments)
  local started, child = pcall(process.start, command, arguments, { LD_PRELOAD = false })
  return started and child:finish() == 0
end

local function python(name, mode)
  return {
    name = name,
    command = PYTHON, arguments = { FOLDER .. "subject.py", mode },
    missing = function()
      return not succeeds(PYTHON, { "-c", "import confidentai" })
        and "not installed; to install it: pip install confidentai ($CONFIDENTAI_PYTHON: the python of an environment)"
    end,
  }
end

---Their names are the columns of docs/comparison.md.
---@type { name: string, command: string, arguments: string[], missing: fun(): string|false }[]
local subjects = {
  {
    name = "this library",
    command = process.interpreter(), arguments = { FOLDER .. "subject.lua" },
    missing = function() return false end,
  },
  python("Python", "sync"),
  python("Python, async", "async"),
  {
    name = "TypeScript",
    command = NODE, arguments = { FOLDER .. "subject.js" },
    missing = function()
      return not succeeds(NODE, { "-e", "require('confidentai')" })
        and "not installed; to install it: npm install --prefix FOLDER confidentai, NODE_PATH=FOLDER/node_modules"
    end,
  },
}

local Subject = {}
Subject.__index = Subject

---Has the subject do something at a service.
---@param service { base_url: string|false, api_key: string, ca_file?: string }
---@param seconds number after which it is ended
---@param verb string
---@param ... string the verb's arguments
---@return table? answer nil: it had not ended
function Subject:at(service, seconds, verb, ...)
  local arguments = { verb, ... }
  for i = #self.arguments, 1, -1 do
    table.insert(arguments, 1, self.arguments[i])
  end
  local authorities = service.ca_file or false
  local variables = {
    CONFIDENT_BASE_URL = service.base_url, CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_REGION = false,
    CA_FILE = authorities, -- and the same for requests, aiohttp and Node
    REQUESTS_CA_BUNDLE = authorities, SSL_CERT_FILE = authorities, NODE_EXTRA_CA_CERTS = authorities,
    http_proxy = false, https_proxy = false, HTTP_PROXY = false, HTTPS_PROXY = false, all_proxy = false,
  }
  if self.command ~= process.interpreter() then
    variables.LD_PRELOAD = false -- a sanitizer's
  end
  local child = process.start(self.command, arguments, variables)
  child:wait(seconds * 1000)
  local status, signal, output, errors = child:finish()
  if signal ~= 0 then
    return nil
  end
  assert(status == 0, errors)
  return cjson.decode(output)
end

for _, subject in ipairs(subjects) do
  setmetatable(subject, Subject)
end

return subjects
