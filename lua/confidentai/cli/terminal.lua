-- SPDX-License-Identifier: Apache-2.0
-- What the standard streams are connected to, and what a terminal can show.

local terminal = {}

-- Columns where nobody says how many there are.
local DEFAULT_WIDTH = 80

---The columns of the terminal behind a descriptor; nil: it is none.
---@param descriptor integer 0, 1 or 2
---@return integer?
function terminal.width(descriptor)
  local columns = require("confidentai.core").terminal(descriptor) -- loaded late: `--help` shall start fast
  if not columns then
    return nil
  end
  local given = tonumber(os.getenv "COLUMNS" or "")
  return given and given > 0 and math.floor(given) or columns > 0 and columns or DEFAULT_WIDTH
end

---Whether colour is wanted on a descriptor (https://no-color.org).
---@param descriptor integer
---@param refused? boolean --no-color
---@return boolean
function terminal.colour(descriptor, refused)
  local no_color, term = os.getenv "NO_COLOR", os.getenv "TERM"
  return not refused and (no_color == nil or no_color == "") and term ~= "dumb" and terminal.width(descriptor) ~= nil
end

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

---A text in a colour.
---@param text string
---@param style? "bold"|"dim"|"red"|"green"|"yellow"
---@return string
function terminal.paint(text, style)
  return style and ("\27[%sm%s\27[0m"):format(CODES[style], text) or text
end

-- Runs stty for the terminal behind standard input. It sees no secret.
local function stty(setting)
  local result = os.execute("stty " .. setting .. " </dev/tty 2>/dev/null")
  return result == true or result == 0
end

---Asks for a line without showing it.
---@param question string
---@return string? line nil: there is nobody to ask
function terminal.ask_hidden(question)
  if not terminal.width(0) or not stty "-echo" then
    return nil
  end
  io.stderr:write(question)
  local ok, line = pcall(io.read, "*l")
  stty "echo"
  io.stderr:write("\n")
  return ok and line or nil
end

---Asks a question that is answered by yes or no.
---@param question string
---@return boolean? yes nil: there is nobody to ask
function terminal.confirm(question)
  if not terminal.width(0) then
    return nil
  end
  io.stderr:write(question, " [y/N] ")
  local line = io.read "*l"
  return line ~= nil and line:lower():match "^%s*y" ~= nil
end

return terminal
