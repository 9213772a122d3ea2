-- SPDX-License-Identifier: Apache-2.0
-- Records as people read them: a table that is fitted to the terminal, or one record as names and values.

local terminal = require "confidentai.cli.terminal"

local grid = {}

-- Cells that a cut text keeps, and blanks between columns.
local NARROWEST, GAP = 8, 2

-- The cells of a terminal that a clean text takes: an ideogram or an emoji takes two.
local function length(text)
  return text:find "[\128-\255]" and require("confidentai.core").cells(text) or #text -- here: --help does without
end

-- The text, cut to so many cells at most, and how many it takes.
local function cut(text, width)
  local kept, count = {}, 0
  for character in text:gmatch "[^\128-\191][\128-\191]*" do
    local more = length(character)
    if count + more >= width then
      break
    end
    kept[#kept + 1], count = character, count + more
  end
  return table.concat(kept) .. "…", count + 1
end

---A value as text: ids may have more digits than Lua's own conversion shows.
---@param value string|number|boolean|nil
---@return string
function grid.text(value)
  if value == nil then
    return ""
  elseif type(value) == "number" and value % 1 == 0 then
    return ("%.0f"):format(value)
  end
  return tostring(value)
end

local function titled(columns)
  local shown = {}
  for _, column in ipairs(columns) do
    if column.title then
      shown[#shown + 1] = column
    end
  end
  return shown
end

-- A mask on a narrow terminal: its asterisks say nothing, and names are wanted.
local function short_mask(text)
  return (text:gsub("^%*%*+", "…"))
end

-- What a column shows of a record, and in which style.
local function cell(column, record)
  local text, style
  if column.text then
    text, style = column.text(record)
  else
    text = grid.text(column.value(record))
  end
  if text:find "[%c\128-\255]" then
    text = terminal.clean(text) -- also where a pager shows it
  end
  return text, style
end

-- The texts of a column, from the title on; its styles by row; and its width.
local function lay_out(column, records)
  local texts, styles, width = { column.title }, {}, length(column.title)
  for i, record in ipairs(records) do
    local text, style = cell(column, record)
    texts[i + 1], styles[i + 1] = text, style
    width = math.max(width, length(text))
  end
  styles[1] = "bold"
  return { texts = texts, styles = styles, width = width, shrinks = column.shrinks, is_mask = column.is_mask }
end

local function shorten_masks(laid)
  for _, column in ipairs(laid) do
    if column.is_mask then
      column.width = length(column.texts[1])
      for i = 2, #column.texts do
        column.texts[i] = short_mask(column.texts[i])
        column.width = math.max(column.width, length(column.texts[i]))
      end
    end
  end
end

local function total_of(laid)
  local total = GAP * (#laid - 1)
  for _, column in ipairs(laid) do
    total = total + column.width
  end
  return total
end

-- The widest of the columns that may still be narrowed.
local function widest_of(laid)
  local widest
  for _, column in ipairs(laid) do
    if column.shrinks and column.width > NARROWEST and column.width >= (widest or column).width then
      widest = column
    end
  end
  return widest
end

-- Shortens masks, then narrows the widest columns that may shrink, until a row fits.
local function fit(laid, available)
  if total_of(laid) > available then
    shorten_masks(laid)
  end
  local excess, widest = total_of(laid) - available, widest_of(laid)
  while excess > 0 and widest do
    widest.width, excess = widest.width - 1, excess - 1
    widest = widest_of(laid)
  end
end

-- A cell of a row, as wide as its column but for the last one.
local function padded(column, row, colour, is_last)
  local text = column.texts[row]
  local count = length(text)
  if count > column.width then
    text, count = cut(text, column.width)
  end
  local shown = colour and terminal.paint(text, column.styles[row]) or text
  return is_last and shown or shown .. (" "):rep(column.width - count + GAP)
end

-- The columns of a table with their texts, and the width of the terminal, if it is one.
local function lay_out_all(columns, records)
  local laid = {}
  for j, column in ipairs(titled(columns)) do
    laid[j] = lay_out(column, records)
  end
  return laid, terminal.width(1)
end

---Whether a table need not be cut.
---@param columns confidentai.Column[]
---@param records any[]
---@return boolean
function grid.fits(columns, records)
  local laid, available = lay_out_all(columns, records)
  return not available or total_of(laid) <= available
end

---Lays a table out.
---@param columns confidentai.Column[]
---@param records any[]
---@param options { no_color: boolean? }
---@return fun(row: integer): string line row 1 is the head
function grid.lines(columns, records, options)
  local laid, available = lay_out_all(columns, records)
  if available then
    fit(laid, available)
  end
  local colour, cells = terminal.colour(1, options.no_color), {}
  return function(row)
    for j, column in ipairs(laid) do
      cells[j] = padded(column, row, colour, j == #laid)
    end
    return (table.concat(cells):gsub(" +$", ""))
  end
end

---One record: a line for each column, nothing cut.
---@param columns confidentai.Column[]
---@param record any
---@param options { no_color: boolean? }
---@return string text
function grid.record(columns, record, options)
  local shown, widest, lines = titled(columns), 0, {}
  local colour = terminal.colour(1, options.no_color)
  for _, column in ipairs(shown) do
    widest = math.max(widest, length(column.title))
  end
  for j, column in ipairs(shown) do
    local text, style = cell(column, record)
    local title = column.title .. (" "):rep(widest - length(column.title) + GAP)
    lines[j] = (((colour and terminal.paint(title, "bold") or title)
      .. (colour and terminal.paint(text, style) or text)):gsub(" +$", ""))
  end
  return table.concat(lines, "\n")
end

return grid
