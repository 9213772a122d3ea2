-- SPDX-License-Identifier: Apache-2.0
-- Signals, and readers that have gone: nothing is left half done, and what is left is said.

local command = require "spec.cli.command"
local folders = require "spec.folders"
local process = require "spec.process"
local tools = require "spec.sandbox.support"
local support = require "spec.support"

local STATUS = { sighup = 129, sigint = 130, sigterm = 143 }

describe("a signal", function()
  local service = support.service()
  local folder = folders.each()

  local function wait_for_request(method)
    assert.is_true(tools.eventually(function() return #support.requests(service, method) > 0 end))
  end

  for name, status in pairs(STATUS) do
    it(name .. " ends a wait, also one for many", function()
      for _, words in ipairs { { "keys", "list" }, { "keys", "list", "--all-projects" } } do
        assert(service:reset())
        service:fault { type = "hang", operation = "list", times = -1 }
        local child = command.start(service, words)
        wait_for_request "GET"
        tools.shell "sleep 0.1"
        child:kill(name)
        local ended, signal, output, errors = child:finish()
        assert.same({ status, 0, "" }, { ended, signal, output }, errors)
        assert.equal(("confidentai: ended by %s\n"):format(name:upper()), errors)
      end
    end)
  end

  it("that was ignored when the command was started stays ignored", function()
    folders.write(folder.path .. "/lua", ("#!/bin/sh\nexec %s \"$@\"\n"):format(process.interpreter()), 493)
    for name, ignored in pairs { INT = "sigint", HUP = "sighup", TERM = "sigterm" } do
      for _, trap in ipairs { ("trap '' %s;"):format(name), "" } do
        assert(service:reset())
        service:fault { type = "delay", seconds = 0.5, operation = "list" }
        local child = command.start(service, {}, { shell = ("PATH=%s:$PATH; %s exec bin/confidentai keys list --quiet")
          :format(folder.path, trap) })
        wait_for_request "GET"
        child:kill(ignored)
        local ended, _, _, errors = child:finish()
        assert.equal(trap == "" and STATUS[ignored] or 0, ended, errors)
      end
    end
  end)

  it("during a change says that it may have happened", function()
    service:fault { type = "delay", seconds = 5, method = "PUT" }
    local child = command.start(service, { "keys", "disable", "1", "--project", service.projects[1].id, "--quiet" })
    wait_for_request "PUT"
    child:kill "sigint"
    local status, _, _, errors = child:finish()
    assert.equal(130, status)
    assert.is_truthy(errors:find("may be disabled by now; see: confidentai keys get 1 --project", 1, true), errors)
  end)

  it("during a create waits for its end, and leaves no key", function()
    service:fault { type = "delay", seconds = 0.5, operation = "create" }
    local child = command.start(service, { "keys", "create", "ci", "--print-secret" })
    wait_for_request "POST"
    child:kill "sigterm"
    local status, _, output, errors = child:finish()
    assert.equal(143, status, errors)
    assert.equal("", output)
    assert.is_truthy(errors:find "creating a key: waiting for the answer")
    assert.is_truthy(errors:find "deleted again")
    assert.equal(0, #support.keys_named(service, "ci"))
  end)

  it("that comes twice ends even that", function()
    service:fault { type = "delay", seconds = 10, operation = "create" }
    local child = command.start(service, { "keys", "create", "ci", "--print-secret" })
    wait_for_request "POST"
    child:kill "sigint"
    child:wait_for("signal again to stop now", "errors")
    child:kill "sigint"
    local _, signal = child:finish()
    assert.equal(2, signal)
  end)

  it("that is ignored stays ignored", function()
    service:fault { type = "delay", seconds = 0.5, operation = "list" }
    local child = command.start(service, { "keys", "list" }, { shell = "trap '' HUP; exec $command" })
    wait_for_request "GET"
    child:kill "sighup"
    assert.equal(0, (child:finish()))
  end)

  it("at a question ends the command", function()
    local project = service.projects[1].id
    local words = { "keys", "delete", "1", "--project", project }
    local child = command.start(service, words, { columns = 80, input = true })
    child:wait_for "[y/N]"
    child:write "\3" -- Ctrl-C
    local status, _, output = child:finish()
    assert.equal(130, status, output)
    assert.is_table(support.key_on_service(service, "project", 1, project))
  end)
end)

describe("standard output", function()
  local service = support.service()

  it("whose reader has gone ends the command quietly", function()
    for _, format in ipairs { "table", "json", "jsonl", "csv" } do
      local result = command.run(service, { "keys", "list", "-o", format },
        { shell = "{ sleep 0.1; $command; echo status $? >&2; } | exec 0<&-" })
      assert.equal("status 1\n", result.errors)
    end
  end)

  it("that is full, or closed, is an error", function()
    local result = command.run(service, { "keys", "list" }, { shell = "$command >/dev/full" })
    assert.equal(1, result.status)
    assert.is_truthy(result.errors:find "No space left")
    result = command.run(service, { "keys", "list" }, { shell = "$command >&-" })
    assert.equal(1, result.status)
    assert.is_truthy(result.errors:find "cannot write to standard output")
  end)

  it("is none of a socket's when all streams were closed", function()
    local result = command.run(service, { "keys", "list" }, { shell = "$command <&- >&- 2>&-" })
    assert.equal(1, result.status)
    for _, entry in ipairs(assert(service:log())) do
      assert.equal("GET", entry.method)
      assert.equal(200, entry.status)
    end
  end)
end)
