-- SPDX-License-Identifier: Apache-2.0
-- Command lines that continue from this run: with its options, or itself again with others.

local command_line = require "confidentai.command_line"

local continuation = {}

-- The command line of this run: its words, and as it was parsed; nil: not yet.
local words_given, parsed

---Notes the command line of this run.
---@param words string[]
---@param arguments? table parsed
function continuation.note(words, arguments)
  words_given, parsed = words or words_given, arguments or parsed
end

-- Options that say who, where and which records: a later command needs the same.
local KEPT = { { "profile", "--profile" }, { "base_url", "--base-url" }, { "region", "--region" },
  { "ca_file", "--ca-file" } }

-- The options of this run that another command line needs, as words: of the records only where it reads them.
local function kept(arguments, with_state)
  local list = {}
  local function add(name, option)
    if arguments[name] then
      for _, word in ipairs { command_line.option(option, arguments[name]) } do
        list[#list + 1] = word
      end
    end
  end
  if with_state then
    add("state_dir", "--state-dir")
  end
  for _, pair in ipairs(KEPT) do
    add(pair[1], pair[2])
  end
  return list
end

---The options of this run that another one about the same rotations needs: "" or " --state-dir ...".
---@param arguments table parsed
---@return string
function continuation.options(arguments)
  local text = command_line.text(kept(arguments, true))
  return text ~= "" and " " .. text or ""
end

-- Options without a value that a change may drop.
local FLAGS = { ["--ask-old-secret"] = true }

-- The words of this run again, without some options, with other stores, and with more options.
local function again(change)
  local list, added, stores, i = { "confidentai" }, false, 0, 1
  local function add()
    for _, word in ipairs(not added and change.add or {}) do
      list[#list + 1] = word
    end
    added = true
  end
  local function option(word)
    local name, value = word:match "^(%-%-[%l-]+)=(.*)$"
    return name or word, value
  end
  while words_given[i] do
    local word, dropped, swapped = words_given[i], false, nil
    local name, value = option(word)
    if word == "--" then
      add()
    end
    for _, drop in ipairs(not added and change.drop or {}) do
      dropped = dropped or name == drop
    end
    if name == "--store" and not added then
      stores = stores + 1
      swapped = (change.swap or {})[stores]
    end
    local takes_next = value == nil and not FLAGS[name]
    if swapped then
      list[#list + 1], list[#list + 2] = "--store", swapped
      i = i + (takes_next and 1 or 0)
    elseif dropped then
      i = i + (takes_next and 1 or 0)
    else
      list[#list + 1] = word
    end
    i = i + 1
  end
  add()
  return list
end

-- One command line of a way.
local function line(step, arguments)
  if step.again then
    return command_line.text(again(step.again))
  elseif step[1] ~= "confidentai" then
    return command_line.text(step)
  end
  return command_line.text(step, arguments and kept(arguments, step[2] == "rotate"))
end

---A way on, as one line for a shell.
---@param way confidentai.Way
---@param arguments? table parsed; default: those of this run
---@return string
function continuation.line(way, arguments)
  local list = {}
  for i, step in ipairs(way.steps) do
    list[i] = line(step, arguments or parsed)
  end
  return table.concat(list, " && ")
end

return continuation
