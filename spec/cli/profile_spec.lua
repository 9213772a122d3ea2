-- SPDX-License-Identifier: Apache-2.0
-- Profiles of the configuration file: who and where, by a name.

local cjson = require "cjson"
local command = require "spec.cli.command"
local folders = require "spec.folders"
local core = require "confidentai.core"
local tools = require "spec.sandbox.support"
local process = require "spec.process"
local support = require "spec.support"

describe("a profile", function()
  local service = support.service()
  local folder, path, variables

  before_each(function()
    folder = tools.temporary_folder()
    path = folder .. "/confidentai/config.json"
    assert(core.file.make_folder(folder .. "/confidentai"))
    variables = { XDG_CONFIG_HOME = folder, CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = false }
  end)
  after_each(function() tools.remove_folder(folder) end)

  local function write(profiles)
    assert(core.file.replace(path, type(profiles) == "string" and profiles or cjson.encode { profiles = profiles }))
  end

  local function run(...)
    return command.run(service, { ... }, { variables = variables })
  end

  local function refused(word, ...)
    local result = run(...)
    assert.equal(2, result.status, result.errors)
    assert.is_truthy(result.errors:find(word, 1, true), result.errors)
    assert.is_nil(result.errors:find(service.api_key, 1, true))
    assert.is_nil(result.errors:find "traceback")
    assert.equal(0, #support.requests(service))
  end

  it("has the key and the place", function()
    write { prod = { api_key = service.api_key, base_url = service.base_url } }
    assert.equal(0, run("whoami", "--profile", "prod").status)
    variables.CONFIDENT_PROFILE = "prod"
    assert.equal(0, run("whoami").status)
  end)

  it("is none where the variable is empty, as CI systems set what is not given", function()
    assert.equal(0, command.run(service, { "whoami" }, { variables = { CONFIDENT_PROFILE = "" } }).status)
  end)

  it("can have a command that prints the key", function()
    write { prod = { key_command = { "printf", "%s\n", service.api_key }, base_url = service.base_url } }
    local result = run("whoami", "--profile", "prod", "--verbose")
    assert.equal(0, result.status, result.errors)
    assert.is_nil((result.output .. result.errors):find(service.api_key, 1, true))
  end)

  it("says what its command fails with, without the key", function()
    write { prod = { key_command = { "sh", "-c", "echo locked " .. service.api_key .. " >&2; exit 1" },
      base_url = service.base_url } }
    refused("locked", "whoami", "--profile", "prod")
  end)

  it("is found below HOME", function()
    write { prod = { api_key = service.api_key, base_url = service.base_url } }
    assert(core.file.make_folder(folder .. "/home/.config"))
    assert(os.rename(folder .. "/confidentai", folder .. "/home/.config/confidentai"))
    variables.XDG_CONFIG_HOME, variables.HOME = "", folder .. "/home"
    assert.equal(0, run("whoami", "--profile", "prod").status)
  end)

  it("binds its key to its place", function()
    variables.CONFIDENT_BASE_URL, variables.CONFIDENT_ORG_API_KEY = "http://127.0.0.1:1", "confident_us_org_other12345"
    write { prod = { api_key = service.api_key, base_url = service.base_url } }
    assert.equal(0, run("whoami", "--profile", "prod").status)
    assert(service:reset())
    refused("a profile has a service of its own", "whoami", "--profile", "prod", "--base-url", service.base_url)
    refused("a profile has a service of its own", "whoami", "--profile", "prod", "--region", "EU")
    write { prod = { api_key = service.api_key, region = "eu" } }
    local _, _, url = process.run("print(require('confidentai.cli.profile').options { profile = 'prod' }.base_url)", {
      XDG_CONFIG_HOME = folder, CONFIDENT_BASE_URL = service.base_url,
    })
    assert.equal("https://eu.api.confident-ai.com\n", url)
    write { prod = { api_key = service.api_key, region = "MARS" } }
    refused("US, EU or AU", "whoami", "--profile", "prod")
    write { prod = { api_key = service.api_key } }
    refused("base_url or region", "whoami", "--profile", "prod")
  end)

  it("of another user is refused, as that one's command would be run", function()
    if not folders.is_root() then
      pending "this needs root"
      return
    end
    write { prod = { key_command = { "sh", "-c", "touch " .. folder .. "/ran" }, base_url = service.base_url } }
    tools.shell("chown 12 " .. path)
    refused("belongs to another user (uid 12)", "whoami", "--profile", "prod")
    assert.is_nil(core.file.facts(folder .. "/ran"))
  end)

  it("is read behind the mark of UTF-8, and its command ends a line as it likes", function()
    write("\239\187\191" .. cjson.encode { profiles = { prod = { base_url = service.base_url,
      key_command = { "printf", "%s\r\n", service.api_key } } } })
    assert.equal(0, run("whoami", "--profile", "prod").status)
  end)

  it("finds a relative command beside the file, not where it is used", function()
    local script = "#!/bin/sh\ncat key\n"
    assert(core.file.replace(folder .. "/confidentai/print-key", script))
    assert(core.file.replace(folder .. "/confidentai/key", service.api_key .. "\n"))
    tools.shell("chmod 700 " .. folder .. "/confidentai/print-key")
    write { prod = { base_url = service.base_url, key_command = { "./print-key" } } }
    assert.equal(0, run("whoami", "--profile", "prod").status)
  end)

  it("with a key behind a quotation mark sends it nowhere", function()
    write { prod = { api_key = '"' .. service.api_key .. '"', base_url = service.base_url } }
    refused("something in front of the key", "whoami", "--profile", "prod")
  end)

  it("says what is wrong with the file", function()
    refused("there is no configuration file", "whoami", "--profile", "prod")
    write "{"
    refused("is not valid JSON: see line 1", "whoami", "--profile", "prod")
    write "{\n\"profiles\": {\n\"prod\": { \"api_key\" }\n} }"
    refused("is not valid JSON: see line 3", "whoami", "--profile", "prod")
    write "[]"
    refused("is not valid: expected {", "whoami", "--profile", "prod")
    write { prod = { api_key = service.api_key, base_url = service.base_url, tmeout = 3 } }
    refused("tmeout", "whoami", "--profile", "prod")
    write { prod = { api_key = service.api_key, base_url = service.base_url, timeout = 0 } }
    refused("timeout", "whoami", "--profile", "prod")
    refused("no profile 'test'", "whoami", "--profile", "test")
    write { prod = { base_url = service.base_url } }
    refused("key_command", "whoami", "--profile", "prod")
    write { prod = { base_url = service.base_url, key_command = "pass show key" } }
    refused('key_command must be a list, such as ["pass", "show", "confident"]', "whoami", "--profile", "prod")
    write { prod = { api_key = service.api_key, base_url = service.base_url } }
    tools.shell("chmod 644 " .. path)
    refused("chmod 600", "whoami", "--profile", "prod")
  end)
end)
