-- SPDX-License-Identifier: Apache-2.0
-- What docs/openresty.md shows is run, with Debian's nginx.

if not jit then
  return -- nginx has a LuaJIT of its own, whatever runs this: once is enough
end

local dockerfile = require "spec.docs.dockerfile"
local folders = require "spec.folders"
local gateway = require "spec.docs.gateway"
local http = require "spec.hosts.nginx.http"
local packages = require "spec.docs.packages"
local pages = require "spec.docs.pages"
local process = require "spec.process"
local server = require "spec.hosts.nginx.server"
local support = require "spec.support"
local uv = require "luv"

local page = pages.open "docs/openresty.md"

describe("docs/openresty.md", function()
  local service = support.service()
  local system, ports = nil, {}

  -- Before the folder goes, in which its process id is.
  after_each(function()
    if system then
      system:stop()
      ports[#ports + 1], system = system.port, nil
    end
  end)
  teardown(function()
    for _, port in ipairs(ports) do
      local status = process.start("curl", { "-s", "http://127.0.0.1:" .. port }):finish()
      assert.equal(7, status, "an nginx runs still")
    end
  end)
  local folder = folders.each()

  -- Modules of this checkout, where the package has them in /usr.
  local function paths(lua)
    return ("%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;"):format(lua, uv.cwd(), uv.cwd()), server.cpath()
  end

  local function variables(more)
    local all = { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url,
      GATEWAY_PROJECT_ID = service.projects[1].id, GATEWAY_SOAK_SECONDS = "1", GATEWAY_ADVANCE_SECONDS = "1",
      GATEWAY_FOLDER = system.root .. "/var/lib/confidentai" }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return all
  end

  -- The files in their places, as the page puts them there.
  local function install()
    system = gateway.system(folder.path)
    local blocks = page:blocks("sh", "The gateway on a Debian")
    assert.equal("packaging/build", packages.without(blocks[1].text)) -- which spec/packaging/deb.sh runs
    assert.is_truthy(folders.read "spec/packaging/deb.sh":find("/packaging/build", 1, true))
    system:run(system:map(blocks[2].text), {})
    assert.equal("700", folders.mode(system.root .. "/var/lib/confidentai/state"))
    system:configure(paths(system.root .. "/usr/local/share/lua/5.1"))
  end

  -- Requests go to the sandbox of this file.
  local function aim()
    local path = system.root .. "/etc/nginx/conf.d/gateway.conf"
    folders.write(path, (folders.read(path):gsub("https://api.confident%-ai.com", service.base_url)), 420)
  end

  local function key()
    return folders.read(system.root .. "/var/lib/confidentai/gateway.key")
  end

  local function named(name)
    local found = {}
    for _, one in ipairs(service:state().keys) do
      found[#found + 1] = one.name:find("^" .. name .. "~") and one or nil
    end
    return found
  end

  -- What differs from one run to the next has one form.
  local function plain(text)
    return (text:gsub("%f[%w]%d+ seconds? ago", "AGO"):gsub("just now", "AGO")
      :gsub("as of [%d%-: ]+ UTC", "as of NOW"):gsub("%*+%S+", "MASK")
      :gsub("~%w+%f[ ]", "~OP"):gsub("Rotation %w+", "Rotation"):gsub("project %w+", "project")
      :gsub("ends in %S+", "ends"):gsub(" +", " "):gsub("%s+$", ""))
  end

  it("shows a gateway that is tried beside a sandbox", function()
    install()
    local blocks, lines = page:blocks("sh", "Trying it beside a sandbox"), {}
    assert.equal(3, #blocks)
    for i, block in ipairs(blocks) do
      lines[i] = packages.without(block.text):gsub("rm %-r ", 'cp "$GATEWAY_FOLDER/gateway.key" seen.key\n%0')
    end
    local path = system.root .. "/etc/nginx/conf.d/gateway.conf"
    assert(uv.fs_symlink(uv.cwd() .. "/examples", system.root .. "/examples"))
    local output, errors = system:run(system:map(table.concat(lines, "\n")), {}, { folder = system.root })
    local list = output:find "\nID +NAME +PROJECT"
    assert.equal(plain(page:block("text", "Trying it beside a sandbox").text), plain(output:sub(1, list)))
    assert.matches("\nID +NAME +PROJECT.* grace ", output)
    local secret = assert(folders.read(system.root .. "/seen.key")):gsub("%s+$", "")
    assert.is_nil((output .. errors .. system:log()):find(secret, 1, true))
    -- Of the line that stops an nginx which does not run.
    assert.matches("^[^\n]*open%(%) [^\n]*nginx.pid[^\n]*$", system:complaints())
    assert.is_true(http.poll(function() return not uv.fs_stat(system.root .. "/run/nginx.pid") end, 10)) -- it has quit
    assert.is_nil(uv.fs_stat(system.root .. "/var/lib/confidentai/trial"))
    assert.equal(folders.read "examples/openresty/gateway/gateway.conf", folders.read(path)) -- as it was
  end)

  it("ends where the sandbox does not start, in place of waiting for it", function()
    system = gateway.system(folder.path)
    local first = page:blocks("sh", "Trying it beside a sandbox")[1].text
    folders.write(folder.path .. "/bin/confidentai", "#!/bin/sh\nexit 1\n", 493)
    system:run(packages.without(first):match "^(.-done)\n", {}, { folder = system.root, timeout = 10000 })
  end)

  it("shows what nginx gets its variables from, with an account", function()
    install()
    local lines = system:map(page:block("sh", "With an account").text):gsub("EnvironmentFile=/etc",
      "EnvironmentFile=" .. folder.path .. "/etc")
    local wanted = { CONFIDENT_ORG_API_KEY = service.api_key, GATEWAY_PROJECT_ID = "p1" }
    local status = process.start("sh", { "-euc", lines }, { CONFIDENT_ORG_API_KEY = false }):finish()
    assert.is_true(status > 0) -- a variable was forgotten
    system:run(lines, wanted)
    local drop_in = folders.read(folder.path .. "/etc/systemd/system/nginx.service.d/confidentai.conf")
    local file = drop_in:match "^%[Service%]\nEnvironmentFile=(%S+)\n$"
    assert.equal(("CONFIDENT_ORG_API_KEY=%s\nGATEWAY_PROJECT_ID=p1\n"):format(service.api_key), folders.read(file))
    assert.equal("600", folders.mode(file))
    local output, errors = system:run(system:map(page:block("sh", "When something is wrong").text), {
      CONFIDENT_BASE_URL = service.base_url, CONFIDENT_ORG_API_KEY = false })
    assert.matches("no rotation is under way", output .. errors)
  end)

  describe("says of the gateway that", function()
    before_each(function()
      install()
      aim()
    end)

    it("a new worker goes on after a reload, in the middle of a rotation", function()
      system:run("nginx", variables { GATEWAY_SOAK_SECONDS = "3" })
      assert.equal(200, system:status(200))
      local first = key()
      assert.is_true(http.poll(function() -- the other worker may still be at the first key
        return http.request(system.control, "/rotate", nil, "POST").body:find("soaking: both keys work", 1, true)
      end, 10))
      assert.not_equal(first, key())
      system:run("nginx -s reload", variables())
      assert.is_true(http.poll(function()
        assert(http.request(system.port, "/v1/annotation-queues?page=1&pageSize=1")) -- the new key is seen to be used
        local keys = named "gateway"
        return #keys == 2 and not keys[1].valid
      end, 15))
      http.pause(1.2) -- the second in which workers look
      for _ = 1, 8 do -- both workers
        assert.equal(200, http.request(system.port, "/v1/annotation-queues?page=1&pageSize=1").status)
      end
      assert.equal("", system:complaints())
    end)

    it("one key is made, by all starts", function()
      system:run("nginx", variables())
      assert.equal(200, system:status(200))
      system:run("nginx -s stop; sleep 0.5; nginx", variables())
      assert.equal(200, system:status(200))
      http.pause(2.2) -- two more runs of the timer
      assert.equal(1, #named "gateway")
      assert.equal("", system:complaints())
    end)

    it("a wrong setting ends nginx, with a message that the page has", function()
      local organization = service.api_key
      for message, more in pairs {
        ["set GATEWAY_PROJECT_ID"] = { GATEWAY_PROJECT_ID = "" },
        ["no api_key"] = { CONFIDENT_ORG_API_KEY = false },
        ["a key of a project"] = { CONFIDENT_ORG_API_KEY = service.projects[1].api_key },
        ["seconds are wanted"] = { GATEWAY_SOAK_SECONDS = "1h" },
      } do
        assert.is_truthy(page.text:find("`" .. message .. "`", 1, true))
        local _, errors = system:run("nginx", variables(more), { status = 1 })
        errors = errors .. system:log()
        assert.is_truthy(errors:find(message, 1, true), errors)
        assert.is_nil(errors:find(service.projects[1].api_key, 1, true) or errors:find(organization, 1, true))
      end
    end)

    it("what it cannot do is in the log, in words that the page has", function()
      for message, case in pairs {
        ["Invalid API key"] = { variables = { CONFIDENT_ORG_API_KEY = "confident_us_org_" .. ("0"):rep(48) } },
        ["Project not found"] = { variables = { GATEWAY_PROJECT_ID = "web" } },
        ["is open to others"] = { before = "chmod 777 /var/lib/confidentai/state" },
        ["cannot be made"] = { variables = { GATEWAY_FOLDER = "/proc/nowhere" } }, -- not even by root
      } do
        assert.is_truthy(page.text:find("`" .. message .. "`", 1, true))
        system:run(system:map(case.before or "true") .. "\nnginx", variables(case.variables))
        assert.equal(503, system:status(503))
        assert.is_true(http.poll(function() return system:complaints():find(message, 1, true) end, 10), system:log())
        system:run(system:map "nginx -s stop; sleep 0.5; chmod 700 /var/lib/confidentai/state", {})
      end
    end)

    local function rotate()
      local text
      assert.is_true(http.poll(function() -- the other worker may still be at the first key
        text = http.request(system.control, "/rotate", nil, "POST").body
        return text:find("soaking: both keys work", 1, true)
      end, 10), text)
      assert.is_nil(text:find("confidentai rotate", 1, true)) -- which would look in another folder
      return text:match "Rotation (%w+)"
    end

    local rollback = page.text:match "%f[%w]runuser [^\n]*list %-%-state%-dir /var/lib/confidentai/state"
      :gsub("list", "rollback %%s --now")

    it("rotations follow each other, and one that was rolled back", function()
      system:run("nginx", variables { GATEWAY_SOAK_SECONDS = "60" })
      assert.equal(200, system:status(200))
      local first = key()
      local id = rotate()
      assert.not_equal(first, key())
      system:run(system:map(rollback:format(id)), variables())
      assert.equal(first, key())
      system:run("nginx -s stop; sleep 0.5; nginx", variables { GATEWAY_GRACE_SECONDS = "0" })
      assert.equal(200, system:status(200))
      for _ = 1, 2 do
        local before = key()
        rotate()
        assert.is_true(http.poll(function()
          assert.equal(200, http.request(system.port, "/v1/annotation-queues?page=1&pageSize=1").status)
          local working = 0 -- one that was undone is disabled, and goes later
          for _, one in ipairs(named "gateway") do
            working = working + (one.valid and 1 or 0)
          end
          return working == 1
        end, 20))
        assert.not_equal(before, key())
      end
      assert.equal("", system:complaints())
    end)

    it("a rotation that waits for a person is in the log, and a key that is gone is replaced", function()
      local remove = "confidentai keys delete --yes --project %s %s"
      system:run("nginx", variables { GATEWAY_SOAK_SECONDS = "2" })
      assert.equal(200, system:status(200))
      local id = rotate()
      local keys = named "gateway"
      system:run(remove:format(service.projects[1].id, keys[2].id), variables())
      assert.is_true(http.poll(function() return system:complaints():find("stopped (conflict)", 1, true) end, 10),
        system:log())
      assert.equal(401, system:status(401))
      system:run(system:map(rollback:format(id)), variables())
      assert.equal(200, system:status(200))
      system:run(remove:format(service.projects[1].id, keys[1].id), variables())
      assert.equal(401, system:status(401))
      system:run("rm " .. system.root .. "/var/lib/confidentai/gateway.key", {})
      assert.equal(200, system:status(200))
    end)

    it("errors are logged without a secret, and the next run tries again", function()
      service:fault { type = "status", status = 403, operation = "organization", times = -1 }
      system:run("nginx", variables())
      assert.equal(503, system:status(503))
      assert.is_true(http.poll(function() return system:complaints():find("gateway", 1, true) end, 10), system:log())
      assert.is_nil(system:log():find(service.api_key, 1, true))
      service:clear_faults()
      assert.equal(200, system:status(200))
    end)
  end)

  describe("shows an image", function()
    before_each(function()
      page:leave("docker build", "there is no Docker: the two files are run line by line instead")
    end)

    local function image(heading, path, lua, c)
      local text = page:block("Dockerfile", heading).text
      local file = folders.read("examples/openresty/gateway/" .. path)
      assert.equal(file:gsub("^[^\n]*\n[^\n]*\n", ""), text .. "\n")
      system = dockerfile.run(text, uv.cwd(), folder.path)
      assert.equal("700", folders.mode(system.root .. "/var/lib/confidentai"))
      system:configure(("%s/%s/?.lua;%s/%s/?/init.lua;;"):format(system.root, lua, system.root, lua),
        ("%s/%s/?.so;;"):format(system.root, c))
      aim()
      system:run("nginx", variables())
      assert.equal(200, system:status(200))
      assert.equal("", system:complaints())
    end

    it("of OpenResty", function()
      image("OpenResty's image", "Dockerfile", "usr/local/openresty/site/lualib", "usr/local/openresty/site/lualib")
    end)

    it("of Debian's nginx", function()
      image("Debian's nginx", "Dockerfile.debian", "usr/local/share/lua/5.1", "usr/local/lib/lua/5.1")
    end)
  end)

  it("shows a handler that answers for its calls", function()
    system = gateway.system(folder.path)
    folders.shell("mkdir -p %s", folder.path .. "/app")
    folders.write(folder.path .. "/app/handler.lua",
      page:block("lua", "How the gateway works").text .. "\nreturn show_keys\n", 420)
    folders.shell("chmod 755 %s", folder.path .. "/app")
    local lua, c = paths(folder.path .. "/app")
    system:configure(lua, c, ([[
      init_by_lua_block { require "handler" }
      server { listen 127.0.0.1:%d; location / { content_by_lua_block { require "handler"() } } }
    ]]):format(system.port))
    system:run("nginx", variables())
    local answer
    http.poll(function()
      answer = http.request(system.port, "/")
      return answer
    end, 5)
    assert.matches("manager %*+[%w+/=]+\n", answer.body)
    service:fault { type = "hang", times = -1 }
    service:fault { type = "status", status = 403 }
    assert.equal(504, http.request(system.port, "/").status)
  end)

  it("shows directives that the gateway has", function()
    local text = folders.read "examples/openresty/gateway/gateway.conf"
    assert.is_truthy(text:find(page:blocks("nginx", "How the gateway works")[1].text, 1, true))
  end)

  it("shows how nginx finds the library in a folder of its own", function()
    system = gateway.system(folder.path)
    local own = folder.path .. "/opt/confidentai"
    local options = page.text:match "`cmake %-S %. %-B build/nginx ([^`]*)`"
    local build = folder.path .. "/build"
    system:run(("cmake -S . -B %s %s && cmake --build %s --parallel 4 && cmake --install %s"):format(build,
      options:gsub("%s+", " "):gsub("/opt/confidentai", own), build, build), {}, { timeout = 120000 })
    system:configure("", "", page:blocks("nginx", "How the gateway works")[2].text:gsub("/opt/confidentai", own) .. ([[

      init_by_lua_block {
        found = require("confidentai")._VERSION .. package.searchpath("confidentai.core", package.cpath)
      }
      server { listen 127.0.0.1:%d; location / { content_by_lua_block { ngx.say(found) } } }
    ]]):format(system.port))
    local path = system.root .. "/run/nginx.conf"
    folders.write(path, (folders.read(path):gsub('lua_package_c?path "";', "")), 420)
    system:run("nginx", variables())
    local answer
    http.poll(function()
      answer = http.request(system.port, "/")
      return answer
    end, 5)
    assert.matches("^%d+%.%d+%.%d+" .. own:gsub("%-", "%%-") .. "/lib/confidentai/core.so", answer.body)
  end)

  page:links_are_good()
  page:all_are_run()
end)
