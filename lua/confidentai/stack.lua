-- SPDX-License-Identifier: Apache-2.0
-- What stands on the stack between running code and the coroutine that it runs in.

local stack = {}

-- The C functions that a yield passes through in LuaJIT.
local passing = { [pcall] = true, [xpcall] = true }

---Whether, in LuaJIT, a C function such as gsub, sort or require called what runs now: no yield crosses it. nginx's
---table `coroutine` has no isyieldable, which would know.
---@return boolean
function stack.is_below_c()
  local level = 2
  while true do
    local frame = debug.getinfo(level, "Sf")
    if not frame then
      return false
    elseif frame.what == "C" and not passing[frame.func] then
      return true
    end
    level = level + 1
  end
end

return stack
