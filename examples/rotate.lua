-- SPDX-License-Identifier: Apache-2.0
-- Gives an application a key, in a file, and rotates it. Kill it at any moment, kill -9 too, and run it again: it goes
-- on.
--
--   scripts/demo                                                runs it beside a sandbox, without an account
--   CONFIDENT_ORG_API_KEY=... lua examples/rotate.lua FOLDER    runs it against the service; FOLDER: for the key's file
--                                                               and the records, on a disk

local confidentai = require "confidentai"

local check = confidentai.check
local folder = arg[1] or error("usage: rotate.lua FOLDER", 0)

local client = check(confidentai.new()) -- with the organization key in CONFIDENT_ORG_API_KEY
local project = check(client.projects:list())[1]
local api_keys = client:project(project.id).api_keys
local store = confidentai.store.file { path = folder .. "/application.key" }

-- Tells of each step, as a log would.
local function tell(step)
  print(("  %-9s %s"):format(step.state, step.what))
end

print(("A key for an application, in project %s, created exactly once:"):format(project.name))
local key = check(api_keys:provision("application", { store = store, state_dir = folder .. "/state", on_step = tell }))
print(("It is %s, and in %s.\n"):format(tostring(key), store.label))

-- In earnest, `soak` and `grace` are days: both keys work until the new one has been taken over, and the old one is
-- kept, disabled, for a while. A later run of `advance`, from cron say, goes on (docs/rotation.md).
print "Its rotation, without soak and grace:"
local rotation = check(api_keys:rotate(key, {
  store = store, state_dir = folder .. "/state", soak = 0, grace = 0, on_step = tell,
}))
print("\n" .. rotation:status().text)

print "\nWhat the service has now:"
for _, now in ipairs(check(api_keys:find "application")) do
  print("  " .. tostring(now))
end
