-- SPDX-License-Identifier: Apache-2.0
-- The table of docs/comparison.md, measured again: this library always, the official SDKs where they are installed.
-- It fails when one of them has changed; then the table is what has to change.

local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local scenarios = require "spec.comparison.scenarios"
local subjects = require "spec.comparison.subjects"
local support = require "spec.support"

local page = pages.open "docs/comparison.md"

-- The cells of the document's table by row and column, and the columns.
local function table_of(text)
  local cells, columns = {}, nil
  for line in text:gmatch "[^\n]+" do
    local row = {}
    for cell in (line:match "^|(.*)$" or ""):gmatch "%s*(.-)%s*|" do
      row[#row + 1] = cell
    end
    if row[1] == "what happens" then
      columns = row
    elseif columns and #row == #columns and not row[1]:find "^%-" then
      cells[row[1]] = {}
      for i = 2, #row do
        cells[row[1]][columns[i]] = row[i]
      end
    end
  end
  return cells, columns
end

describe("the comparison", function()
  local cells, columns = table_of(page.text)
  local twenty = {}
  for i = 1, 20 do
    twenty[i] = "project" .. i
  end
  -- One seed: the key of one is known to the others, so that their logs can tell that it was sent to them.
  local services = {
    plain = support.service { seed = 7 },
    elsewhere = support.service { seed = 7, host = "127.0.0.2" },
    tls = support.service { seed = 7, tls = true },
    large = support.service { seed = 7, tls = true, projects = twenty },
  }

  it("has a row for everything that is looked at, and a column for everybody", function()
    local rows = {}
    for _, scenario in ipairs(scenarios) do
      rows[scenario.row] = true
    end
    for row in pairs(cells) do
      assert.is_true(rows[row], row)
    end
    for i, subject in ipairs(subjects) do
      assert.equal(subject.name, columns[i + 1])
    end
    assert.equal(1 + #subjects, #columns)
  end)

  it("names what is there", function()
    for name in page.text:gmatch "spec/comparison/[%w_.]+" do
      assert.is_string(folders.read(name), name)
    end
  end)

  page:links_are_good()
  page:leave("python3 -m venv", "the SDKs come from the network")
  page:all_are_run()

  for _, subject in ipairs(subjects) do
    describe("of " .. subject.name, function()
      local missing = subject.missing()
      for _, scenario in ipairs(missing and {} or scenarios) do
        it(scenario.row, function()
          local result = scenario.run(services[scenario.service or "plain"], subject, services.elsewhere)
          assert.equal((cells[scenario.row] or {})[subject.name], result)
        end)
      end
      if missing then
        pending(missing)
      end
    end)
  end
end)
