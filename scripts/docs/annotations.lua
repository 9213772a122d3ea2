-- SPDX-License-Identifier: Apache-2.0
-- Writes the reference as annotations for lua-language-server: a file for each module, which declares and does nothing.

local annotations = {}

-- lua-language-server takes a comment's line for the tag after it, so the text of a tag stays on its line.
local function value(tag, made)
  local name = made.name and (made.name .. (made.optional and "?" or "")) or nil
  local words = tag == "return" and { made.type, made.name, made.text } or { name, made.type, made.text }
  local line = "---@" .. tag
  for i = 1, 3 do
    if words[i] and words[i] ~= "" then
      line = line .. " " .. words[i]
    end
  end
  return line
end

local function add_text(lines, text)
  if text and text ~= "" then
    lines[#lines + 1] = "---" .. text
  end
end

local function add_class(lines, class)
  lines[#lines + 1] = ""
  add_text(lines, class.text)
  lines[#lines + 1] = "---@class " .. class.name .. (class.parent and ": " .. class.parent or "")
  for _, field in ipairs(class.fields) do
    lines[#lines + 1] = value("field", field)
  end
end

local function add_function(lines, variable, made)
  lines[#lines + 1] = ""
  add_text(lines, made.text)
  for _, name in ipairs(made.generics) do
    lines[#lines + 1] = "---@generic " .. name
  end
  for _, param in ipairs(made.params) do
    lines[#lines + 1] = value("param", param)
  end
  for _, returned in ipairs(made.returns) do
    lines[#lines + 1] = value("return", returned)
  end
  lines[#lines + 1] = ("function %s%s%s(%s) end"):format(variable, made.separator, made.shown,
    table.concat(made.arguments, ", "))
end

---The file of a module.
---@param sections docs.Section[] all
---@param module string "confidentai"
---@return string text
function annotations.write(sections, module)
  local lines = {
    "-- SPDX-License-Identifier: Apache-2.0",
    "---@meta " .. module,
    "-- Written by scripts/reference: change the doc comments that it reads, and run it.",
  }
  local result
  for _, section in ipairs(sections) do
    if section.module == module then
      for _, class in ipairs(section.more) do
        add_class(lines, class)
      end
      add_class(lines, section.class)
      local variable = section.class.name == "confidentai.Module" and "confidentai"
        or section.class.name:match "[%w_]+$"
      if #section.functions > 0 then
        lines[#lines + 1] = ("local %s = {}"):format(variable)
      end
      for _, made in ipairs(section.functions) do
        add_function(lines, variable, made)
      end
      result = result or variable
    end
  end
  lines[#lines + 1] = "\nreturn " .. result
  return table.concat(lines, "\n") .. "\n"
end

return annotations
