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
}

describe("CONTRIBUTING.md", function()
  it("shows commands that are there, and that tests run", function()
    for _, block in ipairs(page:blocks "sh") do
      for line in block.text:gmatch "[^\n]+" do
        local command = line:gsub("^[%u_]+=%S+ ", ""):match "^%S+"
        local where = assert(RUN_BY[command], command)
        assert.is_truthy(assert(folders.read(where)):find(command, 1, true), where)
        assert.equal(0, (process.start("test", { "-x", command }):finish()), command)
        for path in line:gsub("%s#.*", ""):gmatch "%S+/%S+%.lua" do
          assert.is_string(folders.read(path), path)
        end
      end
    end
  end)

  page:all_are_run()
end)
