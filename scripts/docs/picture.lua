-- SPDX-License-Identifier: Apache-2.0
-- The picture of a terminal in the README: the first commands of the session in docs/command.md, as SVG.

local picture = {}

-- Pixels: of a character, a line, and the border around the text. The width of each line is fixed, so that columns
-- align in any monospaced font.
local CHARACTER, LINE, BORDER = 8.4, 20, 20

local PAGE, COMMANDS = "docs/command.md", 3

local COLOURS = { command = "#ffffff", text = "#c9d1d9", good = "#7ee787", background = "#0d1117" }

-- Returns the lines of the session up to the command after the last one that is shown.
local function session()
  local file = assert(io.open(PAGE))
  local text = file:read "*a":match "\n## A session\n.-\n```text\n(.-)\n```\n"
  file:close()
  local lines, count = {}, 0
  for line in (assert(text, PAGE .. " has no session") .. "\n"):gmatch "(.-)\n" do
    count = count + (line:find "^%$ " and 1 or 0)
    if count > COMMANDS then
      break
    end
    lines[#lines + 1] = line
  end
  while lines[#lines] == "" do
    lines[#lines] = nil
  end
  return lines
end

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- Returns the SVG of one line, of which the word "enabled" stands out.
local function line_of(text, number)
  local colour = text:find "^%$ " and COLOURS.command or COLOURS.text
  local shown = escape(text):gsub("%f[%w]enabled%f[%W]", ('<tspan fill="%s">enabled</tspan>'):format(COLOURS.good))
  return ('<text x="%d" y="%d" textLength="%.0f" fill="%s"%s>%s</text>'):format(BORDER, BORDER + number * LINE - 5,
    #text * CHARACTER, colour, text:find "^%$ " and ' font-weight="bold"' or "", shown)
end

---Returns the picture.
---@return string svg
function picture.svg()
  local lines, longest, drawn = session(), 0, {}
  for number, line in ipairs(lines) do
    longest = math.max(longest, #line)
    drawn[#drawn + 1] = line ~= "" and line_of(line, number) or nil
  end
  local width, height = longest * CHARACTER + 2 * BORDER, #lines * LINE + 2 * BORDER
  return ([[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" xml:space="preserve">
<title>A terminal session: a key is created, rotated and listed</title>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
%s
</g>
</svg>
]]):format(width, height, COLOURS.background, table.concat(drawn, "\n"))
end

return picture
