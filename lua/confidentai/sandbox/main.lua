-- SPDX-License-Identifier: Apache-2.0
-- Runs the sandbox in an interpreter of its own: `luajit .../confidentai/sandbox/main.lua '{"port":8787}'`.
-- The options come as JSON, since this interpreter need not have a command line parser.

local root = arg[0]:match("^(.*)[/\\]confidentai[/\\]sandbox[/\\]main%.lua$")

-- Only this project's modules come from here: the folder may belong to another version of Lua.
table.insert(package.searchers or package.loaders, 2, function(name)
  if not root or not name:find("^confidentai%.") then return nil end
  local base = root .. "/" .. name:gsub("%.", "/")
  for _, file in ipairs { base .. ".lua", base .. "/init.lua" } do
    local handle = io.open(file)
    if handle then
      handle:close()
      return assert(loadfile(file))
    end
  end
end)

require("confidentai.search_path").drop_relative()
if arg[1] == "probe" then -- of interpreter.lua: is this one that can run the sandbox?
  os.exit(require("confidentai.sandbox.interpreter").is_suitable() and 0 or 1)
end

local json = require "confidentai.sandbox.json"
local options = require "confidentai.sandbox.options"

local complete, message = options.complete(json.decode(arg[1] or "{}") or {})
if not complete then
  io.stderr:write("confidentai sandbox: ", message, "\n")
  os.exit(2)
end
os.exit(require("confidentai.sandbox.process").run(complete))
