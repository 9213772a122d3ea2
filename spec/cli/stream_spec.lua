-- SPDX-License-Identifier: Apache-2.0
-- Standard output that takes nothing now, or nothing at all.

local command = require "spec.cli.command"
local process = require "spec.process"
local support = require "spec.support"
local uv = require "luv"

describe("standard output", function()
  local service = support.service()

  -- A pipe that does not block, and is full. Returns its ends.
  local function full_pipe()
    local ends = assert(uv.pipe({ nonblock = true }, { nonblock = true }))
    while uv.fs_write(ends.write, ("x"):rep(4096)) do end
    while uv.fs_write(ends.write, "x") do end
    return ends
  end

  -- Starts the command with its standard output, or error, in such a pipe: libuv makes 0 to 2 block again.
  local function start(words, ends, redirection)
    local list = { "-c", "exec \"$0\" bin/confidentai \"$@\" " .. redirection, process.interpreter() }
    for _, word in ipairs(words) do
      list[#list + 1] = word
    end
    local environment = uv.os_environ()
    for name, value in pairs { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url,
      CURL_CA_BUNDLE = service.ca_file, LUA_PATH = package.path, LUA_CPATH = package.cpath } do
      environment[name] = value
    end
    local variables, child = {}, {}
    for name, value in pairs(environment) do
      variables[#variables + 1] = name .. "=" .. value
    end
    child.handle = assert(uv.spawn("sh", { args = list, stdio = { nil, nil, nil, ends.write }, env = variables },
      function(status) child.status = status end))
    return child
  end

  local function read_all(ends, child)
    local parts, deadline = {}, uv.now() + 10000
    repeat
      uv.run "nowait"
      uv.update_time()
      local piece = uv.fs_read(ends.read, 65536)
      parts[#parts + 1] = piece
    until child.status and (not piece or piece == "") or uv.now() > deadline
    uv.fs_close(ends.read)
    uv.fs_close(ends.write)
    return (table.concat(parts):gsub("^x+", ""))
  end

  local function wait_until(condition)
    local deadline = uv.now() + 5000
    while not condition() and uv.now() < deadline do
      uv.run "nowait"
      uv.sleep(10)
      uv.update_time()
    end
  end

  it("that is full and does not block is waited for: no key is deleted, and its secret arrives", function()
    local ends = full_pipe()
    local child = start({ "keys", "create", "ci", "--print-secret", "--quiet" }, ends, ">&3")
    wait_until(function() return #support.keys_named(service, "ci") > 0 end)
    uv.sleep(200)
    local output = read_all(ends, child)
    assert.equal(0, child.status)
    assert.equal(support.keys_named(service, "ci")[1].value .. "\n", output)
  end)

  it("that does not block gets all of a long output, as does standard error", function()
    local api_keys = support.client(service):organization().api_keys
    for i = 1, 40 do
      api_keys:create(("n"):rep(2000) .. i)
    end
    local ends = full_pipe()
    local child = start({ "keys", "list", "-o", "json" }, ends, ">&3")
    local output = read_all(ends, child)
    assert.equal(0, child.status)
    assert.is_true(#output > 70000 and #command.json(output) == 42, #output)
    ends = full_pipe()
    child = start({ "keys", "get", "999" }, ends, "2>&3")
    assert.matches("^confidentai: key 999 of the organization: [^\n]+\n  [^\n]+\n$", read_all(ends, child))
  end)

  it("that cannot be written ends help, version and pages with a message and status 1", function()
    for _, words in ipairs { { "--help" }, { "--version" }, { "keys", "--help" }, { "keys", "list", "-h" },
      { "manual" }, { "completion", "bash" }, { "keys", "list" } } do
      local result = command.run(service, words, { shell = "$command >/dev/full" })
      assert.equal(1, result.status, table.concat(words, " "))
      assert.matches("cannot write to standard output", result.errors)
    end
  end)
end)
