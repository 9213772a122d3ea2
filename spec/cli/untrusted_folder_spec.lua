-- SPDX-License-Identifier: Apache-2.0
-- The command, started in a folder that somebody else has filled, such as a repository that was cloned.

local command = require "spec.cli.command"
local files = require "spec.files"
local folders = require "spec.folders"
local process = require "spec.process"
local support = require "spec.sandbox.support"
local uv = require "luv"

describe("the command runs nothing that lies in the current folder:", function()
  local service = support.service()
  local folder, root = folders.each(), assert(uv.cwd())

  -- What tells that it has run, and what it found in its environment.
  local MODULE = [[
    local file = io.open(%q, "a")
    file:write(%q, " ", os.getenv "CONFIDENT_ORG_API_KEY" or "-", "\n")
    file:close()]]

  local function fill(names)
    for _, name in ipairs(names) do
      local path = folder.path .. "/" .. name
      support.shell("mkdir -p " .. support.quote(path:match "^(.*)/"))
      if name:find "%.so$" then
        files.write(path, "no library")
      elseif name:find "%.lua$" then
        files.write(path, MODULE:format(folder.path .. "/ran", name))
      else
        files.write(path, ("#!/bin/sh\necho %s $CONFIDENT_ORG_API_KEY >>%s/ran\nexit 1\n"):format(name, folder.path))
        assert(uv.fs_chmod(path, 448))
      end
    end
  end

  -- Runs the command in that folder, whose entries are the first of all paths: status, output, errors, and what ran.
  local function run(words, variables)
    local given = {
      LUA_PATH = "./?.lua;?.lua;./?/init.lua;;.///?.lua;" .. package.path .. ";?/init.lua",
      LUA_CPATH = "./?.so;?.so;;" .. package.cpath, PATH = ".::" .. os.getenv "PATH",
      CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url, HOME = "/nonexistent",
      XDG_CONFIG_HOME = false, CONFIDENT_PROFILE = false,
    }
    for name, value in pairs(variables or {}) do
      given[name] = value
    end
    local child = process.start("/bin/sh", { "-c", ("cd %s && exec %s %s/bin/confidentai %s"):format(folder.path,
      support.quote(uv.exepath()), root, words) }, given, "")
    local status, _, output, errors = child:finish()
    return status, output, errors, files.read(folder.path .. "/ran")
  end

  local MODULES = { "cjson.lua", "argparse.lua", "luv.lua", "socket.lua", "confidentai.lua", "confidentai/init.lua",
    "confidentai/core.lua", "confidentai/cli.lua", "confidentai/cli/init.lua", "confidentai/environment.lua",
    "http/server.lua", "http.lua", "cqueues.lua", "cjson.so", "argparse.so", "luv.so", "confidentai/core.so",
    "confidentai.so" }

  for _, words in ipairs { "--version", "--help", "whoami", "keys list -o json", "completion bash", "manual" } do
    it("no module, for " .. words, function()
      fill(MODULES)
      local status, output, errors, ran = run(words)
      assert.is_nil(ran)
      assert.equal(0, status, errors)
      assert.truthy(#output > 0)
    end)
  end

  it("no module and no program for the sandbox, in whatever interpreter that runs", function()
    fill(MODULES)
    fill { "env", "sh", "luajit", "lua", "lua5.1", "lua5.3", "lua5.4", "stty" }
    local status, output, errors, ran = run("sandbox --port 0 --output json --exit-with-stdin",
      { CONFIDENT_API_KEY = "confident_us_proj_x" })
    assert.is_nil(ran)
    assert.equal(0, status, errors)
    assert.truthy(command.json(output).base_url)
  end)

  it("no module where none other is installed either", function()
    fill { "argparse.lua", "argparse/init.lua" }
    local status, _, errors, ran = run("whoami",
      { LUA_PATH = "./?.lua;?.lua;?/init.lua;lua/?.lua", LUA_CPATH = "./?.so" })
    assert.is_nil(ran)
    assert.equal(1, status)
    assert.matches("needs the module argparse", errors, 1, true)
  end)
end)
