-- SPDX-License-Identifier: Apache-2.0
-- Does what a Dockerfile says, as far as this can be done without Docker: each stage has a folder for a root. Packages
-- are those of this machine.

local assert = require "luassert" -- in spec files, it and the words of busted are globals
local folders = require "spec.folders"
local gateway = require "spec.docs.gateway"
local packages = require "spec.docs.packages"

local dockerfile = {}

-- Instructions, in order: { name, text }.
local function parse(text)
  local list = {}
  for line in text:gsub("\n#[^\n]*", ""):gsub("%s*\\\n%s*", " "):gmatch "[^\n]+" do
    list[#list + 1] = { line:match "^(%u+)%s+(.*)$" }
  end
  return list
end

local run = {}

function run.FROM(state, text)
  local image, name = text:match "^(%S+) AS (%S+)$"
  image, name = image or text, name or "last"
  state.root = state.folder .. "/" .. name
  folders.shell("mkdir %s", state.root)
  state.system = gateway.system(state.root)
  if image:find "^openresty/openresty:" then
    -- What it has of its own: headers of its LuaJIT, which Debian packages, too.
    local headers = state.root .. "/usr/local/openresty/luajit/include/luajit-2.1"
    folders.shell("mkdir -p %s && cp -RL \"$(pkg-config --variable=includedir luajit)\"/. %s", headers, headers)
  else
    assert.matches("^debian:bookworm", image)
    local include = state.root .. "/usr/include"
    folders.shell("mkdir -p %s && ln -s \"$(pkg-config --variable=includedir luajit)\" %s", include,
      include .. "/luajit-2.1")
  end
end

function run.COPY(state, text)
  local from, source, target = text:match "^%-%-from=(%S+) (%S+) (%S+)$"
  if not from then
    source, target = text:match "^(%S+) (%S+)$"
  end
  local path, into = (from and state.folder .. "/" .. from or state.context) .. "/" .. source, state.root .. target
  if folders.read(path) then
    folders.shell("mkdir -p %s", into:match "^(.*)/")
    folders.shell("cp %s %s", path, into)
  else
    folders.shell("mkdir -p %s && cp -R %s/. %s", into, path, into)
  end
end

function run.RUN(state, text)
  for command in (text .. " && "):gmatch "(.-) && " do
    if not command:find "^rm %-rf /var/lib/apt" then
      state.system:run(state.system:map(packages.without(command)), { PKG_CONFIG = "/nonexistent" },
        { timeout = 120000 })
    end
  end
end

-- About a container that runs.
function run.VOLUME() end
function run.CMD() end
function run.STOPSIGNAL() end

---Runs a Dockerfile. Returns the system of its last stage.
---@param text string
---@param context string the folder of `.`
---@param folder string for the roots
function dockerfile.run(text, context, folder)
  local state = { context = context, folder = folder }
  folders.shell("chmod 755 %s", folder)
  for _, instruction in ipairs(parse(text)) do
    assert(run[instruction[1]], instruction[1])(state, instruction[2])
  end
  return state.system
end

return dockerfile
