-- SPDX-License-Identifier: Apache-2.0
-- One variable of a .env file, found and changed; the rest stays byte for byte. Shells and the many readers of such
-- files agree on simple lines only: what they could read differently is refused, with what to do.

local dotenv = {}

local SIMPLE = "^[A-Za-z0-9_@%%+=:,./\128-\255-]*$" -- bare, with the same meaning everywhere
local BYTE_ORDER_MARK = "\239\187\191"

-- Where the quote that begins at `from` is closed: backslashes count in double quotes. nil: it is not.
local function closing(content, from, quote)
  if quote ~= '"' then
    return content:find(quote, from + 1, true)
  end
  local at = from + 1
  while true do
    at = content:find('["\\]', at)
    if not at or content:sub(at, at) == '"' then
      return at
    end
    at = at + 2
  end
end

-- The name that a line sets, and where its value begins: past the blanks after "=".
local function assignment(line)
  local name, after, at = line:match "^[ \t]*([%w_.-]+)[ \t]*=()[ \t]*()"
  if not name then
    name, after, at = line:match "^[ \t]*export[ \t]+([%w_.-]+)[ \t]*=()[ \t]*()"
  end
  return name, after, at
end

-- Whether one of the lines of a text sets the variable.
local function sets(text, variable)
  for line in text:gmatch "[^\n]+" do
    if assignment(line) == variable then
      return true
    end
  end
  return false
end

-- Returns true if some readers, but not this one, find the variable set in a line: by "NAME: value", "NAME+=value",
-- behind another assignment or word such as declare, or by csh's setenv.
local function may_set(line, variable)
  local before, after = line:match("^([^\"'`#]*)%f[%w_]" .. variable .. "%f[^%w_](.*)$")
  if not before or assignment(line) == variable then
    return false
  elseif before:find "^%s*$" then
    return after:find "^%s*[?+:]?=" or after:find "^:%s" or after:find "^%["
  elseif before:find "^%s*setenv%s+$" or before:find "^%s*set%s[%s%a-]*$" then
    return after:find "^%s+[^%s#]"
  end
  return before:find "[%s;]$" and after:find "^%+?="
end

-- Returns true if the line that ends before a position continues in the next one for some readers: an odd number of
-- backslashes is before its end.
local function continues(content, before)
  local last = before - (content:sub(before - 2, before - 2) == "\r" and 3 or 2)
  local at = last
  while content:sub(at, at) == "\\" do
    at = at - 1
  end
  return (last - at) % 2 == 1
end

-- The lines that set the variable: { number, from, value_at (past the blanks), after (right after "="), last }. `last`
-- is the last byte of the line, its end not counted.
local function lines_of(content, variable)
  local found, number = {}, 1
  local from = content:sub(1, 3) == BYTE_ORDER_MARK and 4 or 1
  while from <= #content do
    local line_end = content:find("\n", from, true) or #content + 1
    local line = content:sub(from, line_end - 1)
    local name, after, at = assignment(line)
    local quote = name and line:sub(at, at):match "[\"'`]"
    local close = quote and closing(content, from + at - 1, quote)
    if name == variable and from == 4 and content:sub(1, 3) == BYTE_ORDER_MARK then
      return nil, ("line 1 begins with a byte order mark, which many readers take for a part of the name %s: remove it")
        :format(variable)
    elseif may_set(line, variable) then
      return nil, ("line %d may set %s, too, which depends on its reader: remove it, or write it as %s='...'")
        :format(number, variable, variable)
    elseif name == variable and continues(content, from) then
      return nil, ("line %d sets %s, but the line above ends in a backslash, and may go on in it: complete that")
        :format(number, variable)
    elseif name == variable then
      found[#found + 1] = {
        number = number, from = from, after = from + after - 1, value_at = from + at - 1,
        last = line_end - 1 - (line:sub(-1) == "\r" and 1 or 0), close = close, quote = quote,
      }
    end
    if close and close > line_end and name ~= variable then
      if sets(content:sub(line_end + 1, close), variable) then
        return nil, ("line %d begins a quote in which %s seems to be set: close it on its line")
          :format(number, variable)
      end
      local _, lines = content:sub(from, close):gsub("\n", "")
      number = number + lines
      line_end = content:find("\n", close, true) or #content + 1
    end
    from, number = line_end + 1, number + 1
  end
  return found
end

local UNCLEAR = "what it means depends on its reader: write it as %s='...'"

