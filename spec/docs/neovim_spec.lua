-- SPDX-License-Identifier: Apache-2.0
-- What docs/neovim.md shows is run, in homes of their own, with the Neovim of this machine.

if not jit then
  return -- Neovim's own Lua is LuaJIT, whatever runs this: once is enough
end

local folders = require "spec.folders"
local packages = require "spec.docs.packages"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local support = require "spec.support"
local uv = require "luv"

local page = pages.open "docs/neovim.md"
local URL = "https://git.example.com/confidentai"

describe("docs/neovim.md", function()
  local service = support.service()
  local folder = folders.each()
  local repository -- a clone, which a reader has

  setup(function()
    repository = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/confidentai-clone-XXXXXX")) .. "/confidentai"
    folders.shell("mkdir %s && cp -R CMakeLists.txt bin examples lua scripts src *.rockspec .gitignore types %s",
      repository, repository)
    folders.shell("cd %s && git init --quiet && git add . && "
      .. "git -c user.name=spec -c user.email=spec@example.com commit --quiet -m all", repository)
  end)
  teardown(function() folders.shell("rm -r %s", (repository:gsub("/[^/]*$", ""))) end)

  local function variables(more)
    local all = {
      HOME = folder.path, XDG_DATA_HOME = false, XDG_CONFIG_HOME = false, XDG_STATE_HOME = false, NVIM = false,
      XDG_CACHE_HOME = false, LUA_PATH = false, LUA_CPATH = false, LUA_PATH_5_1 = false, LUA_INCDIR = false,
      STATE_DIRECTORY = false, SSLKEYLOGFILE = false, SHELL = "/bin/sh",
      CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url,
    }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return all
  end

  -- Runs lines of shell in the clone, and gives what they wrote.
  local function shell(lines, more, timeout)
    local child = process.start("sh", { "-c", 'cd "$0" && set -eu\n' .. lines, repository }, variables(more))
    local status = child:wait(timeout or 120000)
    for _ = 1, 5 do
      uv.run "nowait"
    end
    assert.equal(0, status, lines .. "\n" .. child.output .. child.errors)
    for _, key in ipairs(assert(service:state()).keys) do
      assert.is_nil((child.output .. child.errors):find(key.value, 1, true))
    end
    return child.output, child.errors
  end

  local function configure(name, text)
    folders.shell("mkdir -p %s", folder.path .. "/.config/nvim/autoload")
    folders.write(folder.path .. "/.config/nvim/" .. name, (text:gsub(URL:gsub("[.%-]", "%%%0"), repository)))
  end

  -- Neovim in that home, without a screen: what a program, as Lua, prints there.
  local function nvim(program, more)
    folders.write(folder.path .. "/program.lua", program)
    local output, errors = shell('nvim --headless -i NONE -n -c "luafile $HOME/program.lua" -c "qa!"', more)
    assert.equal("", errors)
    return output
  end

  -- The plugin is there, built in this folder, and works: it lists keys.
  local function works(where)
    local output = nvim [[
      local confidentai = require "confidentai"
      local client = confidentai.check(confidentai.new())
      local keys = confidentai.check(client:organization().api_keys:list())
      io.stdout:write(vim.fn.exists ":ConfidentKeys", " ", #keys, " ",
        table.concat(vim.api.nvim_get_runtime_file("lua/confidentai/core.so", true), " "))
    ]]
    assert.equal("2 2 " .. folder.path .. "/" .. where .. "/lua/confidentai/core.so", output)
  end

  it("names packages that there are", function()
    assert.equal("", packages.without(page:block("sh", "What is needed").text))
  end)

  it("installs without a plugin manager, and tells that all is well", function()
    local blocks = page:blocks("sh", "Installing")
    assert.equal(page:block("text", "Installing").text .. "\n", (shell(blocks[1].text)))
    local where = ".local/share/nvim/site/pack/confidentai/start/confidentai"
    works(where)
    -- Its checkout stays clean, so that it can be pulled into.
    assert.equal("", (shell("git -C ~/" .. where .. " status --porcelain")))
    local check = blocks[2].text:gsub("^nvim ", "nvim --headless -i NONE ")
    assert.equal(2, #blocks)
    shell(check .. " -c 'write! ~/health' -c 'qa!'")
    local said = folders.read(folder.path .. "/health")
    assert.is_nil(said:find("ERROR", 1, true), said)
    assert.matches("confidentai %d+%.%d+%.%d+ loads", said)
    assert.matches("libcurl has HTTP/2", said)
    assert.matches("CONFIDENT_ORG_API_KEY is set", said)
    assert.matches("Calls go to " .. service.base_url, said, 1, true)
    assert.is_nil(said:find(service.api_key:sub(-6), 1, true))
  end)

  it("says which headers are missing when it is built", function()
    assert.equal(folder.path .. "\n", (shell([[
      LUA_INCDIR=$HOME scripts/neovim 2>~/said && exit 1
      sed -n 's/^scripts.neovim: there is no lua.h in LUA_INCDIR, //p' ~/said
    ]])))
  end)

  describe("shows what a plugin manager is told:", function()
    local function init(manager)
      return ("local managers = dofile(%q)\n"):format(uv.cwd() .. "/spec/docs/managers.lua") .. manager
    end

    it("lazy.nvim", function()
      local block = page:blocks("lua", "Plugin managers")[1]
      configure("init.lua", init("managers.lazy((function()\n" .. block.text .. "\nend)())"))
      works ".local/share/nvim/lazy/confidentai"
    end)

    it("vim-plug", function()
      local plug = assert(folders.read "spec/docs/managers.lua"):match "managers%.plug = %[%[\n(.-)%]%]"
      configure("autoload/plug.vim", plug)
      configure("init.vim", page:block("vim", "Plugin managers").text)
      shell "nvim --headless -i NONE -c PlugInstall -c 'qa!'"
      works ".local/share/nvim/plugged/confidentai"
    end)

    it("mini.deps", function()
      local block = page:blocks("lua", "Plugin managers")[2]
      configure("init.lua", init("managers.mini()\n" .. block.text))
      works ".local/share/nvim/site/pack/deps/opt/confidentai"
    end)

    it("vim.pack", function()
      local blocks = page:blocks("lua", "Plugin managers")
      assert.equal(3, #blocks)
      configure("init.lua", init("managers.pack()\n" .. blocks[3].text))
      works ".local/share/nvim/site/pack/core/opt/confidentai"
    end)
  end)

  it("installs by LuaRocks", function()
    local tree = folder.path .. "/tree" -- in place of /usr/local, where Neovim looks
    folders.write(folder.path .. "/config.lua", ('rocks_trees = { { name = "system", root = %q } }\n'):format(tree))
    local lines = packages.without(page:block("sh", "Plugin managers").text)
    shell(lines, { LUAROCKS_CONFIG = folder.path .. "/config.lua" })
    assert.equal("2", nvim([[
      local client = require("confidentai").new()
      io.stdout:write(#client:organization().api_keys:list())
    ]], { LUA_PATH = ("%s/share/lua/5.1/?.lua;%s/share/lua/5.1/?/init.lua;;"):format(tree, tree),
      LUA_CPATH = tree .. "/lib/lua/5.1/?.so;;" }))
  end)

  describe("with this checkout on the runtimepath,", function()
    local build = os.getenv "BUILD_ROOT" or "build"
    build = build:sub(1, 1) == "/" and build or uv.cwd() .. "/" .. build

    before_each(function()
      configure("init.lua", ([[
        vim.opt.rtp:prepend(%q)
        vim.opt.rtp:prepend(%q)
        package.cpath = %q .. "/luajit/?.so;" .. package.cpath
      ]]):format(uv.cwd(), uv.cwd() .. "/examples/neovim", build))
    end)

    it("lists keys beside a sandbox", function()
      local lines = {}
      for line in page:block("sh", "Keys in the editor").text:gmatch "[^\n]+" do
        lines[#lines + 1] = line:gsub("%s+#.*", "")
      end
      -- The first two are what scripts/demo does, which a test of its own runs.
      local demo = folders.read "scripts/demo"
      assert.same({ "scripts/install demo luajit", "scripts/build lua5.4" }, { lines[1], lines[2] })
      assert.is_truthy(demo:find("scripts/install demo", 1, true) and demo:find("scripts/build lua5.4", 1, true))
      local last = lines[3]:gsub("nvim", "nvim --headless -i NONE")
      shell(("cd %s && %s -c 'sleep 1' -c 'write! ~/list' -c 'qa!'"):format(uv.cwd(), last),
        { CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = false })
      assert.matches("manager.*legacy%-ci", folders.read(folder.path .. "/list"))
    end)

    it("takes a key that is no variable's", function()
      assert.equal("1 EU", nvim(("local my_key = %q\n"):format(service.api_key)
        .. page:block("lua", "Keys in the editor").text .. [[

        local options = require("confidentai_nvim").options()
        io.stdout:write(options.api_key == my_key and 1 or 0, " ", options.region)
      ]]))
    end)

    it("creates a key and rotates it", function()
      local output = nvim(([[
        vim.notify = function() end
        local function shows(pattern)
          assert(vim.wait(10000, function()
            return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"):find(pattern)
          end, 10), pattern)
        end
        vim.cmd "ConfidentKeys"
        shows "manager"
        local create, replace = (%q):match "^:(.-)\n:(.*)$"
        vim.cmd(create)
        shows "svc~g1~"
        local completed = vim.fn.getcompletion(replace:match "^(.-)<Tab>", "cmdline")
        assert(#completed == 1)
        vim.cmd((replace:gsub("%%S+<Tab>", completed[1])))
        shows "soaking: both keys work"
        io.stdout:write(vim.api.nvim_buf_get_lines(0, 0, 1, false)[1])
      ]]):format(page:block("vim", "Keys in the editor").text))
      assert.matches("^svc: soaking: both keys work%. Rotation %w+ in the organization%.$", output)
      assert.matches("^confident_us_org_", folders.read(folder.path .. "/svc.key"))
    end)

    it("has the library for plugins", function()
      local output = nvim(page:block("lua", "The library in a plugin of yours").text .. [[

        local said = {}
        vim.notify = function(text) said[#said + 1] = text end
        vim.cmd "ConfidentProjects"
        assert(#said == 0) -- it has returned at once
        assert(vim.wait(5000, function() return #said == 2 end))
        io.stdout:write(table.concat(said, " "))
      ]])
      assert.equal("web research", output)
    end)

    -- What :checkhealth says when something is wrong.
    local function health(prelude, more)
      return nvim(prelude .. [[

        local said = {}
        vim.health = setmetatable({}, { __index = function(_, kind)
          return not kind:find "report_" and function(text, advice)
            said[#said + 1] = kind .. " " .. text .. (advice and "\n" .. table.concat(advice, "\n") or "")
          end or nil
        end })
        require("confidentai.health").check()
        io.stdout:write(table.concat(said, "\n"))
      ]], more)
    end

    it("says what is wrong in the words of the page", function()
      local said = {
        health(("package.loaders[2] = function() end package.path = ''\n"
          .. "package.preload['confidentai.health'] = loadfile '%s/lua/confidentai/health.lua'"):format(uv.cwd())),
        health "package.cpath = '' vim._so_trails = {}",
        health(("package.cpath = %q"):format(build .. "/lua5.4/?.so")),
        health [[local core = require "confidentai.core"
          core.libcurl = function() return { version = "7", tls = "T", http2 = false, async_dns = true } end]],
        health("", { CONFIDENT_ORG_API_KEY = false }),
        health("", { STATE_DIRECTORY = "/dev/null" }),
      }
      local section = page.text:match "\n## When something is wrong\n(.*)"
      local count = 0
      for words in section:gmatch "\n| `([^`]+)` |" do
        if not words:find "^:" then
          count = count + 1
          assert.is_truthy(said[count]:find(words, 1, true), words .. "\n" .. said[count])
        end
      end
      assert.equal(#said, count)
    end)

    it("says in one line why the library does not load, and the same to whoever asks again", function()
      local said = health [[
        local cpath, trails = package.cpath, vim._so_trails
        package.cpath, vim._so_trails = "", {}
        assert(not pcall(require, "confidentai"))
        package.cpath, vim._so_trails = cpath, trails
      ]]
      assert.matches("confidentai %d+%.%d+%.%d+ loads", said) -- what was built meanwhile
      said = health [[
        package.cpath, vim._so_trails = "", {}
        assert(not pcall(require, "confidentai"))
      ]]
      assert.equal("start confidentai\nerror The library does not load: module 'confidentai.core' not found\n"
        .. "Its C module has not been built. Run: " .. uv.cwd() .. "/scripts/neovim", said)
    end)
  end)

  page:links_are_good()
  page:all_are_run()
end)
