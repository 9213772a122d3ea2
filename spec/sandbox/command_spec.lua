-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local socket = require "socket"
local support = require "spec.sandbox.support"

local list_path = support.list_path

--- luajit and lua5.1 have lua-http and run the sandbox themselves; lua5.4 hands it to an interpreter that has it.
for _, lua in ipairs { "luajit", "lua5.1", "lua5.4" } do
  describe("confidentai sandbox under " .. lua, function()
    local processes

    before_each(function() processes = {} end)
    after_each(function()
      for _, process in ipairs(processes) do process:finish() end
    end)

    local function start(arguments, options)
      table.insert(arguments, 1, "bin/confidentai")
      table.insert(arguments, 2, "sandbox")
      processes[#processes + 1] = support.spawn(lua, arguments, options)
      return processes[#processes]
    end

    local function start_json(arguments, options)
      for _, word in ipairs { "--port", "0", "--output", "json" } do arguments[#arguments + 1] = word end
      local process = start(arguments, options)
      local ok, facts = pcall(cjson.decode, process:line())
      assert.is_true(ok, process:errors())
      return process, facts
    end

    it("tells a person what to do", function()
      local process = start { "--port", "0", "--projects", "alpha", "beta" }
      assert.truthy(process:expect("Stop[^\n]*\n"))
      local text = process:output()
      local key = text:match("export CONFIDENT_ORG_API_KEY=(confident_us_org_%S+)\n")
      local url = text:match("export CONFIDENT_BASE_URL=(http://127%.0%.0%.1:%d+)\n")
      assert.truthy(text:find("cl%w+  alpha\n"))
      assert.truthy(text:find("cl%w+  beta\n"))
      assert.truthy(text:find("Control +http://127%.0%.0%.1:%d+"))
      assert.is_nil(text:find("CA file", 1, true))
      assert.equal(200, support.request({ base_url = url, api_key = key }, { path = list_path }).status)
      assert.equal("", process:errors())
    end)

    it("prints one line of JSON", function()
      local process, facts = start_json { "--tls", "--base-path", "/x" }
      assert.truthy(facts.base_url:find("^https://127%.0%.0%.1:%d+/x$"))
      assert.truthy(support.read_file(facts.ca_file):find("CERTIFICATE", 1, true))
      assert.equal(2, #facts.projects)
      assert.truthy(facts.api_key and facts.control_url and facts.organization_id and facts.pid)
      assert.equal(1, select(2, process:output():gsub("\n", "")))
      process:kill("sigterm")
      assert.equal(0, process:wait())
      assert.is_nil(io.open(facts.ca_file))
    end)

    for _, signal in ipairs { "sigint", "sigterm", "sighup" } do
      it("ends cleanly on " .. signal .. ", also with a request under way", function()
        local process, facts = start_json {}
        support.request({ base_url = facts.control_url }, {
          method = "POST", path = "/faults", body = "{\"type\":\"hang\"}", key = false,
        })
        local connection = support.connect(facts.base_url)
        connection:send { path = list_path, key = facts.api_key }
        process:kill(signal)
        assert.equal(0, process:wait())
        assert.equal("", process:errors())
        assert.is_false(support.is_running(facts.pid))
        connection:close()
      end)
    end

    it("says which port is in use, and what to do", function()
      local taken = assert(socket.bind("127.0.0.1", 0))
      local _, port = taken:getsockname()
      for _, option in ipairs { "--port", "--control-port" } do
        local arguments = option == "--port" and { "--port", tostring(port) }
          or { "--port", "0", "--control-port", tostring(port) }
        local process = start(arguments)
        assert.equal(1, process:wait())
        assert.equal("", process:output())
        assert.truthy(process:errors():find("port " .. port .. " of 127.0.0.1 is in use", 1, true))
        assert.truthy(process:errors():find(option, 1, true))
        assert.is_nil(process:errors():find("traceback", 1, true))
      end
      taken:close()
    end)

    it("refuses wrong options with status 2", function()
      local cases = {
        { { "--nope" }, "nope" }, { { "--port", "x" }, "x" }, { { "--port", "70000" }, "port" },
        { { "--port", "1.5" }, "port" }, { { "--host", "0.0.0.0" }, "loopback" },
        { { "--output", "xml" }, "output" }, { { "--base-path", "x" }, "base_path" },
        { { "--seed", "0.5" }, "seed" }, { { "surplus" }, "arguments" },
      }
      for _, case in ipairs(cases) do
        local process = start(case[1])
        assert.equal(2, process:wait(), case[2])
        assert.truthy(process:errors():find(case[2], 1, true), process:errors())
        assert.equal("", process:output())
        assert.is_nil(process:errors():find("traceback", 1, true))
      end
    end)

    it("gives the same ids and secrets for the same seed, on every interpreter", function()
      local _, first = start_json { "--seed", "42" }
      local _, second = start_json { "--seed", "42" }
      local _, other = start_json { "--seed", "43" }
      local _, none = start_json {}
      assert.equal(first.api_key, second.api_key)
      assert.equal("confident_us_org_qepQnq6Ity87Tl2HVAJH2e4imPheZU9KqjSAiV5NvFGm", first.api_key)
      assert.same(first.projects, second.projects)
      assert.not_equal(first.api_key, other.api_key)
      assert.not_equal(first.api_key, none.api_key)
    end)

    it("listens on the IPv6 loopback address when asked", function()
      local process = start { "--port", "0", "--host", "::1", "--output", "json" }
      local line = process:line()
      if process:errors():find("annot") then return end -- a machine without IPv6
      assert.truthy(cjson.decode(line).base_url:find("^http://%[::1%]:%d+$"))
    end)

    it("keeps keys in a state file that only the owner can read", function()
      local folder = support.temporary_folder()
      local file = folder .. "/state.json"
      local process, facts = start_json { "--state", file }
      local made = support.request(facts, { method = "POST", path = list_path, body = { name = "kept" } })
      support.request(facts, { method = "PUT", path = list_path .. "/2", body = { valid = false } })
      assert.truthy(support.read_file(file):find("kept", 1, true)) -- before the end: it survives a kill
      process:kill("sigterm")
      assert.equal(0, process:wait())
      assert.equal("600", (support.shell("stat -c %a " .. file):gsub("%s", "")))
      assert.equal("state.json", (support.shell("ls -A " .. folder):gsub("%s", "")))

      local _, again = start_json { "--state", file }
      assert.equal(facts.api_key, again.api_key)
      assert.equal(facts.organization_id, again.organization_id)
      assert.same(facts.projects, again.projects)
      local keys = support.request(again, { path = list_path }).data.apiKeys
      assert.equal(3, #keys)
      assert.equal("kept", keys[3].name)
      assert.is_false(keys[2].valid)
      assert.truthy(type(keys[1].lastUsed) == "string")
      assert.equal(200, support.request(again, { path = list_path, key = made.data.apiKey.value }).status)
      local new = support.request(again, { method = "POST", path = list_path, body = { name = "n" } })
      assert.equal(4, new.data.apiKey.id)
      support.remove_folder(folder)
    end)

    it("never repeats a secret after a restart with the same seed", function()
      local folder = support.temporary_folder()
      local secrets = {}
      for index = 1, 2 do
        local process, facts = start_json { "--state", folder .. "/state", "--seed", "5" }
        secrets[index] = support.request(facts, { method = "POST", path = list_path, body = { name = "n" } })
          .data.apiKey.value
        process:kill("sigterm")
        process:wait()
      end
      assert.not_equal(secrets[1], secrets[2])
      support.remove_folder(folder)
    end)

    it("does not touch a state file that is not its own", function()
      local folder = support.temporary_folder()
      local contents = {
        ["{\"precious\":1}"] = "not a state file",
        ["{\"version\":1,\"organization\":{}}"] = "not a state file",
        [""] = "not a state file", ["{\"version\":2,\"organization\":{}}"] = "damaged",
      }
      for content, message in pairs(contents) do
        local file = assert(io.open(folder .. "/state", "w"))
        file:write(content)
        file:close()
        local process = start { "--port", "0", "--state", folder .. "/state" }
        assert.equal(1, process:wait())
        assert.truthy(process:errors():find(message, 1, true), process:errors())
        assert.is_nil(process:errors():find("traceback", 1, true))
        assert.equal(content, support.read_file(folder .. "/state"))
      end
      local process = start { "--port", "0", "--state", folder .. "/nowhere/state" }
      assert.equal(1, process:wait())
      assert.truthy(process:errors():find("nowhere", 1, true))
      support.remove_folder(folder)
    end)

    it("exits with its standard input when asked, and only then", function()
      local process, facts = start_json({ "--exit-with-stdin" }, { stdin = true })
      assert.equal(200, support.request(facts, { path = list_path }).status)
      process:end_input()
      assert.equal(0, process:wait())
      local other, other_facts = start_json({}, { stdin = true })
      other:end_input()
      socket.sleep(0.1)
      assert.equal(200, support.request(other_facts, { path = list_path }).status)
    end)

    it("ends at once when its standard input is over from the start", function()
      local command = ("timeout 10 %s bin/confidentai sandbox --port 0 --exit-with-stdin </dev/null 2>&1"):format(lua)
      local output, status = support.shell(command)
      assert.equal(0, status)
      assert.is_nil(output:find("unable", 1, true), output)
    end)

    it("leaves nothing behind when it is killed", function()
      local process, facts = start_json {}
      process:kill("sigkill")
      process:wait()
      assert.is_true(support.eventually(function() return not support.is_running(facts.pid) end))
    end)
  end)
end

describe("the command confidentai", function()
  local function run(arguments)
    return support.shell("lua5.4 bin/confidentai " .. arguments .. " 2>&1")
  end

  it("shows its version and its help", function()
    local text, status = run("--version")
    assert.equal(0, status)
    assert.truthy(text:find("^confidentai %S+\n$"))
    text, status = run("--help")
    assert.equal(0, status)
    assert.truthy(text:find("sandbox", 1, true))
    text, status = run("sandbox --help")
    assert.equal(0, status)
    assert.truthy(text:find("--generation", 1, true))
    assert.is_nil(text:find("exit-with-fd", 1, true))
  end)

  it("refuses what it does not know with status 2", function()
    for _, arguments in ipairs { "", "nope", "--nope", "sandbox --nope" } do
      local text, status = run(arguments)
      assert.equal(2, status, arguments)
      assert.truthy(text:find("Usage", 1, true))
      assert.is_nil(text:find("traceback", 1, true))
    end
  end)

  it("can be run from anywhere", function()
    local text, status = support.shell(
      "here=$PWD; cd / && env -u LUA_PATH lua5.4 \"$here/bin/confidentai\" --version")
    assert.equal(0, status)
    assert.truthy(text:find("^confidentai"))
  end)

  it("names the remedies when no interpreter has lua-http", function()
    local folder = support.temporary_folder()
    support.shell("for tool in env sh; do ln -s $(command -v $tool) " .. folder .. "; done")
    support.shell("ln -s $(command -v lua5.4) " .. folder .. "/lua")
    local text, status = support.shell("PATH=" .. folder .. " lua bin/confidentai sandbox --port 0 2>&1")
    support.remove_folder(folder)
    assert.equal(1, status)
    assert.truthy(text:find("apt-get install", 1, true))
    assert.truthy(text:find("luarocks install http", 1, true))
  end)
end)
