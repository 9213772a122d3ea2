-- SPDX-License-Identifier: Apache-2.0
-- Text for man: the macros of man(7), which every troff and mandoc know.

local roff = {}

-- Characters that troff takes for something else, or shows as another one.
local ESCAPES = { ["\\"] = "\\e", ["-"] = "\\-", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha", ["~"] = "\\(ti" }

---Text as it is.
---@param text string
---@return string
function roff.text(text)
  local escaped = ("\n" .. text:gsub("[\\%-'`^~]", ESCAPES)):gsub("\n%.", "\n\\&.")
  return escaped:sub(2)
end

---Text in bold.
---@param text string
---@return string
function roff.bold(text)
  return "\\fB" .. roff.text(text) .. "\\fR"
end

---Text that stands for something else.
---@param text string
---@return string
function roff.italic(text)
  return "\\fI" .. roff.text(text) .. "\\fR"
end

---Prose: what is between grave accents is bold.
---@param text string
---@return string
function roff.prose(text)
  return (roff.text(text):gsub("\\%(ga(.-)\\%(ga", "\\fB%1\\fR"))
end

---A page, line by line.
---@class confidentai.Roff
local Page = {}
Page.__index = Page

---Begins a page.
---@param title string
---@param source string what it belongs to, for the foot
---@return confidentai.Roff
function roff.page(title, source)
  local page = setmetatable({ '.\\" Made by `confidentai manual`.' }, Page)
  page:line(('.TH %s 1 "" "%s" "User Commands"'):format(title, roff.text(source)))
  return page
end

---Adds a line of roff.
---@param line string
function Page:line(line)
  self[#self + 1] = line
end

---Begins a section.
---@param title string
function Page:section(title)
  self:line(".SH " .. title)
end

---Begins a part of a section.
---@param title string roff
function Page:part(title)
  self:line(".SS " .. title)
end

---Adds a paragraph of prose.
---@param text string
function Page:paragraph(text)
  self:line ".PP"
  self:line(roff.prose(text))
end

---Adds an entry of a list.
---@param label string roff
---@param text string prose
function Page:entry(label, text)
  self:line ".TP"
  self:line(label)
  self:line(text == "" and "\\&" or roff.prose(text))
end

---Adds lines that stay as they are.
---@param lines string[]
function Page:example(lines)
  self:line ".PP"
  self:line ".RS 4"
  self:line ".nf"
  for _, line in ipairs(lines) do
    self:line(line == "" and "\\&" or roff.text(line))
  end
  self:line ".fi"
  self:line ".RE"
end

---The page.
---@return string
function Page:finish()
  return table.concat(self, "\n") .. "\n"
end

return roff
