-- SPDX-License-Identifier: Apache-2.0
-- A command in one argument: split into words as a shell does it, but nothing is expanded, as no shell is run.

local shell_words = {}

-- What a shell would act on, where it is not quoted.
local ACTIVE = "[$`|&;<>()*?\n]"

-- What is quoted from position `at` on, which is just after the opening quote: the text, and where it goes on.
local function quoted(text, at, quote)
  local parts = {}
  while at <= #text do
    local character = text:sub(at, at)
    if character == quote then
      return table.concat(parts), at + 1
    elseif character == "\\" and quote == '"' and text:find('^["\\]', at + 1) then
      at = at + 1
      character = text:sub(at, at)
    end
    parts[#parts + 1] = character
    at = at + 1
  end
  return nil, "a quote is not closed"
end

-- One word from position `at` on, where it begins: the word, and where it ends.
local function word(text, at)
  local parts = {}
  while at <= #text and not text:find("^[ \t]", at) do
    local character = text:sub(at, at)
    local part
    if character == "'" or character == '"' then
      part, at = quoted(text, at + 1, character)
      if not part then
        return nil, at
      end
    elseif character == "\\" then
      if at == #text then
        return nil, "it ends in a backslash"
      end
      part, at = text:sub(at + 1, at + 1), at + 2
    elseif character:find(ACTIVE) then
      return nil, ("'%s' outside of quotes needs a shell, and no shell is run"):format(character)
    else
      part, at = character, at + 1
    end
    parts[#parts + 1] = part
  end
  return table.concat(parts), at
end

---Splits a command into its words. Single and double quotes and backslashes are a POSIX shell's.
---@param text string
---@return string[]? list nil: it cannot be split
---@return string? problem
function shell_words.split(text)
  local list, at = {}, text:find "[^ \t]"
  while at do
    local found, next = word(text, at)
    if not found then
      return nil, next
    end
    list[#list + 1] = found
    at = text:find("[^ \t]", next)
  end
  return list
end

return shell_words
