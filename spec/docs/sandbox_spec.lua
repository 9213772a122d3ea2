-- SPDX-License-Identifier: Apache-2.0
-- What docs/sandbox.md shows is run. Its tables are held against the code by spec/sandbox/docs_spec.lua.

local cjson = require "cjson"
local folders = require "spec.folders"
local lyaml = require "lyaml"
local packages = require "spec.docs.packages"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local sandbox = require "confidentai.sandbox"
local shell = require "spec.docs.shell"
local support = require "spec.support"

local page = pages.open "docs/sandbox.md"

describe("docs/sandbox.md", function()
  local service = support.service { projects = { "web" } }
  local folder = folders.each()
  before_each(function() shell.prepare(folder.path) end)

  -- The specs of readers, run by busted on the Lua that runs this, in a process of its own.
  local function busted(arguments)
    local words = { "/usr/bin/busted" }
    for i, word in ipairs(arguments) do
      words[i + 1] = word
    end
    local status, _, output, errors = process.start(process.interpreter(), words):finish()
    return status, output .. errors
  end

  it("shows what the command says when it is ready", function()
    local shown = page:block("text", "Starting it").text
    local output = shell.run(service, folder.path, [[
      confidentai sandbox --port 0 --seed 42 >greeting &
      until grep -q Stop greeting; do kill -0 $!; sleep 0.1; done
      kill $!
      cat greeting
    ]])
    -- What differs: ports, the ids of projects without this seed, the process.
    local function plain(text)
      return (text:gsub("%$ confidentai sandbox\n", ""):gsub(":%d%d%d%d+", ":PORT"):gsub("cl%w+  ", "ID  ")
        :gsub("kill %d+", "kill PID"):gsub("%s+$", ""))
    end
    assert.equal(plain(shown), plain(output))
  end)

  it("shows a spec that passes", function()
    local path = folder.path .. "/first_spec.lua"
    folders.write(path, page:block("lua", "From Lua").text)
    local status, output = busted { path }
    assert.equal(0, status, output)
    assert.matches("1 success", output)
  end)

  it("shows settings that the handle takes", function()
    local load_text = loadstring or load -- luacheck: std max
    local snippet = assert(load_text("local service = ...\n" .. page:block("lua", "Settings").text))
    snippet(service)
    assert.equal(600, service:settings().last_used_delay)
  end)

  it("shows requests to the control path", function()
    local lines = page:block("sh", "The control path").text:gsub("http://127.0.0.1:8788", service.control_url)
      :gsub("curl ", "curl -sSf ")
    local output = shell.run(service, folder.path, lines, { shows = true }) -- /state has all secrets, as the page says
    assert.matches('{"id":1}', output, 1, true)
    assert.equal(2, service:settings().propagation)
    assert.is_true(#folders.read(folder.path .. "/snapshot.json") > 100)
  end)

  it("shows how a clock that is stopped is moved", function()
    local load_text = loadstring or load -- luacheck: std max
    local lines = page:block("lua", "The clock").text
    assert(load_text("local service = ...\n" .. lines:match "^[^\n]*\n[^\n]*\n"))(service)
    local client = support.client(service, { max_retries = 0 })
    assert.is_nil((client:organization().api_keys:create "late"))
    assert(load_text("local service = ...\n" .. lines:match "[^\n]*599[^\n]*"))(service)
    assert.equal(0, #support.keys_named(service, "late"))
    assert(load_text("local service = ...\n" .. lines:match "[^\n]*$"))(service)
    assert.equal("2027-01-15T08:10:00.000Z", support.keys_named(service, "late")[1].created_at)
    client:close()
  end)

  it("shows how the newer API rotates a key", function()
    local newer = assert(sandbox.start { generation = 2 })
    finally(function() newer:stop() end)
    local lines = page:block("sh", "The newer API").text:gsub("curl ", "curl -sSf ")
    local output = shell.run(newer, folder.path, lines, { shows = true })
    assert.matches('"shadowValue":"confident_us_org_', output, 1, true)
  end)

  describe("in CI", function()
    before_each(function()
      folders.write(folder.path .. "/with-sandbox.sh", page:block("sh", "Plain sh").text)
      folders.write(folder.path .. "/run-tests", "#!/bin/sh\nconfidentai keys list --project $PROJECT --output json\n"
        .. "curl -sSf $SANDBOX_CONTROL/stats >stats\nenv >environment\nexit 7\n", 448)
    end)

    -- Runs the last lines of a job, where there is no key: the sandbox brings its own. Gives what the tests said.
    local function run(lines)
      local output = shell.run(service, folder.path, lines, {
        status = 7, variables = { CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = false, PROJECT = false } })
      local stats = cjson.decode(folders.read(folder.path .. "/stats"))
      assert.is_true(stats.requests >= 1)
      local control = folders.read(folder.path .. "/environment"):match "SANDBOX_CONTROL=(%S+)"
      -- It ended with the job.
      assert.not_equal(0, (process.start("curl", { "-s", control .. "/stats" }):finish()))
      return cjson.decode(output)
    end

    -- The lines of a job that install: packages that Debian has, and ours. That these can be built and used is seen by
    -- spec/packaging/deb.sh.
    local function installs(lines)
      assert.matches("^git clone %-%-depth 1 %S+ /tmp/confidentai\n/tmp/confidentai/packaging/build$",
        (packages.without(table.concat(lines, "\n")):gsub("%${{ vars%.(%S+) }}", "%1")))
      assert.is_truthy(lines[#lines]:find(" /tmp/confidentai/build/debian/*.deb ", 1, true))
    end

    it("runs a command beside a sandbox in plain sh", function()
      local keys = run 'sh with-sandbox.sh ./run-tests'
      assert.equal("Default Key", keys[1].name)
    end)

    it("fails when the sandbox does not start, and does not wait for it", function()
      folders.write(folder.path .. "/confidentai", "#!/bin/sh\nexit 1\n", 448)
      shell.run(service, folder.path, "sh with-sandbox.sh ./run-tests", { status = 1 })
    end)

    it("runs in GitHub Actions", function()
      local steps = lyaml.load(page:block("yaml", "GitHub Actions").text).jobs.test.steps
      local lines = {}
      for line in steps[2].run:gmatch "[^\n]+" do
        lines[#lines + 1] = line:gsub("^sudo ", "")
      end
      installs(lines)
      assert.equal(1, #run(steps[3].run))
    end)

    it("runs in GitLab", function()
      local job = lyaml.load(page:block("yaml", "GitLab").text).test
      installs(job.before_script)
      assert.equal(1, #run(table.concat(job.script, "\n")))
    end)

    it("has a helper for busted, which gives each test the keys of the start", function()
      folders.write(folder.path .. "/sandbox.lua", page:block("lua", "One sandbox for all specs").text)
      folders.write(folder.path .. "/twice_spec.lua", [[
        local confidentai = require "confidentai"
        for i = 1, 2 do
          it("finds two keys, and makes a third, " .. i, function()
            local client = confidentai.check(confidentai.new())
            local api_keys = client:organization().api_keys
            assert.equal(2, #api_keys:list())
            assert(api_keys:create("third"))
            assert.is_false(client:organization().api_keys:list()[1].has_secret)
          end)
        end
      ]])
      local status, output = busted { "--helper=" .. folder.path .. "/sandbox.lua", folder.path .. "/twice_spec.lua" }
      assert.equal(0, status, output)
      assert.matches("2 successes", output)
    end)
  end)

  page:links_are_good()
  page:all_are_run()
end)
