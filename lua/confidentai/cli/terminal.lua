-- SPDX-License-Identifier: Apache-2.0
-- What the standard streams are connected to, and what a terminal can show.

local terminal = {}

-- Columns where nobody says how many there are.
local DEFAULT_WIDTH = 80

-- The core, or nil: `--help`, the manual and completions do without.
local function core()
  local ok, found = pcall(require, "confidentai.core")
  return ok and type(found) == "table" and found or nil
end

---The columns of the terminal behind a descriptor; nil: it is none.
---@param descriptor integer 0, 1 or 2
---@return integer?
function terminal.width(descriptor)
  local found = core()
  local columns = found and found.terminal(descriptor)
  if not columns then
    return nil
  end
  local given = tonumber(os.getenv "COLUMNS" or "")
  return given and given > 0 and math.floor(given) or columns > 0 and columns or DEFAULT_WIDTH
end

---Returns true if colour is wanted on a descriptor (https://no-color.org). A terminal of an unknown kind may show its
---codes.
---@param descriptor integer
---@param refused? boolean --no-color
---@return boolean
function terminal.colour(descriptor, refused)
  local no_color, term = os.getenv "NO_COLOR", os.getenv "TERM"
  local known = term ~= nil and term ~= "" and term ~= "dumb"
  return not refused and (no_color == nil or no_color == "") and known and terminal.width(descriptor) ~= nil
end

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

---A text in a colour.
---@param text string
---@param style? "bold"|"dim"|"red"|"green"|"yellow"
---@return string
function terminal.paint(text, style)
  return style and ("\27[%sm%s\27[0m"):format(CODES[style], text) or text
end

---Makes text of anybody's fit for a terminal: nothing in it is obeyed, reorders what stands beside it, or is unseen.
---@param text string
---@param lines? boolean line feeds and tabs stay; without, it becomes one line
---@return string
function terminal.clean(text, lines)
  local found = core()
  if found then
    return found.clean(text, lines)
  end
  text = text:gsub(lines and "[%z\1-\8\11-\31\127]" or "%c", " "):gsub("[\128-\255]", "?")
  return text
end

-- The number of the error that a signal makes of a wait.
local EINTR = 4

---Writes to a standard stream as it is. A stream that takes nothing now, also one that does not block, is waited for; a
---signal ends the wait on standard output.
---@param descriptor integer 1 or 2, or another that was given
---@param text string
---@return boolean? done nil: it cannot be written
---@return string? message
---@return integer? number of the system's error
function terminal.write(descriptor, text)
  local found = core()
  if not found then
    local file = descriptor == 1 and io.stdout or io.stderr
    local ok, message, number = file:write(text)
    if ok then
      ok, message, number = file:flush()
    end
    return ok and true, message, number
  end
  while true do
    local ok, message, number, written = found.stream.write(descriptor, text)
    if ok or number ~= EINTR then
      return ok, message, number
    elseif descriptor ~= 2 then
      require("confidentai.cli.interruption").check()
    end
    text = text:sub(written + 1)
  end
end

---Tells a person something on standard error: cleaned lines.
---@param text string its line feeds are ours; names and messages in it have been cleaned, or are cleaned by `say`
function terminal.tell(text)
  terminal.write(2, terminal.clean(text, true))
end

---Tells a person one line on standard error, whatever is in it.
---@param ... string its parts
function terminal.say(...)
  terminal.write(2, terminal.clean(table.concat { ... }) .. "\n")
end

---Asks for a line without showing it.
---@param question string
---@return string? line nil: there is nobody to ask
function terminal.ask_hidden(question)
  return terminal.width(0) and core().stream.ask_hidden(terminal.clean(question)) or nil
end

---What a question says that cannot be asked.
terminal.UNASKED = 'cannot ask "%s": standard input is not a terminal; nothing was changed'

---Asks a question that is answered by yes or no.
---@param question string
---@return boolean? yes nil: there is nobody to ask
function terminal.confirm(question)
  if not terminal.width(0) then
    return nil
  end
  terminal.write(2, terminal.clean(question) .. " [y/N] ")
  local line = io.read "*l"
  return line ~= nil and line:lower():match "^%s*y" ~= nil
end

return terminal
