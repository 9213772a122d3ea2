-- SPDX-License-Identifier: Apache-2.0
-- A shell as readers of the pages have it: in a folder of its own, with `confidentai` in its PATH and the key of a
-- sandbox in its environment.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local folders = require "spec.folders"
local process = require "spec.process"
local uv = require "luv"

local shell = {}

-- This checkout's folders are found from any other, too.
local function absolute(path)
  return (path:gsub("%./", uv.cwd() .. "/"))
end

---Puts the command into a folder, to be run by the interpreter of the specs. A sanitizer that is preloaded is for the
---command, not for the tools around it.
---@param options? string of the interpreter
function shell.prepare(folder, options)
  local preloaded = os.getenv "LD_PRELOAD"
  folders.write(folder .. "/confidentai", ('#!/bin/sh\n%sexec %s %s %s/bin/confidentai "$@"\n'):format(
    preloaded and "export LD_PRELOAD='" .. preloaded .. "'\n" or "", process.interpreter(), options or "", uv.cwd()),
    448) -- 0700
end

---Runs lines in a folder; the first that fails ends them. No secret of the service's may be in what they write, but for
---one that a page asks for (`shows`).
---@param service table a sandbox
---@param folder string
---@param lines string
---@param options? { variables: table, status: integer, shows: boolean }
---@return string output
---@return string errors
function shell.run(service, folder, lines, options)
  options = options or {}
  local variables = {
    CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url, CONFIDENT_REGION = false,
    PROJECT = service.projects[1].id, PROJECT_ID = service.projects[1].id, CONFIDENT_PROFILE = false,
    HOME = folder, XDG_CONFIG_HOME = false, XDG_STATE_HOME = false, STATE_DIRECTORY = folder .. "/state",
    NO_COLOR = false, LD_PRELOAD = false, PATH = folder .. ":" .. os.getenv "PATH",
    LUA_PATH = absolute(package.path), LUA_CPATH = absolute(package.cpath),
  }
  for name, value in pairs(options.variables or {}) do
    variables[name] = value
  end
  local child = process.start("sh", { "-c", 'cd "$0" && set -eu\n' .. lines, folder }, variables)
  local status, _, output, errors = child:finish()
  assert.equal(options.status or 0, status, lines .. "\n" .. output .. errors)
  for _, key in ipairs(not options.shows and assert(service:state()).keys or {}) do
    assert.is_nil((output .. errors):find(key.value, 1, true))
  end
  return output, errors
end

return shell
