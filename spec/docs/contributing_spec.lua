-- SPDX-License-Identifier: Apache-2.0
local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local process = require "spec.process"

local page = pages.open "CONTRIBUTING.md"

-- Each command is one that tests run all the same, in these files. To run them here would be to build and test all,
-- again.
local RUN_BY = {
  ["scripts/build"] = "scripts/test", ["scripts/run"] = "spec/CMakeLists.txt", ["scripts/lint"] = "spec/CMakeLists.txt",
  ["scripts/test"] = ".ci/run", ["packaging/build"] = "spec/packaging/deb.sh", ["scripts/fuzz"] = "spec/CMakeLists.txt",
  ["scripts/version"] = "spec/packaging/release.sh", ["scripts/release"] = "spec/packaging/release.sh",
  ["busted"] = ".busted",
}

describe("CONTRIBUTING.md", function()
  it("shows commands that are there, and that tests run", function()
    for _, block in ipairs(page:blocks "sh") do
      for line in block.text:gmatch "[^\n]+" do
        local command = line:gsub("^[%u_]+=%S+ ", ""):match "^%S+"
        local where = assert(RUN_BY[command], command)
        assert.is_truthy(assert(folders.read(where)):find(command, 1, true), where)
        if command:find "/" then
          assert.equal(0, (process.start("test", { "-x", command }):finish()), command)
        end
        for path in line:gsub("%s#.*", ""):gmatch "%S+/%S+%.lua" do
          assert.is_string(folders.read(path), path)
        end
      end
    end
  end)

  it("shows targets of make that run programs of this repository", function()
    local count = 0
    for line in page:block("make").text:gmatch "[^\n]+" do
      local dry = line:gsub("^make", "make --no-print-directory -n")
      local status, _, output = process.start("sh", { "-c", dry }):finish()
      assert.equal(0, status, line)
      for program in output:gmatch "(%S+)[^\n]*" do
        assert.equal(0, (process.start("test", { "-x", program }):finish()), line .. ": " .. program)
        count = count + 1
      end
    end
    assert.is_true(count > 5)
  end)

  it("runs one spec by plain busted, on whatever Lua that is", function()
    local without = { CONFIDENTAI_BUILD = false, LUA_PATH = false, LUA_CPATH = false }
    local words = { "--pattern=plain", "spec/docs/plain.lua" }
    local status, _, output = process.start("busted", words, without):finish()
    assert.equal(0, status, output)
    assert.matches("1 success", output)
    table.insert(words, "--helper=spec/nothing.lua")
    assert.not_equal(0, (process.start("busted", words, without):finish()))
  end)

  page:all_are_run()
end)
