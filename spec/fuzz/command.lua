-- SPDX-License-Identifier: Apache-2.0
-- The command with command lines, configuration files and environments that are broken in some way, beside a sandbox
-- whose keys have hostile names. Each run ends by itself, with a status that the pages know, and shows no traceback, no
-- secret that was not asked for, and no control character of somebody else.
--   scripts/run lua5.4 spec/fuzz/command.lua    see runner.lua for how long, and how to repeat

package.path = "./?.lua;" .. package.path

local core = require "confidentai.core"
local mutate = require "spec.fuzz.mutate"
local process = require "spec.process"
local runner = require "spec.fuzz.runner"
local sandbox = require "confidentai.sandbox"
local status = require "confidentai.cli.status"
local support = require "spec.support"
local uv = require "luv"
local verbs = require "spec.cli.verbs"

local files = require "spec.files"

-- Bytes: the kernel starts no program with a much longer word or variable.
local LONGEST = 100000

-- Milliseconds that one command may take.
local LIMIT = 120000

local HOSTILE = { "x\27]0;p\7\27[2Jy", "\r\27[2Kkey 3 'scratch'", "=HYPERLINK(1)", "a\226\128\174b", "-rf", "",
  "c\194\155\226\128\139d\226\129\166", "日本\239\187\191", "caf\233" }

-- What no output has: control characters, C1 among them, what sets the direction or has no width, and no UTF-8.
local function foreign(shown)
  return shown:find "[%z\1-\8\11-\31\127]" or shown:find "\194[\128-\159]" or shown:find "\226\128[\139-\143\168-\174]"
    or shown:find "\226\129[\160-\175]" or shown:find "\239\187\191" or not core.is_utf8(shown)
end

local OPTIONS = { "--help", "-h", "--version", "--yes", "--json", "-o", "--output", "json", "csv", "jsonl", "table",
  "--project", "--all-projects", "--profile", "prod", "--region", "EU", "US", "--base-url", "--timeout", "1", "0", "-1",
  "--no-color", "--verbose", "--fail", "--wait", "--store", "file:x", "file:", "env_file:x:A", "exec:true", ":", "--",
  "--soak", "1s", "1h", "30", "--grace", "--state-dir", "--file", "-", "keys", "rotate", "list", "start", "audit" }

local CONFIG = [[{ "profiles": { "prod": { "region": "US", "api_key": "confident_us_org_AbCdEfGhIjKlMnOpQrSt" },
  "test": { "base_url": "http://127.0.0.1:9", "key_command": ["true"], "timeout": 5 } } }]]

local known = { [128 + 2] = true, [128 + 15] = true }
for _, number in pairs(status) do
  known[number] = true
end

local service = assert(sandbox.start { projects = { "web" }, seed = 1 })
local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/confidentai-fuzz-XXXXXX"))
local place = { service = service, folder = folder, project = service.projects[1].id }
assert(uv.fs_mkdir(folder .. "/confidentai", 448))

local function prepare()
  assert(service:reset())
  local client = support.client(service)
  for _, name in ipairs(HOSTILE) do
    if name ~= "" and core.is_utf8(name) then
      client:project(place.project).api_keys:create(name)
    end
  end
  client:close()
end

local function mutate_words(words, random)
  for _ = 1, random:below(4) do
    local at, how = random:from(1, #words + 1), random:below(5)
    if how == 0 and #words > 0 then
      table.remove(words, math.min(at, #words))
    elseif how == 1 then
      table.insert(words, at, random:pick(HOSTILE))
    elseif how == 2 and words[at] then
      words[at] = mutate.text(words[at], random):gsub("%z", "")
    else
      table.insert(words, at, random:pick(OPTIONS))
    end
  end
  return words
end

local function environment(random)
  local key = service.api_key
  if random:one_in(4) then
    key = mutate.text(key, random):gsub("%z", ""):sub(1, LONGEST)
  end
  local config = random:one_in(2) and CONFIG or mutate.text(CONFIG, random)
  files.write(folder .. "/confidentai/config.json", config)
  assert(uv.fs_chmod(folder .. "/confidentai/config.json", random:pick { 384, 384, 384, 420 }))
  return { CONFIDENT_ORG_API_KEY = random:one_in(8) and "" or key, CONFIDENT_BASE_URL = service.base_url,
    XDG_CONFIG_HOME = folder, XDG_STATE_HOME = folder .. "/home", HOME = folder,
    CONFIDENTAI_PROFILE = random:pick { false, false, "prod", "test", "no" } }
end

-- Secrets that the service has, by parts that nothing else has, and the key of the configuration file.
local function secrets()
  local list = { "AbCdEfGhIjKlMnOpQ", service.api_key:sub(-24, -7) }
  for _, key in ipairs(assert(service:state()).keys) do
    list[#list + 1] = key.value:sub(-24, -7)
  end
  return list
end

-- Whether this command line asks for the secret on its output.
local function asks(words)
  for _, word in ipairs(words) do
    if word:find "print%-secret" or word:find "secret%-fd" or word:find "^%-%-pr" or word:find "^%-%-se" then
      return true
    end
  end
  return false
end

local function is_left_out(words)
  local text = " " .. table.concat(words, " ") .. " "
  return text:find " sandbox " or text:find " %-%-wait " -- which last
    or #text > LONGEST
end

local function try(_, random)
  prepare()
  local entry = random:pick(verbs)
  local words = mutate_words(entry.words(place), random)
  if is_left_out(words) then
    return
  end
  local given = { "bin/confidentai" }
  for _, word in ipairs(words) do
    given[#given + 1] = word
  end
  local input = table.concat(words, "\1")
  local child = process.start(process.interpreter(), given, environment(random), "n\n")
  local ended, signal = child:wait(LIMIT)
  child:finish()
  runner.require(signal == 0, input, "it was ended by signal %s", tostring(signal))
  runner.require(known[ended], input, "it ended with status %s:\n%s", tostring(ended), child.errors)
  local shown = child.output .. child.errors
  runner.require(not shown:find "stack traceback" and not shown:find "%.lua:%d+:", input, "a traceback:\n%s", shown)
  runner.require(not foreign((shown:gsub("\r\n", "\n"))) or words[1] == "manual" or words[1] == "completion", input,
    "a control character:\n%q", shown)
  for _, part in ipairs(asks(words) and {} or secrets()) do
    runner.require(not shown:find(part, 1, true), input, "a secret:\n%s", shown)
  end
end

runner.run("scripts/run lua5.4 spec/fuzz/command.lua", { "command" }, try)
service:stop()
os.execute("rm -rf '" .. folder .. "'")
