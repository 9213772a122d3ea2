-- SPDX-License-Identifier: Apache-2.0
-- Command lines that a person can paste into a shell, whatever the names in them are.

local command_line = {}

---Quotes a word for a POSIX shell, if it needs that.
---@param word string
---@return string
function command_line.quote(word)
  return word:find "^[%w_.,:/@+-][%w_.,:/@~+-]*$" and word or "'" .. word:gsub("'", "'\\''") .. "'"
end

---Gives the words of an option with its value: one word where the value could be taken for an option.
---@param name string such as "--project"
---@param value string
---@return string ...
function command_line.option(name, value)
  if value:sub(1, 1) == "-" then
    return name .. "=" .. value
  end
  return name, value
end

---Writes a command line.
---@param words string[]
---@param more? string[] options, which go before a word "--", else to the end
---@return string
function command_line.text(words, more)
  local parts, added = {}, false
  local function add()
    for _, word in ipairs(not added and more or {}) do
      parts[#parts + 1] = command_line.quote(word)
    end
    added = true
  end
  for _, word in ipairs(words) do
    if word == "--" then
      add()
    end
    parts[#parts + 1] = command_line.quote(word)
  end
  add()
  return table.concat(parts, " ")
end

---Writes a command line about one key.
---@param verb string such as "keys get"
---@param operand string|number an id or a name
---@param project_id? string
---@return string
function command_line.about(verb, operand, project_id)
  local text = type(operand) == "number" and ("%.0f"):format(operand) or operand
  local words = { text }
  if text:sub(1, 1) == "-" then
    words = { "--", text }
  end
  return ("confidentai %s %s"):format(verb,
    command_line.text(words, project_id and { command_line.option("--project", project_id) }))
end

return command_line