-- Reads the value of a line: adds text, and the bytes first to last that stand for it, quotes included.
local function read_value(content, line, variable)
  local raw = content:sub(line.value_at, line.last)
  local quote = line.quote
  local text, tail
  if quote then
    if not line.close or line.close > line.last then
      return nil, "its quote is not closed on the line"
    end
    text, tail = content:sub(line.value_at + 1, line.close - 1), content:sub(line.close + 1, line.last)
    line.first, line.stop = line.value_at, line.close
    if quote == "`" or quote == '"' and text:find "[\\$`]" then
      return nil, UNCLEAR:format(variable)
    end
  elseif raw == "" or raw:find "^#" and line.value_at > line.after then
    -- A new value goes before the blanks, so that what follows stays a comment.
    text, tail = "", content:sub(line.after, line.last)
    line.first, line.stop = line.after, line.after - 1
  else
    text, tail = raw:match "^([^ \t]*)(.*)$"
    line.first, line.stop = line.value_at, line.value_at + #text - 1
    if not text:find(SIMPLE) then
      return nil, UNCLEAR:format(variable)
    end
  end
  if not (tail:find "^[ \t]*$" or tail:find "^[ \t]+#") then
    return nil, UNCLEAR:format(variable)
  end
  line.text = text
  return line
end

---Finds the line that sets a variable.
---@param content string
---@param variable string
---@return table|false|nil line with its value as `text`; false: no line sets it; nil: it cannot be told
---@return string? problem
function dotenv.find(content, variable)
  if content:find("\0", 1, true) then
    return nil, "it is not text: it has NUL bytes"
  end
  local found, problem = lines_of(content, variable)
  if not found then
    return nil, problem
  elseif #found == 0 then
    return false
  elseif #found > 1 then
    return nil, ("lines %d and %d both set %s: remove one"):format(found[1].number, found[2].number, variable)
  end
  local line
  line, problem = read_value(content, found[1], variable)
  if not line then
    return nil, ("line %d sets %s, but %s"):format(found[1].number, variable, problem)
  end
  return line
end

-- Whether quotes of a kind ("" for none) hold a text.
local function fits(text, quote)
  if text:find "[\r\n]" or text:find("\0", 1, true) then
    return false
  elseif quote == "" then
    return text:find(SIMPLE)
  end
  return not text:find(quote == "'" and "'" or '["\\$`]')
end

-- The text in these quotes; nil: they do not hold it.
local function quoted(text, quote)
  return fits(text, quote) and quote .. text .. quote or nil
end

-- Appends a line; one that is missing its end goes on missing it, which tells unset how the file was.
local function append(content, variable, text)
  local value = quoted(text, "") or quoted(text, "'")
  if not value then
    return nil, "the text has characters that no line of it can hold"
  end
  local line = variable .. "=" .. value
  local newline = content and content:find("\r\n", 1, true) and "\r\n" or "\n"
  if not content then
    return line .. newline
  elseif content == "" then
    return line
  elseif content:sub(-1) == "\n" then
    return content .. line .. newline
  elseif content:sub(-1) == "\r" then
    return nil, "it ends in half a line end: complete it"
  end
  return content .. newline .. line
end

-- The content with the text in the line that sets the variable.
local function change(content, line, text)
  local value = quoted(text, line.quote or "")
  if not value then
    return nil, ("line %d: the text has characters that %s cannot hold"):format(line.number,
      line.quote and "these quotes" or "a value without quotes")
  end
  return content:sub(1, line.first - 1) .. value .. content:sub(line.stop + 1)
end

---Sets a variable: in its line, quoted as it was, or in a new line at the end.
---@param content string|false false: there is no file
---@param variable string
---@param text string
---@return string? content
---@return string? problem
function dotenv.set(content, variable, text)
  local line, problem = dotenv.find(content or "", variable)
  if line == nil then
    return nil, problem
  end
  local changed
  if line then
    changed, problem = change(content, line, text)
  else
    changed, problem = append(content, variable, text)
  end
  if not changed then
    return nil, problem
  end
  line, problem = dotenv.find(changed, variable) -- the new quotes may close one that was left open above
  if not line then
    return nil, problem
  end
  return changed
end

---Removes the line that set added, and gives back what was there before.
---@param content string|false
---@param variable string
---@return string|false|nil content false: there was no file
---@return string? problem
function dotenv.unset(content, variable)
  local line, problem = dotenv.find(content or "", variable)
  if line == nil then
    return nil, problem
  elseif not line then
    return content
  end
  local _, line_end = content:find("^\r?\n", line.last + 1)
  if line_end then
    local rest = content:sub(1, line.from - 1) .. content:sub(line_end + 1)
    return rest ~= "" and rest
  end
  return (content:sub(1, line.from - 1):gsub("\r?\n$", ""))
end

return dotenv
