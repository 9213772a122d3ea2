-- SPDX-License-Identifier: Apache-2.0
-- Edits of .env files: of any content, one variable is changed and the rest stays, or it is refused.

local dotenv = require "confidentai.store.dotenv"
local mutate = require "spec.fuzz.mutate"
local must = require("spec.fuzz.runner").require

local cases = {}

local VARIABLE = "CONFIDENT_API_KEY"

local LINES = {
  "A=1", "export B='two words'", 'C="x y" # comment', "# CONFIDENT_API_KEY=commented", "", "   ", "D=", "E= # nothing",
  "F=`date`", 'G="a\\"b"', "H='open", 'I="open', "J=$HOME", "CONFIDENT_API_KEY_OLD=1", "XCONFIDENT_API_KEY=1",
  'K="several', 'lines"', "L = spaced", "M=a=b==", "\tN=tab", "CONFIDENT_API_KEY", "P=\195\169",
}

local OWN = {
  "CONFIDENT_API_KEY=old", "CONFIDENT_API_KEY='old'", 'CONFIDENT_API_KEY="old"', "export CONFIDENT_API_KEY=old # why",
  "CONFIDENT_API_KEY=", "CONFIDENT_API_KEY= # none yet", "  CONFIDENT_API_KEY = 'old'  ", "CONFIDENT_API_KEY=`old`",
  'CONFIDENT_API_KEY="a$b"', "CONFIDENT_API_KEY=old value", "CONFIDENT_API_KEY='open",
}

local TEXTS = { "confident_us_org_0123456789abcdef==", "", "a b", "it's", 'say "x"', "a\nb", "$x", "\0", "#",
  "\195\169", "a\\b", "`", "a#b", " " }

local function content_of(random)
  local ending = random:pick { "\n", "\n", "\n", "\r\n" }
  local lines = {}
  for i = 1, random:below(6) do
    lines[i] = random:pick(LINES)
  end
  if random:one_in(2) then
    table.insert(lines, random:from(1, #lines + 1), random:pick(OWN))
  end
  local content = table.concat(lines, ending) .. random:pick { ending, ending, "" }
  if random:one_in(8) then
    content = "\239\187\191" .. content
  end
  return random:one_in(2) and mutate.text(content, random) or content
end

local function lines_of(content)
  local lines = {}
  for line in (content .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- How many lines of a text are others, and the first of them of either.
local function difference(before, after)
  local first, second = lines_of(before), lines_of(after)
  local count, old, new = math.abs(#first - #second), nil, nil
  for i = 1, math.min(#first, #second) do
    if first[i] ~= second[i] then
      count, old, new = count + 1, old or first[i], new or second[i]
    end
  end
  return count, old, new
end

local function check_set(content, text, changed, was)
  local found, problem = dotenv.find(changed, VARIABLE)
  must(found and found.text == text, content, "%q is read back as %s", text, found and ("%q"):format(found.text)
    or tostring(problem))
  local again = dotenv.set(changed, VARIABLE, text)
  must(again == changed, content, "set twice, it is %q", tostring(again))
  if was then
    local count, old, new = difference(content, changed)
    must(count == (changed == content and 0 or 1), content, "%d lines are others: %q", count, changed)
    must(changed ~= content or was.text == text, content, "nothing is changed")
    must(not old or old:find(VARIABLE, 1, true) and new:find(VARIABLE, 1, true), content, "another line: %q", changed)
    local back = dotenv.set(changed, VARIABLE, was.text) -- before the blanks, where there was nothing
    local equal = back == content or text == "" and back and dotenv.find(back, VARIABLE).text == was.text
    must(equal or was.text:find "\r", content, "%q does not come back: %q", was.text, changed)
  else
    must(changed:sub(1, #content) == content, content, "what was there is something else: %q", changed)
    local unset = dotenv.unset(changed, VARIABLE)
    must(unset == content, content, "unset gives %q", tostring(unset))
  end
end

function cases.dotenv(random)
  local content, text = content_of(random), random:pick(TEXTS)
  if random:one_in(4) then
    text = mutate.text(text, random)
  end
  local was, problem = dotenv.find(content, VARIABLE)
  must(was ~= nil or type(problem) == "string", content, "no words for what is wrong")
  local changed, why = dotenv.set(content, VARIABLE, text)
  must(changed or type(why) == "string" and not why:find(text == "" and "\0" or text, 1, true) or #text < 8, content,
    "no words, or the text in them: %s", tostring(why))
  must(changed == nil or was ~= nil, content, "set where it cannot be found: %q", tostring(changed))
  if changed then
    check_set(content, text, changed, was)
  end
end

return cases
