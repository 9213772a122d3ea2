-- SPDX-License-Identifier: Apache-2.0
-- For scripts/lint loops: finds assignments to the control variable of a for loop, which Lua 5.5 does not compile. By
-- the parser of luacheck, which Debian has for Lua 5.1:
--   lua5.1 scripts/loop_variables.lua FILE...

local decoder = require "luacheck.decoder"
local parser = require "luacheck.parser"

local failed, loops = false, 0
local path

-- Each scope is a table of the names in it (true: a control variable), which finds those around it by its metatable.
local function within(scope)
  return setmetatable({}, { __index = scope })
end

local visit

local function visit_all(nodes, scope)
  for _, node in ipairs(nodes) do
    visit(node, scope)
  end
end

local function declare(names, scope)
  for _, name in ipairs(names) do
    scope[name[1]] = false
  end
end

local function visit_function(node, scope)
  local inner = within(scope)
  declare(node[1], inner)
  visit_all(node[2], inner)
end

local function visit_loop(names, body, scope)
  local inner = within(scope)
  declare(names, inner)
  inner[names[1][1]] = true
  loops = loops + 1
  visit_all(body, inner)
end

local kinds = {}

function kinds.Function(node, scope)
  visit_function(node, scope)
end

function kinds.Fornum(node, scope)
  for i = 2, #node - 1 do
    visit(node[i], scope)
  end
  visit_loop({ node[1] }, node[#node], scope)
end

function kinds.Forin(node, scope)
  visit_all(node[2], scope)
  visit_loop(node[1], node[3], scope)
end

function kinds.Local(node, scope)
  visit_all(node[2] or {}, scope)
  declare(node[1], scope)
end

function kinds.Localrec(node, scope)
  declare({ node[1][1] or node[1] }, scope)
  visit_all(node[2] or {}, scope)
end

function kinds.Set(node, scope)
  visit_all(node[2], scope)
  for _, target in ipairs(node[1]) do
    if target.tag == "Id" and scope[target[1]] then
      failed = true
      local at = path .. ":" .. (target.line or node.line)
      print(("%s: assigns to %s, the control variable of a for loop"):format(at, target[1]))
    end
    visit(target, scope)
  end
end

-- The condition of a repeat sees what its body declares.
function kinds.Repeat(node, scope)
  local inner = within(scope)
  visit_all(node[1], inner)
  visit(node[2], inner)
end

visit = function(node, scope)
  if type(node) ~= "table" then
    return
  end
  local special = kinds[node.tag]
  if special then
    special(node, scope)
  else
    visit_all(node, node.tag and scope or within(scope)) -- without a tag: a block, or a list
  end
end

for _, file in ipairs(arg) do
  path = file
  local handle = assert(io.open(path))
  local text = handle:read "*a":gsub("^#!", "--")
  handle:close()
  visit(parser.parse(decoder.decode(text)), {})
end
print(("%d for loops, in %d files"):format(loops, #arg))
os.exit(not failed and loops > 100 and 0 or 1)
