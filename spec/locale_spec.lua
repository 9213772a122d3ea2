-- SPDX-License-Identifier: Apache-2.0
-- A host that calls setlocale with a decimal comma: every answer was taken for something else than JSON, creates lost
-- their secrets, and Lua 5.1 raised where it read a time. No number passes through the locale.

local folders = require "spec.folders"
local process = require "spec.process"
local scene = require "spec.rotation.scene"

-- A locale of its own: which ones there are differs between machines.
local SOURCE = [[
comment_char %
escape_char /
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
]]

local SCRIPT = [[
local when, base_url, ca_file, api_key, project, state, key_file = ...
local function set() assert(os.setlocale("comma", "numeric"), "there is no such locale") end
if when == "before" then set() end
local confidentai = require "confidentai"
local check = confidentai.check
local client = check(confidentai.new { base_url = base_url, ca_file = ca_file ~= "" and ca_file or nil,
  api_key = api_key, timeout = 4.5 })
local keys = client:project(project).api_keys
check(keys:list())
if when == "after" then set() end
local created = check(keys:create "made under another locale")
assert(created.has_secret and created.value:find "^confident_")
assert(check(keys:get(created)).id == created.id and check(keys:disable(created)).valid == false)
assert(check(client:audit { max_age_days = 0.5 }).totals.keys > #check(keys:list()))
check(keys:delete(created))

local time, timestamp = require "confidentai.cli.time", require "confidentai.timestamp"
assert(select(2, timestamp.read "2026-11-23T14:05:00.25+00:00") == 1795442700 + 1 / 4)
assert(time.duration "2.5h" == 9000)
local core = require "confidentai.core"
assert(core.json_encode { 1 + 1 / 2 } == "[1" .. string.char(46) .. "5]")
local read = core.json_decode "[1.5,-2.5e-1,7]"
assert(read[1] == 1 + 1 / 2 and read[2] == -1 / 4 and read[3] == 7)

local now = os.time() + 1 / 2
local options = { store = confidentai.store.file { path = key_file }, state_dir = state, soak = 60.5, grace = 60.5,
  settle = 1.5, clock = function() return now end, pause = function(seconds) now = now + seconds end }
local rotation = check(keys:rotate(1, options))
assert(rotation.state == "soaking", rotation.state)
local again = check(confidentai.rotation.open(client, { state_dir = state, clock = options.clock }))[1]
assert(again.state == "soaking" and again:status().text)
if when == "after" then assert(os.setlocale("C", "numeric")) end
assert(#check(confidentai.rotation.open(client, { state_dir = state })) == 1)
check(keys:list())
print "all is well"
]]

describe("under a locale with a decimal comma", function()
  local s = scene.register { projects = { "web", "research" } }
  local folder = folders.each()

  before_each(function()
    local source = io.open(folder.path .. "/source", "w")
    source:write(SOURCE)
    source:close()
    -- It warns of what the source leaves out, with status 1.
    folders.shell("cd %s && { localedef -c -i source -f UTF-8 ./comma >/dev/null 2>&1; test -e comma/LC_NUMERIC; }",
      folder.path)
  end)

  for _, when in ipairs { "before", "after" } do
    it(("everything works, set %s the module is loaded"):format(when), function()
      s:store "key"
      local service = s.service
      local status, _, output, errors = process.start(process.interpreter(), { "-e", "arg = nil " ..
        "local run = assert((loadstring or load)(io.read '*a')) run('" .. table.concat({ when, service.base_url,
          service.ca_file or "", service.api_key, service.projects[1].id, s:path "state", s:path "key" }, "', '")
          .. "')" },
        { LOCPATH = folder.path }, SCRIPT):finish()
      assert.equal("", errors)
      assert.same({ 0, "all is well\n" }, { status, output })
    end)
  end
end)
