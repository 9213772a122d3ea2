-- SPDX-License-Identifier: Apache-2.0
-- Packages that the pages tell readers to install. Tests cannot install them: they see that the project knows them.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local folders = require "spec.folders"

local packages = {}

-- What a reader comes with, and what libcurl4-openssl-dev brings along.
local OTHERS = { git = true, libcurl4 = true }

---Of lines of shell, those that do not install. The packages that the others name must be in scripts/install, which CI
---begins with.
function packages.without(text)
  local known, rest = assert(folders.read "scripts/install"), {}
  for line in text:gmatch "[^\n]+" do
    local list = (line:match "apt%-get install %-%-yes%f[ ](.*)" or ""):gsub("&&.*", "")
    for name in (list .. " "):gmatch " (%l[%w.-]+)%f[ ]" do
      local pattern = "%f[%w-]" .. name:gsub("[%-.]", "%%%0") .. "%f[^%w-]"
      assert.is_truthy(OTHERS[name] or known:find(pattern), name)
    end
    if not line:find "apt%-get " then
      rest[#rest + 1] = line
    end
  end
  return table.concat(rest, "\n")
end

return packages
