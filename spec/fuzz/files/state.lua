-- SPDX-License-Identifier: Apache-2.0
-- What lies in the state folder. Whatever the disk did to it: what is damaged is said to be, and is never read as
-- something else, nor as nothing.

local cjson = require "cjson"
local core = require "confidentai.core"
local entry = require "confidentai.state.entry"
local escrow = require "confidentai.rotation.escrow"
local job = require "confidentai.rotation.job"
local memory = require "spec.rotation.memory"
local mutate = require "spec.fuzz.mutate"
local name = require "confidentai.state.name"
local record = require "confidentai.rotation.record"
local schema = require "confidentai.rotation.schema"
local sealed = require "confidentai.rotation.sealed"
local status = require "confidentai.rotation.status"
local must = require("spec.fuzz.runner").require

local state = {}

local KEY = "records/7/organization/ci deploy/2"
local OP, SECRET = "abcd2345", "confident_us_org_0123456789abcdefghijkl=="

-- As texts: what encodes a table puts its fields into another order each time, and a seed would not repeat a run.
local ANSWER = '{"success":true,"data":{"apiKey":{"id":7,"value":"' .. SECRET .. '"'
local MARK = '{"here":1796023991,"service":1796023990.5}'
-- A whole record, so that what is changed in it is all that is wrong with it.
local RECORD = table.concat({
  '{"id":"lbnx2krx","kind":"rotation","base":"ci","base_url":"http://127.0.0.1:1","organization":"7","scope":"project"',
  '"project_id":"p","state":"soaking","generation":2,"old_id":"4","evidence":"none","revision":12,"looked":' .. MARK,
  '"options":{"soak":86400,"soak_max":2592000,"grace":86400,"settle":10,"adoption":"time"',
  '"on_published":["/bin/true"]}',
  '"stores":[{"label":"file:/k","spec":{"kind":"file","path":"/k"},"host":"vm","tried":true,"readable":true}]',
  '"history":[{"what":"planned","at":1796023991,"state":"planned"},{"what":"created","at":1796023991.5,"key":"5"}]',
  '"quarantine":[{"id":"6","name":"ci~g1~abcdefgh","created_at":"2026-11-30T07:33:11Z","last6":"Ab+/==","ours":true',
  '"disabled":' .. MARK .. ',"attempt":{"from":' .. MARK .. '}}]',
  '"suspects":[{"name":"ci~g2~abcdefgh","op":"abcdefgh","since":' .. MARK .. ',"from":' .. MARK .. '}]',
  '"snapshot":["4"],"past":["3"],"old":{"id":"4","name":"ci","created_at":"2026-11-29T07:33:10Z","last6":"9kevw="}',
  '"new":{"id":"5","name":"ci~g2~abcd2345","created_at":"2026-11-30T07:33:11Z","last6":"hVndU="}',
  '"attempt":{"op":"abcd2345","name":"ci~g2~abcd2345","number":1,"sent":true,"from":' .. MARK .. ',"to":' .. MARK,
  '"earlier":[{"op":"abcdefgh","name":"ci~g2~abcdefgh","from":' .. MARK .. '}]}',
  '"escrowed":' .. MARK .. ',"published":' .. MARK .. ',"our_use":' .. MARK,
  '"seen":{"old":{"at":1796023991,"valid":true},"new":{"at":1796023991,"last_used":"2026-11-30T07:33:11Z"}}',
  '"notice":{"of":"published","tries":1,"done":true},"trouble":{"at":1796023991,"message":"no network","count":2}}',
}, ",")

local TEXTS = {
  RECORD,
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

must(schema.problem(cjson.decode(RECORD)) == nil, RECORD, "a record that was to be whole is not")

local SCALARS = { '""', '"soaking"', '"done"', '"superseded"', '"store_written"', '"-"', "0", "-1", "1e300",
  "1796023991.5", "true", "false", "null" }

-- Puts other values into some fields of JSON, which stays JSON.
local function alter(text, random)
  for _ = 1, random:from(1, 4) do
    local places = {}
    for from, to in text:gmatch '":()["%-%dtf][^,{}%]%[]*()' do
      places[#places + 1] = { from, to }
    end
    local place = random:pick(places)
    text = text:sub(1, place[1] - 1) .. random:pick(SCALARS) .. text:sub(place[2])
  end
  return text
end

function state.record(random)
  local _, _, bytes, text = of_kind(random)
  local damaged = random:one_in(2) and mutate.text(bytes, random) or seal("record", alter(text, random))
  local store = memory.new()
  store.cas(KEY, damaged)
  local content, err = record.read(store, KEY)
  must(type(content) == "table" and type(err) == "string" or err and err.kind == "state", damaged, "neither")
  if content then -- what is accepted has words for a person, and ways on
    local ok, shown = pcall(status.of, job.reader(store, KEY, content, {}))
    must(ok and type(shown.text) == "string", damaged, "%s", tostring(shown))
  end
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
  local flat = mutate.text("records,7,organization,ci%20deploy,2", random)
  must(type(name.restore(flat)) == "string", flat, "no key")
end

return state
