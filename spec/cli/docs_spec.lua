-- SPDX-License-Identifier: Apache-2.0
-- docs/command.md: what it shows is run, and what it names is there.

local cli = require "confidentai.cli"
local columns = require "confidentai.cli.columns"
local command = require "spec.cli.command"
local core = require "confidentai.core"
local files = require "spec.sandbox.support"
local folders = require "spec.folders"
local packages = require "spec.docs.packages"
local pages = require "spec.docs.pages"
local session = require "spec.docs.session"
local shell = require "spec.docs.shell"
local status = require "confidentai.cli.status"
local support = require "spec.support"

describe("docs/command.md", function()
  local service = support.service()
  local page = pages.open "docs/command.md"
  local text = page.text

  local function section(title)
    local from = assert(text:find("\n## " .. title .. "\n", 1, true), title)
    return text:sub(from, (text:find("\n## ", from + 1, true) or #text + 1) - 1)
  end

  it("shows a session as it is now", function()
    assert.equal(session.plain(page:block("text", "A session").text), session.plain(session.hold()))
  end)

  it("shows commands that run", function()
    local folder = files.temporary_folder()
    assert(core.file.make_folder(folder .. "/state"))
    shell.prepare(folder)
    local count = 0
    for _, each in ipairs(page:blocks "sh") do
      -- What is to be installed is; the sandbox takes any port, and ends with its lines.
      local block, sandboxes = packages.without(each.text):gsub("confidentai sandbox", "%0 --port 0")
      if block == "packaging/build" then -- which spec/packaging/deb.sh runs
        block = "true"
      elseif sandboxes > 0 then
        block = block .. '\nkill "$(jq -r .pid sandbox.json)"'
      end
      -- One after the other, as a reader does it: what one has made is there for the next.
      local result = command.run(service, {}, {
        shell = "cd " .. folder .. " && set -e\n" .. block,
        variables = { PATH = folder .. ":" .. os.getenv "PATH", PROJECT = service.projects[1].id,
          STATE_DIRECTORY = folder .. "/state", LD_PRELOAD = false },
      })
      assert.equal(0, result.status, block .. "\n" .. result.errors)
      count = count + 1
    end
    files.remove_folder(folder)
    assert.is_true(count >= 5)
  end)

  describe("with a folder", function()
    local folder = folders.each()
    before_each(function() shell.prepare(folder.path) end)

    it("shows a configuration that the command takes", function()
      local config = page:block("json").text:gsub("http://127.0.0.1:8787", service.base_url)
        :gsub("confident_us_org_%.%.%.", service.api_key)
      folders.shell("mkdir -p %s", folder.path .. "/.config/confidentai")
      folders.write(folder.path .. "/.config/confidentai/config.json", config, 384) -- 0600, as the page says
      folders.write(folder.path .. "/pass", "#!/bin/sh\necho \"$@\" >asked\necho confident_eu_org_0123456789abcdef\n",
        448)
      local own = { CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = false }
      assert.matches("manager", (shell.run(service, folder.path, "confidentai whoami --profile test",
        { variables = own })))
      -- Nobody may be asked where the other one leads: a proxy that is not there stands in for the world.
      own.https_proxy = "http://127.0.0.1:1"
      local _, errors = shell.run(service, folder.path, "confidentai whoami --profile prod --timeout 1",
        { variables = own, status = 1 })
      assert.matches("127.0.0.1 port 1", errors, 1, true)
      assert.equal("show confident/prod\n", folders.read(folder.path .. "/.config/confidentai/asked"))
    end)

    it("shows how the key comes into the environment without the history", function()
      folders.write(folder.path .. "/key", service.api_key .. "\n", 384)
      folders.write(folder.path .. "/lines", page:block("bash").text .. "\nconfidentai whoami\n", 384)
      assert.matches("manager", (shell.run(service, folder.path, "bash ./lines <key",
        { variables = { CONFIDENT_ORG_API_KEY = false } })))
    end)

    it("shows a line for cron that cron's shell takes", function()
      page:leave("CONFIDENT_PROFILE=prod confidentai rotate advance", "run here, without the times, which are cron's")
      local line = text:match "\n17 %* %* %* %*  ([^\n]+)"
      folders.shell("mkdir -p -m 700 %s", folder.path .. "/state")
      folders.shell("mkdir -p %s", folder.path .. "/.config/confidentai")
      folders.write(folder.path .. "/.config/confidentai/config.json", ('{"profiles":{"prod":{"base_url":"%s",'
        .. '"api_key":"%s"}}}'):format(service.base_url, service.api_key), 384)
      assert.equal("", (shell.run(service, folder.path, line,
        { variables = { CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = false } })))
    end)
  end)

  it("names every command", function()
    local parser = cli.parser(require "argparse", true)
    for _, noun in ipairs(parser._commands) do
      assert.is_truthy(text:find("`" .. noun._name .. "`", 1, true)
        or text:find("`" .. noun._name .. " ", 1, true), noun._name)
      for _, verb in ipairs(noun._commands) do
        local words = noun._name .. " " .. verb._name
        assert.is_truthy(text:find("`" .. words, 1, true) or text:find("confidentai " .. words, 1, true), words)
      end
    end
  end)

  page:links_are_good()

  it("names every option", function()
    local parser = cli.parser(require "argparse", true)
    local function each(of)
      for _, option in ipairs(of._options) do
        for _, alias in ipairs(option._aliases) do
          assert.is_truthy(of._name == "sandbox" or text:find("`" .. alias .. "`", 1, true)
            or text:find("`" .. alias .. " ", 1, true), of._name .. " " .. alias)
        end
      end
      for _, child in ipairs(of._commands) do
        each(child)
      end
    end
    each(parser)
  end)

  it("names every field and every exit code", function()
    local output = section "Output"
    for _, list in ipairs { columns.of_keys(0), columns.of_projects(0), columns.of_deleted,
      require("confidentai.cli.whoami").columns, { { name = "secret" } },
      require("confidentai.cli.rotate.records").columns(0, true), require("confidentai.cli.rotate.doctor").columns,
      require("confidentai.cli.ensure.run").columns(0) } do
      for _, column in ipairs(list) do
        assert.is_truthy(output:find("`" .. column.name .. "`", 1, true), column.name)
      end
    end
    for _, field in ipairs(require("confidentai.cli.failure").fields) do
      assert.is_truthy(output:find("`" .. field .. "`", 1, true), field)
    end
    for name, code in pairs(status) do
      if type(code) == "number" then
        assert.is_truthy(section("Exit codes"):find("\n| " .. code .. " |", 1, true), name)
      end
    end
  end)

  page:all_are_run()
end)
