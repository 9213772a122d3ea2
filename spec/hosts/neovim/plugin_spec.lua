-- SPDX-License-Identifier: Apache-2.0
-- The plugin of examples/neovim, driven by keys in a real Neovim.

if not jit then
  return -- as in ../neovim_spec.lua
end

local folders = require "spec.folders"
local neovim = require "spec.hosts.neovim.run"
local support = require "spec.support"

describe("the plugin for Neovim", function()
  local service = support.service()

  -- What the programs below have at hand beside start.lua: `steps` of functions, one after the other, each of which
  -- begins when the one before has returned true.
  local PRELUDE = [[
    notices = {}
    vim.notify = function(text) notices[#notices + 1] = text end
    function type_keys(keys) vim.api.nvim_input(keys) return true end
    function text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") end
    function shows(pattern) return function() return text():find(pattern) ~= nil end end
    function steps(list)
      local deadline = libuv.hrtime() + 8e9
      local function go_on(i)
        if not list[i] then return end
        if libuv.hrtime() > deadline then
          return fail(("step %d: %s\n%s"):format(i, text(), table.concat(notices, "\n")))
        end
        after_on_main(10, function() go_on(list[i]() and i + 1 or i) end)
      end
      go_on(1)
    end
    function keys(text) return function() return type_keys(text) end end
    function ends(...) local list = { ... } return function() finish(unpack(list)) end end
  ]]

  local function run(program, options)
    options = options or {}
    options.plugin = true
    local variables = { CONFIDENT_BASE_URL = options.base_url or service.base_url,
      CONFIDENT_ORG_API_KEY = options.api_key or service.api_key }
    for name, value in pairs(options.variables or {}) do
      variables[name] = value
    end
    options.variables = variables
    local ok, screen, output = neovim.run(PRELUDE .. program, neovim.facts(service), options)
    assert.is_true(ok, screen)
    assert.is_nil(screen:find("Error", 1, true), screen)
    return output, screen
  end

  it("lists the organization's keys in columns, masked, and is loading first", function()
    local output = run [[
      vim.cmd("ConfidentKeys")
      local first = text()
      steps { shows("enabled"), function()
        finish(first .. "\n" .. text() .. "\n" .. vim.api.nvim_buf_get_name(0), vim.bo.modifiable, vim.bo.swapfile)
      end }
    ]]
    local lines = {}
    for line in output:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.equal("loading...", lines[1])
    assert.matches("^ID  NAME +STATE +VALUE +CREATED +LAST USED$", lines[2])
    local column = lines[2]:find("STATE", 1, true)
    assert.equal("enabled", lines[3]:sub(column, column + 6))
    assert.equal("enabled", lines[4]:sub(column, column + 6))
    assert.matches("manager", output, 1, true)
    assert.matches("confidentai://organization false false$", output)
    for _, key in ipairs(assert(service:state()).keys) do
      assert.is_nil(output:find(key.value, 1, true))
    end
  end)

  it("shows nothing of a name that is unseen, or reorders what stands beside it", function()
    support.client(service):organization().api_keys:create "x\27[2Jy\194\155z\226\128\174a\226\128\139b"
    local output = run [[
      vim.cmd("ConfidentKeys")
      steps { shows("enabled"), keys("Gd"), keys("n<CR>"), function()
        require("confidentai_nvim").show_error("a\226\128\174b")
        finish(text() .. "\n" .. table.concat(notices, "\n"))
      end }
    ]]
    assert.is_truthy(output:find("x [2Jy z?a?b", 1, true), output)
    assert.is_truthy(output:find("confidentai: a?b", 1, true), output)
    assert.is_nil(output:find "[\27\226]", output)
  end)

  it("lists a project's keys", function()
    assert.matches("enabled.*confidentai://project/" .. service.projects[1].id .. "$", run [[
      vim.cmd("ConfidentKeys " .. facts.project_id)
      steps { shows("enabled"), function() finish(text() .. vim.api.nvim_buf_get_name(0)) end }
    ]])
  end)

  it("disables a key when that is confirmed, and enables it", function()
    run [[
      vim.cmd("ConfidentKeys")
      steps { shows("legacy.ci"), keys("/legacy<CR>d<CR>"), keys("dn<CR>"), keys("dy<CR>"), shows("disabled"),
        keys("e"), function() return not shows("disabled")() end, ends("done") }
    ]]
    local valid = {}
    for _, entry in ipairs(support.requests(service, "PUT")) do
      valid[#valid + 1] = tostring(entry.key_id) .. " " .. entry.status
    end
    assert.same({ "2 200", "2 200" }, valid)
  end)

  it("says why the client's own key is not disabled", function()
    assert.matches("guard", run [[
      vim.cmd("ConfidentKeys")
      steps { shows("manager"), keys("/manager<CR>dy<CR>"), function() return #notices > 0 end,
        function() finish(notices[1]) end }
    ]], 1, true)
    assert.equal(0, #support.requests(service, "PUT"))
  end)

  -- The secret of the key that a program made, which the screen never had, and what it said.
  local function create(program, options)
    local output, screen = run(program, options)
    local key = assert(support.keys_named(service, "made")[1])
    assert.is_nil(screen:find(key.value, 1, true))
    return key.value, output
  end

  local function read(path)
    local file = assert(io.open(path, "rb"))
    local content = file:read("*a")
    file:close()
    return content
  end

  it("creates a key, whose secret is nowhere until it is asked for", function()
    local secret, output = create [[
      vim.cmd("ConfidentKeys")
      local before
      steps { shows("manager"), keys("cmade<CR>"), shows("made"), function()
        before = vim.fn.execute("registers") .. vim.fn.execute("messages") .. text() .. table.concat(notices)
        return true
      end, keys("y"), function() return #notices == 2 end, keys('"xy'), function() return vim.fn.getreg("x") ~= "" end,
        function() finish(before, notices[2], vim.fn.getreg("x"), vim.fn.getreg('"'), text()) end }
    ]]
    local _, count = output:gsub((secret:gsub("%p", "%%%0")), "")
    assert.equal(1, count)
    assert.matches("name the register that the secret shall go to, such as \"xy or \"+y " .. secret, output, 1, true)
  end)

  it("creates a key for a register, and keeps what is there out of the shada file", function()
    for _, clearing in ipairs { true, false } do
      assert(service:reset())
      local shada = os.tmpname()
      os.remove(shada)
      local secret, output = create(([[
        vim.o.shada = "'100,<50,s10"
        vim.fn.setreg("z", "something else")
        vim.cmd("ConfidentKeys")
        steps { shows("manager"), keys('"xcmade<CR>'), shows("made"), function()
          if not %s then vim.api.nvim_del_augroup_by_name("confidentai_registers") end
          finish(vim.fn.getreg("x"))
        end }
      ]]):format(clearing), { shada = shada })
      assert.equal(secret, output)
      local content = read(shada)
      os.remove(shada)
      assert.matches("something else", content, 1, true)
      assert.equal(not clearing, content:find(secret, 1, true) ~= nil)
    end
  end)

  it("forgets the secret with its buffer", function()
    assert.matches("^true false %*+[%w+/=]*$", run [[
      local created
      require("confidentai_nvim.registers").keep = function(_, key) created = key return true end
      vim.cmd("ConfidentKeys")
      local before
      steps { shows("manager"), keys('"xcmade<CR>'), shows("made"), function()
        before = created.has_secret
        return true
      end, keys("q"), function() return text() == "" end, function()
        finish(before, created.has_secret, created.value)
      end }
    ]])
  end)

  it("shows what fails", function()
    service:fault { type = "status", status = 403, body = { success = false, error = "Not yours" } }
    assert.matches("could not be listed.*Not yours", run [[
      vim.cmd("ConfidentKeys")
      steps { shows("could not be listed"), function() return #notices > 0 end,
        function() finish(text(), notices[1]) end }
    ]])
    assert.matches("CONFIDENT_ORG_API_KEY.*project", run([[
      vim.fn.setenv("CONFIDENT_ORG_API_KEY", nil)
      vim.cmd("ConfidentKeys")
      vim.fn.setenv("CONFIDENT_ORG_API_KEY", facts.api_key)
      vim.cmd("ConfidentKeys not/a/project")
      finish(table.concat(notices, " "))
    ]]))
  end)

  it("opens the keys of a project that is chosen", function()
    assert.matches("Default Key.*confidentai://project/" .. service.projects[2].id .. "$", run [[
      vim.ui.select = function(projects, options, on_choice)
        assert(options.format_item(projects[2]):find(projects[2].id .. "  research", 1, true))
        on_choice(projects[2])
      end
      vim.cmd("ConfidentKeys")
      steps { shows("manager"), keys("p"), shows("Default"), function()
        finish(text() .. vim.api.nvim_buf_get_name(0))
      end }
    ]])
  end)

  it("says in a line why the library does not load, and works when it does", function()
    local output = run [[
      local cpath = package.cpath
      package.cpath = ""
      vim.cmd("ConfidentKeys")
      vim.cmd("ConfidentKeys")
      package.cpath = cpath
      vim.cmd("ConfidentKeys")
      steps { shows("manager"), function() finish(table.concat(notices, "\n")) end }
    ]]
    local line = "confidentai: the library does not load: module 'confidentai.core' not found. "
      .. "What to do: :checkhealth confidentai"
    assert.equal(line .. "\n" .. line, output)
  end)

  it("says what is wrong with an id or an option, not where in the code", function()
    assert.equal("confidentai: a/b is no id of a project: an id of 1 to 128 characters out of A-Z, a-z, 0-9, _ and - "
      .. "is expected\nconfidentai: bad argument #1 to 'new' (unknown option 'apikey')", run [[
      vim.cmd("ConfidentKeys a/b")
      require("confidentai_nvim").setup { apikey = "x" }
      vim.cmd("ConfidentKeys")
      finish(table.concat(notices, "\n"))
    ]])
  end)

  it("may be closed while it loads", function()
    service:fault { type = "delay", seconds = 0.2 }
    assert.equal("0 ", run [[
      vim.cmd("ConfidentKeys")
      type_keys("q")
      after_on_main(500, function() finish(#notices, text()) end)
    ]])
  end)

  describe("rotates", function()
    local folder = folders.each()

    local function rotate(program)
      return run(program, { variables = { STATE_DIRECTORY = folder.path .. "/state" } })
    end

    before_each(function()
      folders.write(folder.path .. "/app.key", service.projects[1].api_key)
      folders.shell("mkdir -m 700 %s", folder.path .. "/state")
    end)

    it("a key, says how far it is, and what comes next", function()
      local output = rotate(([[
        vim.cmd("ConfidentKeys " .. facts.project_id)
        local list = vim.api.nvim_get_current_buf()
        steps { shows("Default"), function()
          vim.cmd("ConfidentRotate Default\\ Key %s/app.key")
          ticks.start()
          return true
        end, shows("soaking: both keys work"), function()
          local gap = ticks.stop()
          local after = text()
          steps { function()
            local shown = table.concat(vim.api.nvim_buf_get_lines(list, 0, -1, false), "\n")
            return shown:find("Default Key~g1", 1, true) and finish(table.concat(notices, "\n") .. "\n" .. after, gap)
          end }
          return true
        end }
      ]]):format(folder.path))
      assert.matches("Default Key is creating\n.*Default Key is published\nDefault Key is soaking\n", output)
      assert.matches("Default Key: soaking: both keys work%. Rotation %w+ in project", output)
      assert.is_true(tonumber(output:match "([%d.]+)$") < 250, output) -- the editor was not held up
      local new = assert(folders.read(folder.path .. "/app.key"))
      assert.not_equal(service.projects[1].api_key, new)
      assert.is_nil(output:find(new, 1, true))
    end)

    it("what is named, and says what is wrong", function()
      assert.matches("is named nobody\n.*NAME FILE\n.*does not hold.*:ConfidentRotate! overwrites", rotate(([[
        vim.cmd("ConfidentKeys")
        steps { shows("legacy.ci"), function()
          vim.cmd("ConfidentRotate nobody %s/app.key")
          vim.cmd("ConfidentRotate legacy-ci")
          vim.cmd("ConfidentRotate legacy-ci %s/app.key")
          return true
        end, function() return #notices > 3 and finish(table.concat(notices, "\n")) end }
      ]]):format(folder.path, folder.path)))
      assert.equal(0, #support.requests(service, "POST"))
    end)

    it("into a file that holds something else, when told by a !, and goes on and back in its window", function()
      local output = rotate(([[
        vim.cmd("ConfidentKeys " .. facts.project_id)
        steps { shows("Default"), function()
          vim.cmd("ConfidentRotate! Default\\ Key %s/other.key")
          return true
        end, shows("soaking: both keys work"), keys("bn<CR>"), keys("a"), function()
          return notices[#notices] == "Default Key is soaking" and #vim.tbl_filter(function(text)
            return text == "Default Key is soaking" end, notices) == 2
        end, keys("by<CR>"), shows("going back to the old key: both keys work"),
        keys("q"), shows("Default Key"), function() finish(text() .. table.concat(notices, "\n")) end }
      ]]):format(folder.path))
      assert.is_nil(output:find("Here:", 1, true))
      assert.matches("Default Key is soaking$", output)
      assert.equal(0, #support.requests(service, "DELETE"))
    end)

    it("and disables the old key when it is confirmed that all have the new one", function()
      local output = rotate(([[
        vim.cmd("ConfidentKeys " .. facts.project_id)
        steps { shows("Default"), function()
          vim.cmd("ConfidentRotate Default\\ Key %s/app.key")
          return true
        end, shows("soaking: both keys work"), keys("cy<CR>"), shows("in its grace period"), ends("done") }
      ]]):format(folder.path))
      assert.equal("done", output)
      assert.is_false(service:state().keys[3].valid)
      -- Another Neovim, later: the key of that name is disabled, and the rotation is found all the same.
      output = rotate [[
        vim.cmd("ConfidentKeys")
        steps { shows("manager"), keys(":ConfidentRotate<CR>"), shows("in its grace period"), keys("by<CR>"),
          shows("going back to the old key: both keys work.*Old key 1 ends in %S+ and works"),
          function() finish(table.concat(notices, "\n")) end }
      ]]
      assert.equal("Default Key is soaking", output)
      assert.is_true(service:state().keys[3].valid)
    end)

    it("a key to its end, when Neovim was quit in the middle", function()
      service:fault { type = "delay", seconds = 0.2, times = -1 }
      local function program(pattern)
        return ([[
          vim.cmd("ConfidentKeys " .. facts.project_id)
          steps { shows("Default"), function()
            vim.cmd("ConfidentRotate Default\\ Key %s/app.key")
            return true
          end, function() return (table.concat(notices, "\n") .. text()):find(%q) and finish(notices[#notices]) end }
        ]]):format(folder.path, pattern)
      end
      rotate(program "is creating")
      assert.equal(service.projects[1].api_key, folders.read(folder.path .. "/app.key"))
      assert.equal("Default Key is soaking", rotate(program "Default Key: soaking"))
      assert.not_equal(service.projects[1].api_key, folders.read(folder.path .. "/app.key"))
      local count = 0
      for _, key in ipairs(service:state().keys) do
        -- The one whose secret was lost with the first Neovim is disabled, until it goes.
        count = count + (key.name:find("Default Key~g1~", 1, true) and key.valid and 1 or 0)
      end
      assert.equal(1, count)
    end)

    it("keys that it has created in a file", function()
      local output = rotate(([[
        vim.cmd("ConfidentKeys")
        local name
        steps { shows("legacy.ci"), function()
          vim.cmd("ConfidentCreate svc")
          vim.cmd("ConfidentCreate svc %s/app.key")
          return true
        end, function() return #notices > 2 end, function()
          vim.cmd("ConfidentCreate svc %s/svc.key")
          return true
        end, shows("svc~g1~"), function()
          name = text():match("svc~g1~%%w+")
          vim.cmd("ConfidentRotate " .. name .. " %s/svc.key")
          return true
        end, shows("soaking: both keys work"), function() finish(table.concat(notices, "\n"), text()) end }
      ]]):format(folder.path, folder.path, folder.path))
      assert.matches("NAME FILE\n.*holds something.* :ConfidentCreate! overwrites.*svc~g1~%w+ is created", output)
      assert.equal(service.projects[1].api_key, folders.read(folder.path .. "/app.key"))
      local secret = folders.read(folder.path .. "/svc.key")
      assert.matches("^confident_us_org_[%w+/]+=*\n?$", secret)
      assert.is_nil(output:find(secret, 1, true))
    end)

    it("with names and files that are completed", function()
      assert.equal("legacy-ci manager|manager|Default\\ Key|Default\\ Key|app.key", rotate(([[
        vim.cmd("cd %s")
        local function completed(line) return table.concat(vim.fn.getcompletion(line, "cmdline"), " ") end
        vim.cmd("ConfidentKeys")
        steps { shows("legacy.ci"), function()
          first = completed("ConfidentRotate ") .. "|" .. completed("ConfidentRotate m")
          vim.cmd("ConfidentKeys " .. facts.project_id)
          return true
        end, shows("Default"), function()
          finish(table.concat({ first, completed("ConfidentRotate De"), completed("ConfidentRotate Default\\ K"),
            completed("ConfidentRotate Default\\ Key app") }, "|"))
        end }
      ]]):format(folder.path)))
    end)
  end)

  it("leaves 'wrap' as it is for windows that are opened later", function()
    assert.equal("false true", run [[
      vim.cmd("ConfidentKeys")
      local wraps = vim.wo.wrap
      vim.cmd("new")
      steps { ends(wraps, vim.wo.wrap) }
    ]])
  end)

  describe("tells by :checkhealth", function()
    local CHECK = [[
      vim.cmd("checkhealth confidentai_nvim")
      finish(text())
    ]]

    it("that all is well, and not the key", function()
      local output = run(CHECK)
      assert.matches("confidentai %d.* loads", output)
      assert.matches("Base URL: " .. service.base_url, output, 1, true)
      assert.matches("The service answers: organization .*key manager", output)
      assert.is_nil(output:find(service.api_key, 1, true))
      assert.is_nil(output:find(service.api_key:sub(-6), 1, true))
      assert.is_nil(output:find("ERROR", 1, true))
    end)

    it("by the newer vim.health, too", function()
      assert.matches("ok The service answers", run [[
        local said = {}
        vim.health = setmetatable({}, { __index = function(_, kind)
          return not kind:find("report_") and function(text) said[#said + 1] = kind .. " " .. text end or nil
        end })
        require("confidentai_nvim.health").check()
        finish(table.concat(said, "\n"))
      ]], 1, true)
    end)

    it("that the service hangs, after five seconds and one attempt", function()
      assert(service:fault { type = "hang", times = -1 })
      local before = #assert(service:log())
      local output = run(CHECK)
      assert(service:clear_faults())
      assert.matches("ERROR: The service does not answer as it should: timeout", output, 1, true)
      assert.equal(1, #assert(service:log()) - before)
    end)

    it("what is wrong", function()
      local wrong = service.api_key:sub(1, -7) .. "abcdef"
      local output = run(CHECK, { api_key = wrong })
      assert.matches("ERROR: The service does not answer as it should: api: .*401", output)
      assert.is_nil(output:find(wrong, 1, true))
      output = run('vim.fn.setenv("CONFIDENT_ORG_API_KEY", nil)\n' .. CHECK)
      assert.matches("ERROR: config: no api_key", output, 1, true)
      output = run('package.preload.confidentai = function() error("no such file") end\n' .. CHECK)
      assert.matches("does not load.*no such file", output)
    end)
  end)

  describe("in the folder of somebody else", function()
    local folder = folders.each()

    it("runs no module that lies in the folder that Neovim is in", function()
      for _, name in ipairs { "cjson", "confidentai", "confidentai_nvim", "luv" } do
        folders.write(("%s/%s.lua"):format(folder.path, name), "error('ran')")
      end
      assert.equal("listed", (run([[
        vim.cmd("cd " .. vim.env.SPEC_FOLDER)
        vim.cmd("ConfidentKeys")
        steps { shows("enabled"), function() finish("listed") end }
      ]], { variables = { SPEC_FOLDER = folder.path } })))
      assert.equal("healthy", (run([[
        vim.cmd("cd " .. vim.env.SPEC_FOLDER)
        require("confidentai.health")
        assert(require("confidentai").new({ api_key = "x" }))
        finish("healthy")
      ]], { variables = { SPEC_FOLDER = folder.path } })))
    end)
  end)
end)
