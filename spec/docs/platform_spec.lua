-- SPDX-License-Identifier: Apache-2.0
-- docs/platform.md: the sandbox serves every route of keys that the page has, with the answers that it says; comments
-- cite the page by its path.

local core = require "confidentai.core"
local folders = require "spec.folders"
local pages = require "spec.docs.pages"
local support = require "spec.sandbox.support"

local page = pages.open "docs/platform.md"

-- The rows of a section's first table: { method, route, body, data }.
local function rows(heading)
  local found = {}
  local section = assert(page.text:match("\n## " .. heading .. "\n(.-)\n## "))
  for method, route, body, data in section:gmatch "\n| (%u+) P`([^`]+)` | ([^|]*) ?| ([^\n]*) |" do
    found[#found + 1] = { method = method, route = route, body = body, data = data }
  end
  return found
end

describe("docs/platform.md", function()
  local service = support.service { generation = 2, projects = { "web" } }

  local function ask(prefix, row, id, body)
    local path = prefix .. row.route:gsub("{id}", ("%.0f"):format(id))
    return support.request(service, { method = row.method, path = path, body = body })
  end

  local function names(record)
    local list = {}
    for name in pairs(record) do list[#list + 1] = name end
    table.sort(list)
    return table.concat(list, " ")
  end

  for heading, version in pairs { ["Keys, first API"] = "/v1", ["Keys, newer API"] = "/v2" } do
    it("tells how the sandbox answers: " .. heading, function()
      local bodies = { POST = { name = "n" }, PUT = { valid = true } }
      assert.equal(version == "/v1" and 5 or 6, #rows(heading))
      for _, prefix in ipairs { version .. "/organization", version .. "/projects/" .. service.projects[1].id } do
        for _, row in ipairs(rows(heading)) do
          local body = row.route:find("rotate", 1, true) and { gracePeriodInHours = 1 } or bodies[row.method]
          -- The organization's first key is the one that asks.
          local answer = ask(prefix, row, prefix:find("organization", 1, true) and 2 or 1, body)
          assert.equal(200, answer.status, row.method .. row.route)
          local data = answer.data
          local is_bare = row.data:find "^`Key2`" or row.data:find "^without a grace"
          if is_bare then
            assert.is_truthy(data.id and data.value and data.created_at and data.expiresAt, row.route)
          elseif row.data:find "^`{apiKey: " then
            assert.equal("apiKey", names(data))
          elseif row.method == "DELETE" then
            assert.equal(version == "/v1" and "deleted id" or "id", names(data))
          else
            assert.equal("apiKeys", names(data))
          end
        end
      end
    end)
  end

  it("has all fields of a key that the sandbox sends", function()
    local key = support.request(service, { path = "/v2/organization/api-keys" }).data.apiKeys[1]
    for name in pairs(key) do
      assert.is_truthy(name == "createdBy" or page.text:find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("is cited by its path", function()
    local function look(folder)
      for _, name in ipairs(assert(core.file.list(folder))) do
        local path = folder .. "/" .. name
        if core.file.list(path) then
          look(path)
        else
          assert.is_nil(folders.read(path):find("platform page", 1, true), path)
        end
      end
    end
    look "lua"
    look "src"
  end)

  page:links_are_good()
  page:all_are_run()
end)
