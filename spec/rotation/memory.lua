-- SPDX-License-Identifier: Apache-2.0
-- A state in memory, for those who would otherwise wait for a disk thousands of times.

local memory = {}

---A state table, as the option state_dir takes it; `contents` has what is in it.
function memory.new()
  local contents, versions, count, held = {}, {}, 0, {}
  local state = { contents = contents }

  function state.get(key)
    return contents[key], versions[key]
  end

  function state.cas(key, bytes, version)
    if versions[key] ~= version then
      return nil, "conflict"
    end
    count = count + 1
    contents[key], versions[key] = bytes, bytes and tostring(count) or nil
    return bytes and versions[key] or true
  end

  function state.list(prefix)
    local keys = {}
    for key in pairs(contents) do
      if key:sub(1, #prefix) == prefix then
        keys[#keys + 1] = key
      end
    end
    table.sort(keys)
    return keys
  end

  function state.hold(key)
    if held[key] then
      return nil, "somebody"
    end
    held[key] = true
    return function() held[key] = nil end
  end

  return state
end

return memory
