-- SPDX-License-Identifier: Apache-2.0
-- Records on standard output: a table for people (grid.lua); JSON, JSON lines and CSV for programs. A column says how a
-- record is shown in each.

local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local status = require "confidentai.cli.status"
local terminal = require "confidentai.cli.terminal"

local output = {}

---@class confidentai.Column
---@field name string of the field in JSON and CSV
---@field title? string in the table's head; without one it is not in the table
---@field value fun(record: any): any what it is: a string, number, boolean or nil; in JSON only, an object or a list
---@field json? boolean it is in JSON only
---@field text? fun(record: any): string, string? how the table shows it, and in which style
---@field shrinks? boolean it may be cut where the terminal is too narrow
---@field is_mask? boolean its asterisks may go there

-- The number of the error that the reader has gone: on Linux, macOS and the BSDs.
local EPIPE = 32

-- Bytes that are collected before they are written.
local CHUNK = 65536

-- Writes what is fit for any terminal to standard output. A reader that has gone ends the command quietly, as SIGPIPE
-- ends others.
local function write(text)
  local ok, message, code = terminal.write(1, text)
  if not ok then
    failure.raise { kind = "output", message = "cannot write to standard output: " .. message, exit = status.failed,
      closed = code == EPIPE }
  end
end

---Writes lines to standard output. At a terminal they are cleaned.
---@param text string
function output.write(text)
  write(terminal.width(1) and terminal.clean(text, true) or text)
end

-- JSON is for programs, and loses nothing; but a terminal may show it: what would act on one is escaped in it.
local function write_escaped(text)
  write(require("confidentai.core").escape_json(text))
end

-- Writes what piece(i) gives for 1 to count, in chunks: what is shown may be large, and is not held as a whole.
local function write_pieces(count, put, piece)
  local parts, size = {}, 0
  for i = 1, count do
    parts[#parts + 1] = piece(i)
    size = size + #parts[#parts]
    if size >= CHUNK or i == count then
      put(table.concat(parts))
      parts, size = {}, 0
    end
  end
end

local List = {}

---Marks an array as the value of a column, for JSON.
---@param records any[]
---@param columns? confidentai.Column[] of its elements; without: they are strings, numbers or booleans
---@return table
function output.list(records, columns)
  return setmetatable({ records = records, columns = columns }, List)
end

local objects

local function json_value(value, json, line_end)
  if value == nil then
    return "null"
  elseif type(value) == "number" then
    return grid.text(value) -- cjson knows 14 digits, and ids may have 16
  elseif getmetatable(value) ~= List then
    return json.encode(value)
  end
  local parts, object = {}, value.columns and objects(value.columns, line_end)
  for i, record in ipairs(value.records) do
    parts[i] = object and (line_end or "") .. object(record) or json_value(record, json)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function new_json()
  local json = require("cjson").new()
  json.encode_number_precision(14)
  return json
end

-- The value of a column for JSON. Ids are texts wherever they stand, so that what two verbs give can be joined.
local function value_of(column, record)
  local value = column.value(record)
  local is_id = column.name == "id" or column.name:find "_id$"
  return is_id and type(value) == "number" and grid.text(value) or value
end

-- A function that makes the object of a record: its fields are in the order of the columns, for people to read, too.
-- line_end: what stands before each object in a list; nil: nothing, as a line of JSON lines must have none.
function objects(columns, line_end)
  local json, names = new_json(), {}
  for j, column in ipairs(columns) do
    names[j] = json.encode(column.name) .. ":"
  end
  return function(record)
    local fields = {}
    for j, column in ipairs(columns) do
      fields[j] = names[j] .. json_value(value_of(column, record), json, line_end)
    end
    return "{" .. table.concat(fields, ",") .. "}"
  end
end

local function write_json(columns, records)
  local object, count = objects(columns, "\n    "), #records
  if count == 0 then
    write "[]\n"
  end
  write_pieces(count, write_escaped, function(i)
    return (i == 1 and "[\n  " or "  ") .. object(records[i]) .. (i == count and "\n]\n" or ",\n")
  end)
end

local function write_lines(columns, records)
  local object = objects(columns)
  write_pieces(#records, write_escaped, function(i) return object(records[i]) .. "\n" end)
end

-- What a spreadsheet takes for a formula: = + - @ and their full-width forms, also behind a tab or a line's end.
local FORMULA = { "^[=+@\t\r\n-]", "^\239\188[\139\141\157\160]" }

local function is_formula(text)
  return not text:find "^%-%d+%.?%d*$" and (text:find(FORMULA[1]) or text:find(FORMULA[2])) ~= nil
end

-- RFC 4180; and what is another's text is no formula, and at a terminal nothing that it obeys. Semicolons separate
-- cells in some countries.
local function csv_cell(value, shown)
  local text = grid.text(value)
  if shown then
    text = terminal.clean(text)
  end
  if type(value) == "string" and is_formula(text) then
    text = "'" .. text
  end
  if text:find '[",;\t\r\n]' then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function write_csv(all, records)
  local columns, cells, shown = {}, {}, terminal.width(1) ~= nil
  for _, column in ipairs(all) do
    columns[#columns + 1] = not column.json and column or nil
  end
  for j, column in ipairs(columns) do
    cells[j] = csv_cell(column.name)
  end
  write(table.concat(cells, ",") .. "\r\n")
  write_pieces(#records, write, function(i)
    for j, column in ipairs(columns) do
      cells[j] = csv_cell(column.value(records[i]), shown)
    end
    return table.concat(cells, ",") .. "\r\n"
  end)
end

local function write_table(columns, records, options)
  local line = grid.lines(columns, records, options)
  write_pieces(#records + 1, write, function(i) return line(i) .. "\n" end)
end

local writers = { json = write_json, jsonl = write_lines, csv = write_csv, table = write_table }

---Writes records.
---@param columns confidentai.Column[]
---@param records any[]
---@param options { output: string, no_color: boolean? } of the command line
function output.records(columns, records, options)
  writers[options.output](columns, records, options)
end

-- Writes the object of a record; what its lists hold is written as it is made.
local function write_object(columns, record)
  local json, text = new_json(), "{"
  for j, column in ipairs(columns) do
    local value = value_of(column, record)
    local separator = j > 1 and "," or ""
    if getmetatable(value) == List and value.columns then
      local object, list = objects(value.columns), value.records
      write_escaped(("%s%s\n\"%s\":["):format(text, separator, column.name))
      write_pieces(#list, write_escaped, function(i) return (i == 1 and "\n  " or ",\n  ") .. object(list[i]) end)
      text = "]"
    else
      text = ('%s%s"%s":%s'):format(text, separator, column.name, json_value(value, json))
    end
  end
  write_escaped(text .. "}\n")
end

---Writes one record: an object in JSON, one line under a head in the others, names and values in a table.
---@param columns confidentai.Column[]
---@param record any
---@param options { output: string, no_color: boolean? }
function output.record(columns, record, options)
  if options.output == "json" then
    write_object(columns, record)
  elseif options.output == "table" then
    write(grid.record(columns, record, options) .. "\n")
  else
    output.records(columns, { record }, options)
  end
end

return output
