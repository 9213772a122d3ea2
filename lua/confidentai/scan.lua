-- SPDX-License-Identifier: Apache-2.0
-- Finds the service's secrets in text: logs, dumps, configuration. What is found is for identify; it is shown masked.

local argument = require "confidentai.argument"

local scan = {}

-- What each secret begins with: this word and "_", which other formats may escape.
local WORD, PREFIX = "confident", "confident_"

-- Bytes of text that one secret may take, escapes included: no longer run of its characters is one.
local LONGEST = 1024

-- Bytes that an escape may take: JSON within JSON doubles the backslashes. So many are looked at beyond a run.
local MARGIN = 16

-- Characters of a secret beyond its prefix, from which on it is one and no word such as confident_us_org_key.
local SHORTEST = 16

-- Lines that are kept of a secret that occurs on many.
local MOST_LINES = 100

local function character_of(digits)
  return string.char(tonumber(digits, 16))
end

-- A character of a secret as other formats write it: JSON's \/ and \u002b, with more backslashes where JSON holds JSON;
-- JavaScript's \x2b; Markdown's \_; a URL's %2B, or %252B where a URL holds a URL; HTML's &#43; and &#x2B;. RFC 8259,
-- RFC 3986, https://html.spec.whatwg.org/multipage/syntax.html#character-references
local ESCAPES = {
  { "^\\+([/+=_-])", function(character) return character end },
  { "^\\+u00(%x%x)", character_of },
  { "^\\+x(%x%x)", character_of },
  { "^%%(%x%x)", character_of },
  { "^%%25(%x%x)", character_of },
  { "^&#[xX]0*(%x%x);", character_of },
  { "^&#0*(%d%d%d?);", function(digits)
    local code = tonumber(digits)
    return code < 128 and string.char(code) or ""
  end },
}

-- Hexadecimal digits from which on a secret is in them: base64 does without the other letters for hardly as long.
local HEXADECIMAL = 32

-- The character that an escape at a position stands for, and the position after it; nil: there is none of a secret's.
local function unescape(text, at)
  for _, escape in ipairs(ESCAPES) do
    local first, last, digits = text:find(escape[1], at)
    local character = first and escape[2](digits)
    if character and character:find "^[%w+/=_-]$" and last - at < MARGIN then
      return character, last + 1
    end
  end
end

