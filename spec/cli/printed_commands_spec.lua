-- SPDX-License-Identifier: Apache-2.0
-- What messages, help and pages tell people to type: every command and option in them exists, and a command that is
-- printed works when it is pasted, whatever the ids and names in it are.

local cli = require "confidentai.cli"
local command_line = require "confidentai.command_line"
local failure = require "confidentai.cli.failure"
local folders = require "spec.folders"
local process = require "spec.process"
local selection = require "confidentai.cli.selection"
local shell_words = require "confidentai.cli.shell_words"
local words = require "confidentai.cli.rotate.words"

describe("what is to be typed", function()
  local parser = cli.parser(require "argparse", true)
  local options, verbs = {}, {}

  local function collect(of, path)
    verbs[path] = of
    for _, option in ipairs(of._options) do
      for _, alias in ipairs(option._aliases) do
        options[alias] = true
      end
    end
    for _, child in ipairs(of._commands) do
      collect(child, path == "" and child._name or path .. " " .. child._name)
    end
  end
  collect(parser, "")

  local function sources()
    local list = {}
    for _, path in ipairs(folders.find("lua/confidentai", "src", "-name", "*.lua", "-o", "-name", "*.c")) do
      if not path:find("/sandbox/", 1, true) then
        list[#list + 1] = path
      end
    end
    return list
  end

  -- Strings of a source: what a message may be made of.
  local function strings(text)
    text = text:gsub("%-%-[^\n\"]*\n", "\n")
    local list = {}
    for piece in text:gmatch '"([^"\n]*)"' do
      list[#list + 1] = piece
    end
    return list
  end

  -- Options of other programs in the sources' strings.
  local FOREIGN = { ["--lua-version"] = true, ["--no-remove"] = true, ["--batch"] = true }

  it("is an option that exists, in every message of the sources", function()
    for _, path in ipairs(sources()) do
      for _, text in ipairs(strings(folders.read(path))) do
        for name in text:gmatch "%f[%w-]%-%-%l[%l-]+" do
          assert.is_true(options[name] or FOREIGN[name] or false, path .. ": " .. name .. " in: " .. text)
        end
      end
    end
  end)

  it("is an option that exists where the library names one of its own", function()
    for _, path in ipairs(sources()) do
      if not path:find("/cli/", 1, true) then
        for _, text in ipairs(strings(folders.read(path))) do
          for name in failure.in_options(text):gmatch "%f[%w-]%-%-%l[%l-]+" do
            assert.is_true(options[name] or FOREIGN[name] or false, path .. ": " .. name .. " in: " .. text)
          end
        end
      end
    end
    local plain = "base_url is plain http, which would show the api key to the network: use https://"
    assert.equal(plain, failure.in_options(plain .. ", or set allow_plain_http = true if that is what you want"))
  end)

  it("is a verb that exists, in every message and on every page", function()
    local pages = sources()
    for _, page in ipairs { "README.md", "docs/command.md", "docs/rotation.md", "docs/incident.md" } do
      pages[#pages + 1] = page
    end
    for _, path in ipairs(pages) do
      local text = assert(folders.read(path))
      for noun, verb in text:gmatch "confidentai (keys) (%l+)" do
        assert.is_truthy(verbs[noun .. " " .. verb], path .. ": " .. noun .. " " .. verb)
      end
      for noun, verb in text:gmatch "confidentai (rotate) (%l+)" do
        assert.is_truthy(verbs[noun .. " " .. verb], path .. ": " .. noun .. " " .. verb)
      end
    end
  end)

  it("stays in its line in help, where nothing wraps it", function()
    for path, of in pairs(verbs) do
      local help = of:get_help() .. "\n"
      for example in (of._epilog or ""):gmatch "\n  ([^\n]+)" do
        assert.is_true(#example <= 76, path .. ": " .. example)
        assert.is_truthy(help:find("\n  " .. example .. "\n", 1, true), path .. ": " .. example)
      end
    end
  end)

  it("parses to the very id, project and name, whatever they begin with", function()
    for _, id in ipairs { "7", "-7", "--force", "it's", "a b", "$HOME", "-", "x;y" } do
      for _, project in ipairs { "p1", "-x", "--yes", "a b'c", "$(id)" } do
        local line = selection.command("keys get", { id = id, scope = "project", project_id = project })
        local run = process.start("sh", { "-c", "for word in " .. line .. "; do printf '%s\\n' \"$word\"; done" })
        local status, _, output = run:finish()
        assert.equal(0, status)
        local list = {}
        for word in output:gmatch "[^\n]+" do
          list[#list + 1] = word
        end
        assert.equal("confidentai", table.remove(list, 1))
        local ok, parsed = parser:pparse(list)
        assert.is_true(ok, line)
        assert.equal(id, parsed.id)
        assert.same({ project }, parsed.projects)
        local option = assert(shell_words.split(selection.option { scope = "project", project_id = "-x" }))
        assert.same({ "--project=-x" }, option)
      end
    end
    assert.equal("confidentai keys find -- -rf", command_line.about("keys find", "-rf"))
    assert.equal("confidentai keys get 9007199254740991 --project p", command_line.about("keys get", 2 ^ 53 - 1, "p"))
  end)

  it("has a line for cron that cron leaves whole", function()
    local text = words.schedule({ id = "abcdefgh" }, { state_dir = "/srv/100%/x", profile = "-p" })
    local line = text:match "\n  (17 [^\n]+)"
    assert.is_truthy(line:find("/srv/100\\%/x", 1, true), line)
    assert.is_truthy(line:find("--profile=-p", 1, true), line)
    assert.is_nil(line:gsub("\\%%", ""):find("%", 1, true), line)
  end)
end)
