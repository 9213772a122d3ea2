-- SPDX-License-Identifier: Apache-2.0
-- Answers of a service that is broken, hostile, or behind something that is: of a good one, values of other types,
-- fields that are missing or there twice, headers that lie, bytes that flip, and an end anywhere.

local mutate = require "spec.fuzz.mutate"

local answers = {}

-- Secrets that answers hold: that of the key that they are about, and the client's own, if a service shows it.
answers.SECRET = "confident_us_org_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9j=="
answers.OWN = "Zq8!wErTyUiOpAsDf.GhJkL4567xCvBnM-QwE"

local KEY = '{"id":7,"name":"ci","valid":%s,"value":"%s","created_at":"2026-11-23T14:05:00.123Z","lastUsed":null,'
  .. '"rotates_at":null}'
local MASK = "***************fGh9j=="
local PROJECT = '{"id":"p1","name":"web","description":null,"organizationId":"o1","created_at":"2026-01-01T00:00:00Z"}'
local ORGANIZATION = '{"id":"o1","name":"acme","plan":"team","created_at":"2026-01-01T00:00:00Z"}'

local function key(valid, value)
  return KEY:format(tostring(valid), value)
end

-- The data of the answers to each operation.
local data = {
  list = ('{"apiKeys":[%s,%s]}'):format(key(true, MASK), (key(false, MASK):gsub('"id":7', '"id":8'))),
  get = ('{"apiKey":%s}'):format(key(true, MASK)),
  create = ('{"apiKey":%s}'):format(key(true, answers.SECRET)),
  enable = ('{"apiKey":%s}'):format(key(true, MASK)),
  disable = ('{"apiKey":%s}'):format(key(false, MASK)),
  delete = '{"id":7,"deleted":true}',
  projects = ('{"projects":[%s]}'):format(PROJECT),
  project = ('{"project":%s}'):format(PROJECT),
  organization = ('{"organization":%s}'):format(ORGANIZATION),
}

local VALUES = {
  "null", "true", "false", "7", "0", "-1", "1.5", "1e400", "-1e400", "9007199254740992", "9007199254740993", "1e308",
  "123456789012345678901234567890", "NaN", "Infinity", "-Infinity", "0x10", "nul", "'", "{}", "[]", "[1,2]", "[null]",
  '{"a":{"b":[]}}', '""', '"x"', '"\\u0000"', '"a\\u0000b"', '"../x"', '"a/b"', '"\\ud800"', '"\\udc00\\ud800"',
  '"\255\254"', '"*"', '"***************"', '"\\"', '"' .. ("x"):rep(300) .. '"',
  '"' .. answers.SECRET .. '"', '"' .. answers.OWN .. '"',
  '"cannot: ' .. answers.OWN .. ' and ' .. answers.SECRET .. ', no"',
}

local function body_of(operation, random)
  local draw = random:below(10)
  if draw == 0 then
    return ('{"success":false,"error":"no: %s","link":"https://h.example/%s"}'):format(random:pick { answers.OWN,
      answers.SECRET, "a reason" }, random:pick { answers.OWN, answers.SECRET, "more" })
  elseif draw == 1 then
    return ('{"success":true,"data":%s,"deprecated":true,"link":"https://h.example/%s"}'):format(data[operation],
      answers.OWN)
  end
  return ('{"success":true,"data":%s}'):format(data[operation])
end

