-- SPDX-License-Identifier: Apache-2.0
-- Everything that docs/incident.md shows is run, in its order, and its tables are held against the code.

local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local support = require "spec.support"
local uv = require "luv"

describe("docs/incident.md", function()
  local service = support.service()
  local page = pages.open "docs/incident.md"
  local text = page.text
  local folder, here

  -- The command, as a user has it in PATH.
  before_each(function()
    here = uv.cwd()
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/incident-XXXXXX"))
    local lowest = 0
    while arg[lowest - 1] do lowest = lowest - 1 end
    local command = ("#!/bin/sh\nexec %s %s/bin/confidentai \"$@\"\n"):format(arg[lowest], here)
    folders.write(folder .. "/confidentai", command, 448)
    folders.write(folder .. "/git", "#!/bin/sh\necho a commit without secrets\n", 448)
    folders.write(folder .. "/leaked.txt", service.projects[1].api_key .. "\n")
    folders.write(folder .. "/build.log", "key: " .. service.projects[1].api_key .. "\n")
    folders.write(folder .. "/app.key", service.projects[1].api_key .. "\n")
  end)
  after_each(function() os.execute("rm -r " .. folder) end)

  local function variables()
    local absolute = {}
    for _, name in ipairs { "path", "cpath" } do
      absolute[name] = package[name]:gsub("%./", here .. "/")
    end
    return { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url, HOME = folder,
      LUA_PATH = absolute.path, LUA_CPATH = absolute.cpath, PATH = folder .. ":" .. os.getenv "PATH",
      XDG_STATE_HOME = folder .. "/state" }
  end

  local function run(script)
    local child = process.start("sh", { "-c", "cd " .. folder .. " && " .. script }, variables())
    local status = child:wait(30000)
    for _, key in ipairs(assert(service:state()).keys) do
      assert.is_nil((child.output .. child.errors):find(key.value:sub(1, -7), 1, true))
    end
    return status, child.output, child.errors
  end

  it("shows commands that run", function()
    local count = 0
    for _, each in ipairs(page:blocks "sh") do
      local block = each.text
      if block:find("--replace", 1, true) then
        assert(service:reset()) -- an incident of its own
      end
      local status, _, errors = run("set -e\n" .. block)
      assert.equal(0, status, block .. "\n" .. errors)
      count = count + 1
    end
    assert.equal(7, count)
    assert.is_nil(support.key_on_service(service, "project", 1, service.projects[1].id))
    assert.is_truthy(assert(folders.read(folder .. "/incident.json")):find('"outcome":"contained"', 1, true))
  end)

  it("says what to do while a rotation of the key is under way", function()
    local project = service.projects[1].id
    local begin = "cp app.key old && confidentai rotate start 1 --store file:app.key --quiet --project " .. project
    assert.equal(0, (run(begin)))
    local status, _, errors = run "confidentai contain --replace --store file:app.key --file app.key --yes"
    assert.equal(6, status, errors)
    assert.matches("is under way: .*\n    confidentai rotate advance %w+\n", errors)
    -- The old one has leaked.
    assert.equal(0, (run "confidentai contain --file old --yes && confidentai rotate advance"))
    assert.is_false(support.key_on_service(service, "project", 1, project).valid)
    assert.is_true(support.key_on_service(service, "project", 2, project).valid)
    -- The new one has leaked.
    assert(service:reset())
    os.execute(("rm -r %s/state && cp %s/old %s/app.key"):format(folder, folder, folder))
    assert.equal(0, (run(begin .. " && cp app.key new && confidentai rotate rollback 'Default Key'")))
    assert.equal(0, (run "confidentai contain --file new --yes && confidentai rotate advance"))
    assert.is_false(support.key_on_service(service, "project", 2, project).valid)
    assert.is_true(support.key_on_service(service, "project", 1, project).valid)
    assert.equal(assert(folders.read(folder .. "/old")), assert(folders.read(folder .. "/app.key")))
  end)

  it("shows Lua that runs", function()
    folders.write(folder .. "/snippet.lua", page:block("lua").text)
    local lowest = 0
    while arg[lowest - 1] do lowest = lowest - 1 end
    local status, output, errors = run(arg[lowest] .. " snippet.lua")
    assert.equal(0, status, errors)
    assert.matches("proven\tthe secret works", output)
    assert.matches("\ncontained\n", output)
  end)

  it("names every finding and verdict", function()
    local function named(path, pattern)
      local count = 0
      for name in assert(folders.read(path)):gmatch(pattern) do
        assert.is_truthy(text:find("\n| `" .. name .. "`", 1, true), name)
        count = count + 1
      end
      assert.is_true(count > 2, path)
    end
    named("lua/confidentai/audit.lua", 'add%(?%s?"(%l[%l_]+)"')
    named("lua/confidentai/verdict.lua", 'return "(%l[%l6]+)", ')
  end)

  it("names every field of the report and of the audit", function()
    for _, path in ipairs { "lua/confidentai/cli/audit.lua", "lua/confidentai/cli/identification.lua" } do
      local count = 0
      for name in assert(folders.read(path)):gmatch '{ name = "([%l_]+)"' do
        assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
        count = count + 1
      end
      assert.is_true(count > 10)
    end
  end)

  page:all_are_run()
end)
