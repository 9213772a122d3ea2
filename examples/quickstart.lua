-- SPDX-License-Identifier: Apache-2.0
-- A first program: shows the keys of an organization and its projects, then takes one new key through its life.
--
--   scripts/demo                                            runs it beside a sandbox, without an account
--   CONFIDENT_ORG_API_KEY=... lua examples/quickstart.lua   runs it against the service itself

local confidentai = require "confidentai"

-- Every call returns its result, or nil and an error. check returns the result or stops the program with the error,
-- which suits a short script.
local check = confidentai.check

-- Pads the cells of each column to the same width.
local function print_table(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, #text)
    end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for column, text in ipairs(row) do
      cells[column] = text .. (" "):rep(widths[column] - #text)
    end
    print("  " .. (table.concat(cells, "  "):gsub(" +$", "")))
  end
end

local function state(key)
  return key.valid and "enabled" or "disabled"
end

local client = check(confidentai.new()) -- with the organization key in CONFIDENT_ORG_API_KEY

-- Keys belong to the organization or to one of its projects. Both kinds are handled alike: scope.api_keys.
local scopes = { { name = "organization", api_keys = client:organization().api_keys } }
for _, project in ipairs(check(client.projects:list())) do
  scopes[#scopes + 1] = { name = "project " .. project.name, api_keys = client:project(project.id).api_keys }
end

print "All keys, their secrets masked:"
local rows = { { "SCOPE", "ID", "NAME", "STATE", "SECRET", "LAST USED" } }
for _, scope in ipairs(scopes) do
  for _, key in ipairs(check(scope.api_keys:list())) do
    rows[#rows + 1] = { scope.name, tostring(key.id), key.name, state(key), key.value, key.last_used or "never" }
  end
end
print_table(rows)

local scope = check(scopes[2], "the organization has no project yet: make one first")
local api_keys = scope.api_keys

local key = check(api_keys:create "quickstart")
print(("\nCreated key %s for %s. Its secret, shown this once and never again:"):format(tostring(key.id), scope.name))
print("  " .. key.value)

local function show(what)
  local now = check(api_keys:get(key.id))
  print(("%s: key %s, %s, is %s; its secret reads %s"):format(what, tostring(now.id), now.name, state(now), now.value))
end

show "\nAs the service tells it from now on"
check(api_keys:disable(key.id))
show "Disabled"
check(api_keys:enable(key.id))
show "Enabled "
check(api_keys:delete(key.id))
print(("Deleted : %d keys named quickstart are left"):format(#check(api_keys:find "quickstart")))
