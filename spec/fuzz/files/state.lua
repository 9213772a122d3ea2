-- SPDX-License-Identifier: Apache-2.0
-- What lies in the state folder. Whatever the disk did to it: what is damaged is said to be, and is never read as
-- something else, nor as nothing.

local cjson = require "cjson"
local core = require "confidentai.core"
local entry = require "confidentai.state.entry"
local escrow = require "confidentai.rotation.escrow"
local memory = require "spec.rotation.memory"
local mutate = require "spec.fuzz.mutate"
local name = require "confidentai.state.name"
local record = require "confidentai.rotation.record"
local sealed = require "confidentai.rotation.sealed"
local must = require("spec.fuzz.runner").require

local state = {}

local KEY = "records/7/organization/ci deploy"
local OP, SECRET = "abcd2345", "confident_us_org_0123456789abcdefghijkl=="

-- As texts: what encodes a table puts its fields into another order each time, and a seed would not repeat a run.
local ANSWER = '{"success":true,"data":{"apiKey":{"id":7,"value":"' .. SECRET .. '"'
local TEXTS = {
  '{"state":"soaking","base":"ci","revision":3,"history":[{"what":"planned","here":1795442400}]}',
  ('{"id":"lbnx2krx","op":"%s","previous":{"1":"old","2":false},"answer":%s}'):format(OP,
    cjson.encode(ANSWER .. "}}}")),
  ('{"id":"lbnx2krx","op":"%s","answer":%s}'):format(OP, cjson.encode(ANSWER)),
}

-- JSON of any kind under a right checksum.
local function seal(kind, text)
  return ("confidentai %s 1 %s\n%s\n"):format(kind, core.checksum(text), text)
end

local function of_kind(random)
  local kind = random:pick { "record", "escrow" }
  local text = random:pick(TEXTS)
  return kind, cjson.decode(text), seal(kind, text), text
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for field, value in pairs(a) do
    if not same(value, b[field]) then
      return false
    end
  end
  for field in pairs(b) do
    if a[field] == nil then
      return false
    end
  end
  return true
end

-- Damaged bytes are refused with words, or are those that were written.
function state.sealed(random)
  local kind, value, bytes = of_kind(random)
  local _, other_value, other = of_kind(random)
  local damaged = mutate.text(bytes, random, { bytes, other })
  local read, problem = sealed.decode(kind, damaged)
  must(read == nil or same(read, value) or same(read, other_value), damaged, "it is read as something else")
  must(read or type(problem) == "string" and problem ~= "", damaged, "no words for what is wrong")
  must(damaged ~= bytes or read, damaged, "whole, and refused: %s", tostring(problem))
end

function state.contents(random)
  local kind, _, bytes = of_kind(random)
  local text = mutate.text(bytes:match "\n(.*)\n$", random)
  local read, problem = sealed.decode(kind, seal(kind, text))
  must(type(read) == "table" or read == nil and type(problem) == "string", text, "read as a %s", type(read))
end

-- Records and escrows of any content, as those who use them get them.
function state.escrow(random)
  local _, _, _, text = of_kind(random)
  text = random:one_in(2) and mutate.text(text, random) or text
  local answer = mutate.text(ANSWER .. "}}}", random)
  if random:one_in(2) then
    text = ('{"id":"lbnx2krx","op":"%s","answer":'):format(OP) .. cjson.encode(answer) .. "}"
  end
  local store = memory.new()
  store.cas(record.escrow_key(KEY), random:one_in(4) and mutate.text(seal("escrow", text), random)
    or seal("escrow", text))
  local found = escrow.open(store, KEY, "lbnx2krx")
  must(not found.damaged or type(found.problem) == "string", text, "damaged, and no words for it")
  local secret = found:secret(OP, "ijkl==")
  must(secret == nil or type(secret) == "string" and secret:sub(-6) == "ijkl==", text, "another secret")
  local previous = found:previous(1)
  must(previous == nil or previous == false or type(previous) == "string", text, "previous is a %s", type(previous))
  must((found:wipe() ~= nil) == (found.problem == nil or found.damaged), text, "wiped though it is of a newer version, "
    .. "or not wiped")
end

function state.record(random)
  local _, _, bytes = of_kind(random)
  local damaged = mutate.text(bytes, random)
  local store = memory.new()
  store.cas(KEY, damaged)
  local content, err = record.read(store, KEY)
  must(type(content) == "table" and type(err) == "string" or err and err.kind == "state", damaged, "neither")
end

-- What a file holds: these bytes, nothing yet, or damage. A key is never taken for absent by damage.
function state.entry(random)
  local flat = name.flatten(KEY)
  local bytes = random:text(random:below(64))
  local content, version = entry.seal(bytes, flat)
  local reserved = random:one_in(8)
  if reserved then
    content = entry.reserve(flat)
  end
  local damaged = mutate.text(content, random, { content, entry.seal("another", flat) })
  local read, found, problem = entry.open(damaged, flat)
  must(read or problem or reserved, damaged, "damage is read as absence")
  must(damaged ~= content or not problem, damaged, "whole, and refused: %s", tostring(problem))
  must(read == nil or read == bytes and found == version or read == "another", damaged, "other bytes")
  must(entry.open(content, flat .. "x") == nil, content, "it is read as another key's")
end

-- A header of any kind under a right checksum.
function state.header(random)
  local flat = name.flatten(KEY)
  local rest = mutate.text(" 0123456789abcdef 5 " .. flat .. "\nbytes", random)
  local read, version, problem = entry.open("confidentai-state 1 " .. core.checksum(rest) .. rest, flat)
  must(read == nil or type(version) == "string" and rest:sub(-#read) == read, rest, "other bytes")
  must(read or problem or rest:find("reserved", 1, true), rest, "damage is read as absence")
end

-- Every key has a name of its own, from which it comes back, within the folder.
function state.name(random)
  local key = mutate.text(KEY, random)
  if name.problem(key) then
    return
  end
  local flat = name.flatten(key)
  must(name.restore(flat) == key, key, "it comes back as %q", name.restore(flat))
  must(flat:find "^[^./][A-Za-z0-9_.%%,-]*$", key, "no name of a file: %q", flat)
  local folders, file = name.cut(flat)
  must((folders .. file):gsub("%+/", "") == flat, key, "cut into %q", folders .. file)
  for piece in (folders .. file):gmatch "[^/]+" do
    must(#piece <= 201 and not piece:find "^%.", key, "a piece %q", piece)
  end
end

-- Damaged names of files are keys or not, and raise nothing.
function state.restore(random)
  local flat = mutate.text("records,7,organization,ci%20deploy", random)
  must(type(name.restore(flat)) == "string", flat, "no key")
end

return state