-- JSON as strings, numbers and words, and the rest, each a token.
local function tokens_of(text)
  local tokens, at = {}, 1
  while at <= #text do
    local token = text:match('^"[^"]*"', at) or text:match("^[%w.+-]+", at) or text:sub(at, at)
    tokens[#tokens + 1] = token
    at = at + #token
  end
  return tokens
end

local function nest(token, random)
  local depth = random:pick { 1, 2, 28, 31, 32, 33, 1000, 20000 }
  if random:one_in(2) then
    return ("["):rep(depth) .. token .. (random:one_in(8) and "" or ("]"):rep(depth))
  end
  return ('{"a":'):rep(depth) .. token .. (random:one_in(8) and "" or ("}"):rep(depth))
end

local structures = {
  function(tokens, at, random) tokens[at] = random:pick(VALUES) end,
  function(tokens, at, random) tokens[at] = random:pick(VALUES) end,
  function(tokens, at) table.remove(tokens, at) end,
  function(tokens, at, random) -- a field twice
    table.insert(tokens, at, tokens[random:from(1, #tokens)])
  end,
  function(tokens, at, random)
    local other = random:from(1, #tokens)
    tokens[at], tokens[other] = tokens[other], tokens[at]
  end,
  function(tokens, at, random) tokens[at] = nest(tokens[at], random) end,
  function(tokens, at, random) -- the same field with another value before it
    local name = tokens[at]:match '^"' and tokens[at + 1] == ":" and tokens[at] or '"success"'
    table.insert(tokens, at, name .. ":" .. random:pick(VALUES) .. ",")
  end,
}

local function damage_structure(body, random)
  local tokens = tokens_of(body)
  for _ = 1, random:pick { 1, 1, 2, 4 } do
    if #tokens > 0 then
      random:pick(structures)(tokens, random:from(1, #tokens), random)
    end
  end
  return table.concat(tokens)
end

local STATUSES = { "200 OK", "200", "201 Created", "202 Accepted", "204 No Content", "206 Partial", "301 Moved",
  "304 Same",
  "400 Bad", "401 No", "403 No", "404 Gone", "408 Late", "409 Clash", "422 No", "429 Slow", "500 Oops", "502 Gateway",
  "503 Busy", "504 Late", "599 X", "600 X", "999 X", "100 Go on", "101 Switch", "102 Wait", "20 Short", "2000 Long",
  "abc", "", "-1 Less", "403 " .. answers.OWN }

local TYPES = { "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/html",
  "application/jsonx", "", ("x"):rep(300), "application/json\0" }

local MORE = { "Retry-After: 0", "Retry-After: 7", "Retry-After: -1", "Retry-After: soon", "Retry-After: 1e9",
  "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "Retry-After:",
  "Retry-After: " .. ("9"):rep(60), "Retry-After: " .. ("9"):rep(400), "Date: Mon, 23 Nov 2026 14:05:00 GMT",
  "Date: never",
  "Date: Mon, 01 Jan 1599999983 00:00:00 GMT", "Content-Encoding: gzip", "Content-Encoding: x",
  "Location: http://127.0.0.1:1/",
  "Connection: close", "Connection: keep-alive", "Set-Cookie: a=b", "X-Long: " .. ("z"):rep(20000), "Trailer: X",
  "WWW-Authenticate: Basic realm=\"x\"", "Upgrade: h2c", "Content-Range: bytes 0-1/2", "X-Key: " .. answers.OWN,
  "no colon",
  ": no name", " folded", "Content-Length: 3", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked" }

local INTERIM = { "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early\r\nRetry-After: 9\r\nContent-Type: text/html\r\n\r\n",
  "HTTP/1.1 102 Wait\r\nContent-Length: 5\r\n\r\n" }

local function chunked(body, random)
  local parts, at = {}, 1
  while at <= #body do
    local size = random:pick { 1, 7, 100, 5000 }
    local chunk = body:sub(at, at + size - 1)
    parts[#parts + 1] = ("%x\r\n"):format(#chunk) .. chunk .. "\r\n"
    at = at + size
  end
  return table.concat(parts) .. random:pick { "0\r\n\r\n", "0\r\n\r\n", "0\r\n", "", "0\r\nX: y\r\n\r\n", "-1\r\n" }
end

-- The header that says how long the body is, and the body so.
local function framed(body, random, honest)
  local draw = honest and 9 or random:below(10)
  if draw == 0 then
    return "", body
  elseif draw == 1 then
    return "Transfer-Encoding: chunked\r\n", chunked(body, random)
  elseif draw == 2 then
    local lengths = { "-1", "0", "99999999999999999999", "4294967297", "abc", " ", "1e3", #body + 1, #body - 1,
      #body + 100000 }
    return ("Content-Length: %s\r\n"):format(random:pick(lengths)), body
  elseif draw == 3 then
    return ("Content-Length: %d\r\nContent-Length: %d\r\n"):format(#body, #body + random:below(2)), body
  end
  return ("Content-Length: %d\r\n"):format(#body), body
end

local function headers(random)
  local list = {}
  for i = 1, random:pick { 0, 0, 1, 2, 4 } do
    list[i] = random:pick(MORE) .. "\r\n"
  end
  return table.concat(list)
end

local function cut(raw, random)
  local pieces, at = {}, 1
  while at <= #raw do
    local size = random:pick { 1, 50, 100000, 1000000 }
    pieces[#pieces + 1] = raw:sub(at, at + size - 1)
    at = at + size
  end
  return pieces
end

---An answer as it should be.
function answers.good(operation)
  local body = ('{"success":true,"data":%s}'):format(data[operation])
  local raw = ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
  return { raw = raw, pieces = { raw }, keep = true, good = true }
end

---An answer to an operation.
---@return { raw: string, pieces: string[], keep: boolean, good: boolean? }
function answers.make(operation, random)
  if random:one_in(16) then
    return answers.good(operation)
  end
  local body = body_of(operation, random)
  local how = random:below(8)
  if how < 3 then
    body = damage_structure(body, random)
  elseif how < 5 then
    body = mutate.text(body, random)
  end
  local honest = random:one_in(2)
  local length, framed_body = framed(body, random, honest)
  local status = random:one_in(2) and "200 OK" or random:pick(STATUSES)
  local more = honest and "" or headers(random)
  local head = ("HTTP/1.1 %s\r\nContent-Type: %s\r\n"):format(status, honest and TYPES[1] or random:pick(TYPES))
  local raw = head .. more .. length .. "\r\n" .. framed_body
  local interim = random:one_in(16)
  if interim then
    raw = random:pick(INTERIM) .. raw
  end
  local damaged = random:one_in(6)
  if damaged then
    raw = mutate.text(raw, random, { raw, answers.good(operation).raw })
  end
  -- Not where the client would wait for more until its timeout, or take the body for the next answer.
  local keeps = honest and not damaged and not interim and status:find "^[2-5]%d%d%f[%D]" and not status:find "^[23]04"
  return { raw = raw, pieces = cut(raw, random), keep = keeps and random:one_in(2) }
end

return answers
