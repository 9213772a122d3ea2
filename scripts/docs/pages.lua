-- SPDX-License-Identifier: Apache-2.0
-- Writes the reference as a page for people.

local pages = {}

local HEAD = [[
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by scripts/reference: change the doc comments that it reads, and run it. -->
# Reference

Every object, function and field that is for users. Types are those of
[LuaCATS](https://luals.github.io/wiki/annotations); `types/` has the same for lua-language-server, without the prefix
`confidentai.` here.

- `name?` may be absent, or nil.
- Times are seconds, unless a name or a text says otherwise.
- **Raises**: an argument of a wrong type, an unknown option, a malformed id, a method without its colon, a client that
  is closed. The message names the argument, and never quotes a value.
- **Returns `nil, err`**: whatever fails at run time. `err` is an [Error](#error); where nothing is said of it, it is
  what the service or the way to it said: of kind "api", "network", "timeout", "tls", "protocol" or "cancelled", or
  "config" where nothing can wait.
]]

local function type_text(type)
  return "`" .. type:gsub("confidentai%.", ""):gsub(" ?| ?", " or ") .. "`"
end

-- A text in lines that fit.
local function wrap(lines, text, first, further)
  local line = first
  for word in text:gmatch "%S+" do
    if #line + 1 + #word > 120 and line ~= first then
      lines[#lines + 1] = line
      line = further .. word
    else
      line = line .. ((line == first or line:find " $") and "" or " ") .. word
    end
  end
  lines[#lines + 1] = line
end

local function add_text(lines, text)
  if text and text ~= "" then
    lines[#lines + 1] = ""
    wrap(lines, text, "", "")
  end
end

local function add_fields(lines, fields)
  if #fields == 0 then
    return
  end
  lines[#lines + 1] = "\n| field | type | |\n| --- | --- | --- |"
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("| `%s%s` | %s | %s |"):format(field.name, field.optional and "?" or "", type_text(field.type),
      (field.text:gsub("|", "\\|")))
  end
end

local function add_values(lines, head, values)
  if #values == 0 then
    return
  end
  lines[#lines + 1] = ("\n%s:\n"):format(head)
  for _, value in ipairs(values) do
    local text = ("%s%s"):format(type_text(value.type), value.text ~= "" and ": " .. value.text or "")
    wrap(lines, ("`%s%s`, %s"):format(value.name, value.optional and "?" or "", text), "- ", "  ")
  end
end

-- "name, [options]"
local function arguments(made)
  local list = {}
  for i, param in ipairs(made.params) do
    list[i] = param.optional and ("[%s]"):format(param.name) or param.name
  end
  return table.concat(list, ", ")
end

local function add_function(lines, calls, made)
  lines[#lines + 1] = ("\n### `%s%s(%s)`"):format(calls, made.shown, arguments(made))
  add_text(lines, made.text)
  add_values(lines, "Arguments", made.params)
  add_values(lines, "Returns", made.returns)
end

local function add_class(lines, class)
  lines[#lines + 1] = ("\n### %s"):format((class.name:gsub("^confidentai%.", "")))
  add_text(lines, class.text)
  if class.parent then
    add_text(lines, ("It is a %s, with these fields:"):format(type_text(class.parent)))
  end
  add_fields(lines, class.fields)
end

---The page.
---@param sections docs.Section[]
---@return string text
function pages.write(sections)
  local lines = { HEAD }
  for i, section in ipairs(sections) do
    lines[i + 1] = ("- [%s](#%s)"):format(section.title, section.title:lower():gsub("%.", ""))
  end
  for _, section in ipairs(sections) do
    lines[#lines + 1] = ("\n## %s"):format(section.title)
    add_text(lines, section.class.text)
    add_fields(lines, section.class.fields)
    for _, made in ipairs(section.functions) do
      add_function(lines, section.calls, made)
    end
    for _, class in ipairs(section.more) do
      add_class(lines, class)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return pages
