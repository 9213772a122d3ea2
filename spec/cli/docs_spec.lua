-- SPDX-License-Identifier: Apache-2.0
-- docs/command.md: what it shows is run, and what it names is there.

local cli = require "confidentai.cli"
local columns = require "confidentai.cli.columns"
local command = require "spec.cli.command"
local core = require "confidentai.core"
local files = require "spec.sandbox.support"
local process = require "spec.process"
local status = require "confidentai.cli.status"
local support = require "spec.support"

describe("docs/command.md", function()
  local service = support.service()
  local text = files.read_file "docs/command.md"

  local function section(title)
    local from = assert(text:find("\n## " .. title .. "\n", 1, true), title)
    return text:sub(from, (text:find("\n## ", from + 1, true) or #text + 1) - 1)
  end

  it("shows commands that run", function()
    local folder = files.temporary_folder()
    assert(core.file.make_folder(folder .. "/state"))
    local here = core.file.resolve "."
    assert(core.file.create(folder .. "/confidentai", ("#!/bin/sh\nexec %s %s/bin/confidentai \"$@\"\n"):format(
      process.interpreter(), here)))
    files.shell("chmod +x " .. folder .. "/confidentai")
    local count = 0
    for block in text:gmatch "\n```sh\n(.-)\n```" do
      assert(service:reset())
      local result = command.run(service, {}, {
        shell = "cd " .. folder .. " && rm -rf ci.key state/* && set -e\njq() { cat; }\n" .. block,
        variables = { PATH = folder .. ":" .. os.getenv "PATH", PROJECT = service.projects[1].id,
          STATE_DIRECTORY = folder .. "/state" },
      })
      assert.equal(0, result.status, block .. "\n" .. result.errors)
      count = count + 1
    end
    files.remove_folder(folder)
    assert.is_true(count >= 5)
  end)

  it("names every command, and links to what is there", function()
    local parser = cli.parser(require "argparse", true)
    for _, noun in ipairs(parser._commands) do
      assert.is_truthy(text:find("`" .. noun._name .. "`", 1, true)
        or text:find("`" .. noun._name .. " ", 1, true), noun._name)
      for _, verb in ipairs(noun._commands) do
        assert.is_truthy(text:find("`" .. verb._name .. "`", 1, true)
          or text:find("`" .. noun._name .. " " .. verb._name, 1, true), noun._name .. " " .. verb._name)
      end
    end
    local anchors = {}
    for title in text:gmatch "\n##+ ([^\n]+)" do
      anchors[title:lower():gsub("%s", "-")] = true
    end
    for target in text:gmatch "%]%(([^)]+)%)" do
      local anchor = target:match "^#(.*)"
      assert.is_truthy(anchor and anchors[anchor] or not anchor and files.read_file("docs/" .. target), target)
    end
  end)

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
end)
