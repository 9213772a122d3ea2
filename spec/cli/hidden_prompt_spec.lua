-- SPDX-License-Identifier: Apache-2.0
-- The hidden prompt and signals: whatever stops or ends the command there, the echo is on afterwards, and what was
-- typed is not shown.

local command = require "spec.cli.command"
local support = require "spec.support"

local SECRET = "confident_us_proj_0123456789abcdefghij"

describe("the hidden prompt", function()
  local service = support.service()

  -- A shell with job control at the terminal, which runs the command, then says whether there is an echo.
  local function start(after)
    return command.start(service, { "identify" }, { input = true, columns = 100,
      shell = "set -m; stty echo; $command; echo status $?; stty -a | grep -ow -- '-\\?echo'; " .. (after or "") })
  end

  local function ask(child)
    child:wait_for "(it is not shown):"
    child:write(SECRET:sub(1, 30))
  end

  local function finish(child)
    local _, _, output = child:finish()
    assert.is_nil(output:find(SECRET:sub(1, 30), 1, true), output)
    return (output:gsub("\r", ""))
  end

  it("restores the echo when it is ended by Ctrl-C, Ctrl-\\ or a signal", function()
    for byte, status in pairs { ["\3"] = 130, ["\28"] = 131 } do
      local child = start()
      ask(child)
      child:write(byte)
      local output = finish(child)
      assert.is_truthy(output:find("status " .. status .. "\n", 1, true), output)
      assert.is_truthy(output:find "\necho\n", output)
    end
  end)

  it("restores the echo when it is stopped by Ctrl-Z, and asks again after fg", function()
    local child = start "fg; echo then $?; stty -a | grep -ow -- '-\\?echo'"
    ask(child)
    child:write "\26"
    child:wait_for "status 148"
    child:wait_for "echo"
    local _, count = child.output:gsub("%(it is not shown%):", "")
    assert.is_true(count >= 1)
    local deadline = require("confidentai.core").now() + 5
    repeat
      require("luv").run "nowait"
      _, count = child.output:gsub("%(it is not shown%):", "")
    until count == 2 or require("confidentai.core").now() > deadline
    assert.equal(2, count, child.output)
    child:write(service.projects[1].api_key .. "\n")
    local output = finish(child)
    assert.is_truthy(output:find "\necho\n", output)
    assert.is_truthy(output:find("then 0\necho\n", 1, true), output)
    assert.is_nil(output:find(service.projects[1].api_key, 1, true), output)
  end)
end)