-- Reads the run of a secret's characters that a text begins with: what it spells, and its length in the text.
local function read(text)
  local parts, at = {}, 1
  while at <= #text do
    local _, last = text:find("^[%w+/=_-]+", at)
    if last then
      parts[#parts + 1], at = text:sub(at, last), last + 1
    else
      local character, after = unescape(text, at)
      if not character then
        break
      end
      parts[#parts + 1], at = character, after
    end
  end
  return table.concat(parts), at - 1
end

-- The secret that a run begins with; nil: it is none. The words of the prefix, such as us_org_, are no part of what is
-- secret; nor are names in programs, which look alike: they have neither digits nor capitals.
local function secret_of(run)
  local body = run:sub(#PREFIX + 1)
  repeat
    local word = body:match "^%l+_(.*)$"
    body = word or body
  until not word
  local digits = body:match "^%x+"
  if digits and #digits >= HEXADECIMAL then
    body = digits -- what follows it, such as a path, is something else
  else
    body = body:match "^[^=]*" -- base64's end, and what follows
  end
  if #body < SHORTEST or not body:find "%d" and not body:find "%l.*%u" and not body:find "%u.*%l" then
    return nil
  end
  local first, last = run:find(body, #PREFIX + 1, true)
  return first and run:sub(1, last) .. run:match("^=?=?", last + 1)
end

-- Beginnings of files whose text is not in their bytes.
local PACKED = {
  { "^\31\139", "gzip data" }, { "^PK\3\4", "a zip archive" }, { "^\253" .. "7zXZ", "xz data" },
  { "^BZh%d1AY", "bzip2 data" }, { "^%(\181/\253", "zstd data" }, { "^7z\188\175", "a 7z archive" },
  { "^%%PDF%-", "a PDF document" }, { "^\255\254", "text in UTF-16 or UTF-32" }, { "^\254\255", "text in UTF-16" },
  { "^%z%z\254\255", "text in UTF-32" }, { "^\4\"M\24", "lz4 data" }, { "^Rar!\26\7", "a rar archive" },
  { "^\31\157", "data of compress" }, { "^x[\1\156\218]", "zlib data" }, { "^PACK%z%z%z", "a pack of git" },
  { "^\137PNG\r", "an image" }, { "^\255\216\255", "an image" }, { "^Salted__", "data that openssl has encrypted" },
  { "^%-%-%-%-%-BEGIN PGP MESSAGE", "data that OpenPGP has encrypted" },
}

-- "confident_" in base64, where none, one or two bytes stand before it in its group of three (RFC 4648); the same of
-- UTF-16, as PowerShell takes commands; and in hexadecimal digits.
local ENCODED = {
  { "Y29uZmlkZW50X", "base64" }, { "NvbmZpZGVudF", "base64" }, { "jb25maWRlbnRf", "base64" },
  { "YwBvAG4AZgBpAGQAZQBuAHQAXw", "base64" }, { "MAbwBuAGYAaQBkAGUAbgB0AF8A", "base64" },
  { "jAG8AbgBmAGkAZABlAG4AdABfA", "base64" }, { "636f6e666964656e745f", "hexadecimal digits" },
  { "636F6E666964656E745F", "hexadecimal digits" },
}

-- ASCII as UTF-16 and UTF-32 write it, so long that it is not single letters with NULs between.
local WIDE = { ("[\32-\126]%z"):rep(8), ("[\32-\126]%z%z%z"):rep(8) }

-- Bytes of a piece that are looked at again with the next one.
local OVERLAP = 40

-- Returns what a text is that has no secret to find in its bytes, as far as a piece of it shows; nil: it can be read.
local function unlike_text(piece, is_first)
  for _, kind in ipairs(is_first and PACKED or {}) do
    if piece:find(kind[1]) then
      return kind[2]
    end
  end
  if piece:find("\0", 1, true) then
    for _, pattern in ipairs(WIDE) do
      if piece:find(pattern) then
        return "text in UTF-16 or UTF-32"
      end
    end
  end
  local joined = piece:gsub("[\r\n][ \t\r\n]*", "") -- its lines are folded
  for _, encoded in ipairs(ENCODED) do
    if joined:find(encoded[1], 1, true) then
      return "a secret in " .. encoded[2]
    end
  end
  for run in piece:gmatch(WORD .. "([%w+/=_-]*)\27%[") do
    if #run < SHORTEST + 8 then -- as `grep --color=always` writes what it has found
      return "a secret in colours of a terminal"
    end
  end
  if piece:lower():find("ncoding: quoted-printable", 1, true) then -- RFC 2045, 6.7: of a mail, where lines are broken
    return "text in quoted-printable"
  end
end

---The secrets that were found, in the order of their first occurrence.
---@class confidentai.FoundList: { [integer]: confidentai.Found }
---@field problem? string why the text may hold more: it is, in part at least, in a form that is not looked through

---@class confidentai.Found
---@field secret string whole
---@field lines integer[] numbers of the first lines that it is on, from 1, 100 at most
---@field count integer how often it occurs

---A text that comes in pieces.
---@class confidentai.Scan
local Scan = {}
Scan.__index = Scan

---Begins to look through a text that comes in pieces.
---@return confidentai.Scan scan
function scan.new()
  return setmetatable({ rest = "", line = 1, list = {}, by_secret = {}, seen = "" }, Scan)
end

local function add(self, secret, line)
  local found = self.by_secret[secret]
  if not found then
    found = { secret = secret, lines = {}, count = 0 }
    self.by_secret[secret] = found
    self.list[#self.list + 1] = found
  end
  found.count = found.count + 1
  if found.lines[#found.lines] ~= line and #found.lines < MOST_LINES then
    found.lines[#found.lines + 1] = line
  end
end

-- Counts the lines that end before a position, from another on.
local function count_lines(text, from, before)
  local count, at = 0, text:find("\n", from, true)
  while at and at < before do
    count, at = count + 1, text:find("\n", at + 1, true)
  end
  return count
end

-- Finds the next prefix: where it begins. The second result: it is not known yet whether one begins there.
local function find_prefix(text, at, is_last)
  local first, last = text:find(WORD, at, true)
  while first do
    if text:find("^_", last + 1) or unescape(text, last + 1) == "_" then
      return first
    elseif not is_last and last + MARGIN > #text then
      return first, true
    end
    first, last = text:find(WORD, last + 1, true)
  end
end

-- Adds the secret that begins at a position of a text, up to another. Returns how much of the text has been read then;
-- nil: it may continue in the next piece.
local function take(self, text, first, last)
  local run, length = read(text:sub(first, math.min(first + LONGEST + MARGIN, last or #text)))
  -- An escape may be cut in two: the characters of one are waited for.
  if not last and first + length > #text - MARGIN and length <= LONGEST then
    return nil
  elseif length > LONGEST then
    run = read(text:sub(first, first + LONGEST - 1))
  end
  local secret = secret_of(run)
  if secret and (length <= LONGEST or #secret < #run) then
    add(self, secret, self.line)
  elseif secret then
    self.list.problem = ("on line %.0f something begins like a secret, and is longer than one")
      :format(self.line)
  end
  return length <= LONGEST and length or #WORD -- in a run that is too long there may be a secret further on
end

-- Looks through a text; what is at its end and may go on is left for the next piece.
local function look(self, text, is_last)
  local counted, at = 1, 1
  while true do
    local first, unclear = find_prefix(text, at, is_last)
    -- The end may be the beginning of a prefix.
    local kept = first or is_last and #text + 1 or math.max(at, #text - #WORD + 2)
    self.line = self.line + count_lines(text, counted, kept)
    if not first or unclear then
      return text:sub(kept)
    end
    counted = first
    -- Where the next secret begins, this one has ended.
    local following, unknown = find_prefix(text, first + #WORD, is_last)
    local length = take(self, text, first, following and not unknown and following - 1 or is_last and #text or nil)
    if not length then
      return text:sub(first)
    end
    at = first + length
  end
end

---Looks through the next piece of the text.
---@param piece string cut anywhere, within a secret too
function Scan:feed(piece)
  argument.text(1, "feed", piece)
  local kind = unlike_text(self.seen .. piece, not self.later)
  if kind then
    self.list.problem = ("it is or holds %s, and no secret is found in that: %s"):format(kind,
      kind:find "UTF" and "convert it to UTF-8" or kind:find "colours" and "take them out" or "decode it")
  end
  self.later = self.later or #self.seen + #piece >= OVERLAP
  self.seen = (self.seen .. piece):sub(-OVERLAP)
  self.rest = look(self, self.rest .. piece, false)
end

---Ends the text.
---@return confidentai.FoundList found
function Scan:finish()
  self.rest = look(self, self.rest, true)
  return self.list
end

---Finds the secrets in a text, each once.
---@param text string
---@return confidentai.FoundList found
function scan.text(text)
  argument.text(1, "text", text)
  local self = scan.new()
  self:feed(text)
  return self:finish()
end

return scan
