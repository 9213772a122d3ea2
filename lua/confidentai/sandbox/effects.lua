-- SPDX-License-Identifier: Apache-2.0
-- What each fault does to a request. Faults are described in docs/sandbox.md, their fields in faults.lua.

local operations = require "confidentai.sandbox.operations"
local transport = require "confidentai.sandbox.transport"

local effects = {}

-- Bytes that are neither JSON nor text; no real format begins so.
local binary = "\0\255\254\1\2\3{\"success\":\128\129}\r\n\r\n\0" .. ("\171\205"):rep(20)

local function apply_if_asked(exchange, fault)
  exchange:admit()
  if fault.apply then return exchange:apply() end
  exchange:edit("after")
end

-- What the operation would have answered, for faults that spoil only how it is sent.
local function answer_of(exchange, fault)
  return apply_if_asked(exchange, fault) or operations.failure(503, "Injected by a fault: not applied")
end

-- An answer that is not the operation's own.
local function send_status(exchange, fault, status)
  local answer = operations.failure(status, "Injected by a fault: status " .. status)
  if type(fault.body) == "string" then
    answer.body = fault.body
  elseif fault.body ~= nil then
    answer.body = exchange.encode(fault.body)
  end
  answer.headers, answer.content_type = fault.headers, fault.content_type
  exchange:send(answer)
end

function effects.lost_answer(exchange, fault)
  apply_if_asked(exchange, fault)
  exchange:finish { connection = fault.close == "connection" }
end

effects.drop = effects.lost_answer

function effects.reset(exchange, fault)
  apply_if_asked(exchange, fault)
  exchange:finish { reset = true, connection = fault.close ~= "stream" }
end

function effects.hang(exchange, fault)
  apply_if_asked(exchange, fault)
  exchange:hang()
end

function effects.duplicate(exchange, fault)
  local again = exchange:again()
  local first, second = answer_of(exchange, fault), answer_of(again, fault)
  if fault.answer == "second" then
    again:send(second)
  else
    exchange:send(first)
  end
end

function effects.late_commit(exchange, fault)
  if not exchange:admit() and fault.apply then
    exchange:touch() -- now: by the time of the commit the key may have been disabled
    exchange.late:add(exchange.request, exchange.entry, fault)
  end
  exchange:edit("after") -- the request, that is, not what becomes of it
  if fault.answer == "hang" then
    exchange:hang()
  elseif fault.status then
    send_status(exchange, fault, fault.status)
  else
    exchange:finish { connection = fault.close == "connection" }
  end
end

function effects.delay(exchange, fault)
  local answer = fault.when == "after" and answer_of(exchange, fault)
  exchange:sleep(fault.seconds)
  exchange:send(answer or answer_of(exchange, fault))
end

function effects.status(exchange, fault)
  apply_if_asked(exchange, fault)
  send_status(exchange, fault, fault.status)
end

local proxy_pages = {
  html = { "text/html", "<html><head><title>%d</title></head><body><h1>%d</h1><hr>proxy</body></html>\r\n" },
  text = { "text/plain", "%d default backend\n" },
  json = { "application/json", '{"message":"the upstream said %d"}' },
}

function effects.proxy(exchange, fault)
  apply_if_asked(exchange, fault)
  local page = proxy_pages[fault.form or "html"]
  exchange:send {
    status = fault.status, content_type = page[1], headers = { server = "proxy" },
    body = page[2]:gsub("%%d", ("%d"):format(fault.status)),
  }
end

function effects.not_found(exchange, fault)
  apply_if_asked(exchange, fault)
  exchange:send(operations.failure(404, fault.what == "key" and "API key not found" or "Project not found"))
end

function effects.replay(exchange, fault)
  local answer = apply_if_asked(exchange, fault) or exchange:admit()
  if not answer or answer.ok then answer = operations.older_key(exchange.service, exchange.request, fault.target) end
  exchange:send(answer)
end

function effects.record(exchange, fault)
  exchange.request.odd = fault
  exchange:send(answer_of(exchange, fault))
end

function effects.body(exchange, fault)
  apply_if_asked(exchange, fault)
  exchange:send {
    status = fault.status or 200, body = fault.body,
    headers = fault.headers, content_type = fault.content_type,
  }
end

function effects.garbage(exchange, fault)
  apply_if_asked(exchange, fault)
  if fault.raw then
    transport.raw(exchange.stream, binary)
  else
    exchange:send { status = 200, body = binary, content_type = "application/json" }
  end
end

function effects.truncate(exchange, fault)
  local answer = answer_of(exchange, fault)
  local length = #answer.body
  -- At least one byte is missing, whatever was asked for.
  local bytes = math.min(fault.bytes or math.floor(length / 2), length - 1)
  if exchange:begin(answer, length) and bytes > 0 then exchange:write(answer.body:sub(1, bytes)) end
  exchange:sleep(0.02) -- HTTP/2 clients may drop data that arrives together with the stream's reset
  exchange:finish { connection = fault.close == "connection" }
end

function effects.slow_body(exchange, fault)
  local answer = answer_of(exchange, fault)
  local seconds, chunk = fault.seconds or 0.1, math.max(fault.chunk or 16, 1)
  local length = #answer.body
  if not exchange:begin(answer, length) then return end
  for position = 1, length, chunk do
    exchange:sleep(seconds)
    local last = position + chunk > length
    if not exchange:write(answer.body:sub(position, position + chunk - 1), last) then return end
  end
end

function effects.redirect(exchange, fault)
  apply_if_asked(exchange, fault)
  local answer = operations.failure(fault.status or 307, "Moved")
  answer.headers = { location = fault.location }
  exchange:send(answer)
end

function effects.huge(exchange, fault)
  apply_if_asked(exchange, fault)
  local left = fault.bytes or 2 ^ 30
  local piece = ("x"):rep(65536)
  if not exchange:begin({ status = 200 }, not fault.chunked and left or nil) then return end
  while left > 0 do
    local size = math.min(left, #piece)
    left = left - size
    if not exchange:write(size == #piece and piece or piece:sub(1, size), left == 0) then return end
  end
end

function effects.huge_header(exchange, fault)
  local answer = answer_of(exchange, fault)
  answer.headers = { ["x-filler"] = ("a"):rep(fault.bytes or 2 ^ 20) }
  exchange:send(answer)
end

function effects.stale_list(exchange, fault)
  local request = exchange.request
  request.revision, request.changes = fault.revision, fault.changes
  if fault.seconds then request.revision = exchange.service:revision_before(fault.seconds) end
  exchange:send(answer_of(exchange, fault))
end

function effects.short_list(exchange, fault)
  local request = exchange.request
  request.drop = fault.drop or (fault.hide and 0 or 1)
  request.hidden = {}
  for _, id in ipairs(type(fault.hide) == "table" and fault.hide or { fault.hide }) do
    request.hidden[tostring(id)] = true
  end
  exchange:send(answer_of(exchange, fault))
end

return effects
