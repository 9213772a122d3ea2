-- SPDX-License-Identifier: Apache-2.0
-- What must hold of a call, whatever the answer to it was.

local answers = require "spec.fuzz.service.answers"
local must = require("spec.fuzz.runner").require

local judge = {}

local KINDS = { api = true, network = true, timeout = true, protocol = true, tls = true }

-- Characters in a row of a secret that are a leak; its last six are shown on purpose.
local WINDOW = 10

-- Whether a text shows a part of a secret that came whole. A part that also came alone, as it may in chunks, is not the
-- client's to tell.
local function shows(text, secret, raw)
  local rest
  for at = 1, #secret - 6 - WINDOW do
    local window = secret:sub(at, at + WINDOW - 1)
    if text:find(window, 1, true) then
      rest = rest or raw:gsub(secret:gsub("%W", "%%%0"), "\1")
      if not rest:find(window, 1, true) and not rest:gsub("\r\n%x+\r\n", ""):find(window, 1, true) then
        return true
      end
    end
  end
  return false
end

function judge.hides(text, raw)
  must(not shows(text, answers.SECRET, raw), raw, "the key's secret in %s", text)
  must(not shows(text, answers.OWN, raw), raw, "the client's secret in %s", text)
end

-- luacheck: read globals math.type
local function is_whole(number)
  return type(number) == "number" and number % 1 == 0 and (not math.type or math.type(number) == "integer")
end

local function is_id(id)
  return is_whole(id) and id >= 1 and id <= 2 ^ 53
    or type(id) == "string" and #id <= 128 and id:find "^[%w_-]+$" ~= nil
end

-- Returns an answer without the marks between its chunks, which may begin anywhere in the body.
local function joined(raw)
  return (raw:gsub("\r\n%x+[^\r\n]*\r\n", ""))
end

-- Returns true if the bytes of an answer hold the service's own refusal: an envelope that says so, with a status that
-- no proxy makes after it has passed the request on.
local function may_be_refused(raw)
  return (raw:find "HTTP/[%d.]+ 4%d%d" or raw:find "HTTP/[%d.]+ 503") and joined(raw):find '"success"%s*:%s*false'
end

-- Returns true if an error is the service's own word that nothing has happened.
local function is_refused(err)
  local status = err.status or 0
  return err.envelope == true and err.kind == "api" and status ~= 408 and status ~= 499
    and (status >= 400 and status <= 499 or status == 503)
end

local function judge_error(operation, err, raw)
  must(type(err) == "table" and KINDS[err.kind], raw, "no error of a call: %s", tostring(err))
  must(type(err.message) == "string" and err.message ~= "", raw, "no words")
  must(not err.message:find "%c", raw, "control characters: %q", err.message)
  must(err.link == nil or type(err.link) == "string", raw, "the link is a %s", type(err.link))
  must(err.status == nil or is_whole(err.status), raw, "the status is %s", tostring(err.status))
  must(err.retry_after == nil or err.retry_after >= 0 and err.retry_after <= 1e9, raw, "Retry-After is %s",
    tostring(err.retry_after))
  must(not err.envelope or joined(raw):find '"success"%s*:%s*false', raw, "an envelope in an answer that has none")
  judge.hides(tostring(err) .. "\n" .. err.message .. "\n" .. (err.link or ""), raw)
  if not operation.changes then
    must(err.outcome == nil, raw, "a read with the outcome %s", tostring(err.outcome))
  elseif err.outcome == "not_applied" then
    must(is_refused(err) and may_be_refused(raw), raw, "not applied: %s", tostring(err))
  else
    must(err.outcome == "unknown", raw, "the outcome is %s", tostring(err.outcome))
  end
end

local function is_text(value)
  return value == nil or type(value) == "string"
end

function judge.key(key, operation, raw)
  must(type(key) == "userdata" and is_id(key.id), raw, "the id is %s", tostring(key.id))
  must(type(key.valid) == "boolean" and type(key.value) == "string", raw, "valid %s, value %s", type(key.valid),
    type(key.value))
  must(is_text(key.name) and is_text(key.created_at) and is_text(key.last_used) and is_text(key.rotates_at), raw,
    "a text is none")
  must(key.scope == operation.scope and key.project_id == operation.project_id, raw, "it belongs to %s", key.scope)
  must(key.has_secret == (operation.name == "create"), raw, "has_secret is %s", tostring(key.has_secret))
  if key.has_secret then
    must(key.value ~= "" and not key.value:find("*", 1, true), raw, "the secret is %s", key.value)
    must(key:to_table().value ~= key.value and key:to_table { reveal = true }.value == key.value, raw, "to_table")
    must(#key.value < 18 or not tostring(key):find(key.value, 1, true), raw, "the secret is in %s", tostring(key))
  else
    must(key.value:find "^%*+[^*]*$" and #key.value <= 21, raw, "the mask is %s", key.value)
  end
  must(#tostring(key) < 400, raw, "%d characters", #tostring(key))
  -- Texts of the service are shown as they came; the object itself shows no secret.
  if not (key.name or ""):find(answers.OWN, 1, true) then
    judge.hides(tostring(key), raw)
  end
end

local function judge_result(operation, result, raw)
  must(raw:find "HTTP/[%d.]+ 20[01]", raw, "a result of no 200")
  if operation.shape == "keys" then
    for i = 1, #result do
      judge.key(result[i], operation, raw)
    end
  elseif operation.shape == "key" then
    judge.key(result, operation, raw)
    must(operation.name == "create" or result.id == 7, raw, "key %s", tostring(result.id))
    must(operation.valid == nil or result.valid == operation.valid, raw, "it is not changed")
  elseif operation.shape == "deleted" then
    must(result.deleted == true and result.id == 7, raw, "deleted %s", tostring(result.id))
  else
    for _, record in ipairs(operation.shape == "projects" and result or { result }) do
      must(is_id(record.id), raw, "the id is %s", tostring(record.id))
      for field, value in pairs(record) do
        must(field == "id" or type(value) == "string", raw, "%s is a %s", tostring(field), type(value))
      end
    end
  end
end

---Judges what an operation came to.
---@param operation table
---@param answer table
---@param requests string[] that were sent
---@param result any
---@param err any
function judge.call(operation, answer, requests, result, err)
  local raw = answer.raw
  must(result == nil or err == nil, raw, "a result and an error")
  -- What an earlier answer had too much may be taken for the answer to a read.
  must(#requests == 1 or #requests <= 2 and not operation.changes, raw, "%d requests", #requests)
  if result == nil then
    must(not answer.good or #requests == 0, raw, "a good answer is refused: %s", tostring(err))
    judge_error(operation, err, raw)
  else
    judge_result(operation, result, raw)
  end
end

return judge
