-- SPDX-License-Identifier: Apache-2.0
-- What can be told of a command line before it is parsed, and of numbers while it is.

local argv = {}

-- Characters that secrets are made of (docs/platform.md).
local RUN = "[%w_+/=%%-]+"

-- Whether what follows "confident_" is a secret's rest rather than the words of a name, as in confident_ci_key.txt.
local function is_random(rest)
  local stripped = rest:gsub("^[uea][su]_", "")
  stripped = stripped:gsub("^org_", ""):gsub("^proj_", "")
  local whole, has_digit = not stripped:find "_", stripped:find "%d" ~= nil
  if #stripped >= 16 then
    return whole or has_digit
  end
  return whole and (#stripped >= 6 and #stripped < #rest or #stripped >= 8 and has_digit)
end

local function holds_secret(text, credential)
  if credential and text:find(credential, 1, true) then
    return true
  end
  for rest in text:gmatch("confident_(" .. RUN .. ")") do
    if is_random(rest) then
      return true
    end
  end
  return false
end

---The first argument that is or holds a secret: by its look, or as it is the credential of the environment.
---@param arguments string[]
---@param credential? string
---@return integer? position
function argv.secret(arguments, credential)
  if credential and #credential < 8 then -- part of any word
    credential = nil
  end
  for i, text in ipairs(arguments) do
    if holds_secret(text, credential) then
      return i
    end
  end
end

---The format that is asked for, as far as that can be told from a command line that may be wrong.
---@param arguments string[]
---@return string? format
function argv.format(arguments)
  for i, text in ipairs(arguments) do
    local joined = text:match "^%-%-output=(.*)$" or text:match "^%-o(.+)$"
    if joined or text == "--output" or text == "-o" then
      return joined or arguments[i + 1]
    end
  end
end

---The command that is meant: the first word that is no option.
---@param arguments string[]
---@return string?
function argv.command(arguments)
  for _, argument in ipairs(arguments) do
    if argument:sub(1, 1) ~= "-" then
      return argument
    end
  end
end

---A converter of argparse for an option that takes a number: its own words name neither the option nor what it takes.
---@param flag string such as "--port"
---@return fun(text: string): number?, string?
function argv.number_of(flag)
  return function(text)
    local number = tonumber(text)
    if not number then
      return nil, ("%s: a number is expected, not '%s'"):format(flag, text)
    end
    return number
  end
end

return argv
