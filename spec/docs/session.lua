-- SPDX-License-Identifier: Apache-2.0
-- The session of scripts/session, which pages show.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local process = require "spec.process"

local session = {}

---What is the same in each run: without ids, secrets, times, and the widths of columns with them.
---@param text string
function session.plain(text)
  local rotation = text:match "Rotation (%w+) in"
  text = (rotation and text:gsub(rotation, "ROTATION") or text):gsub("%f[%w]c[%l%d]+%f[^%w]", function(word)
    return #word == 25 and "PROJECT" or word
  end)
  return (text:gsub("~g(%d)~[%l%d]+", "~g%1~OP"):gsub("%*+%S%S%S%S%S%S", "MASK")
    :gsub("ends in %S+", "ends in LAST"):gsub("%d+%-%d%d%-%d%d[T ]%d%d:%d%d[:%d.]*Z?", "TIME")
    :gsub("%d+ seconds? ago", "just now"):gsub(" +", " "))
end

---Holds it anew, and gives what it shows.
---@return string
function session.hold()
  local child = process.start("scripts/session", {}, { COLUMNS = false, NO_COLOR = false, LUA_PATH = false,
    LUA_CPATH = false, BUILD_ROOT = false, RUN_UNDER = false, LD_PRELOAD = false })
  local status, _, output, errors = child:finish()
  assert.equal(0, status, errors)
  return (output:gsub("\n+$", ""))
end

return session
