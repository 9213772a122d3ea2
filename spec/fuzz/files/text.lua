-- SPDX-License-Identifier: Apache-2.0
-- Text of people, of the service and of the system: times, names, commands, logs, mounts. Each has a value or none, and
-- what has one is written again as it was.

local argv = require "confidentai.cli.argv"
local mount = require "confidentai.store.mount"
local mutate = require "spec.fuzz.mutate"
local names = require "confidentai.rotation.names"
local scan = require "confidentai.scan"
local time = require "confidentai.cli.time"
local timestamp = require "confidentai.timestamp"
local shell_words = require "confidentai.cli.shell_words"
local must = require("spec.fuzz.runner").require

local cases = {}

local SECRET = "confident_us_org_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7/+=="

-- But for leap seconds, offsets, and years that the system writes with fewer digits.
function cases.timestamp(random)
  local text = timestamp.text(random:below(2 ^ 31) + random:below(2) * 2 ^ 31)
  local kind, seconds = timestamp.read(text)
  must(kind == "time" and timestamp.text(seconds) == text, text, "written again: %s", tostring(seconds))
  local damaged = mutate.text(text, random, { text, "1999-12-31T23:59:59.999Z", "1999-12-31 23:59:59+00:00" })
  kind, seconds = timestamp.read(damaged)
  must(kind == "time" and seconds or kind == "unreadable" and not seconds, damaged, "is %s", kind)
  if seconds then
    local again = timestamp.text(seconds)
    local unlike = damaged:sub(18, 19) == "60" or damaged:sub(1, 1) == "0" or damaged:find "[+-]%d%d:%d%d$"
    must(unlike or again:sub(1, 10) == damaged:sub(1, 10) and again:sub(12, 19) == damaged:sub(12, 19), damaged,
      "read as %s", again)
  end
end

function cases.names(random)
  local base, generation = mutate.text("ci deploy", random), random:from(1, 999999999)
  local op = names.op(function(count) return random:text(count) end)
  local name = names.make(base, generation, op)
  if base ~= "" then
    local a, b, c = names.parse(name)
    must(a == base and b == generation and c == op, name, "read as %s, %s, %s", tostring(a), tostring(b), tostring(c))
  end
  local damaged = mutate.text(name, random)
  local of, number, with = names.parse(damaged)
  must(not of or names.make(of, number, with) == damaged, damaged, "read as %s %s %s", tostring(of), tostring(number),
    tostring(with))
  must(type(names.base(damaged)) == "string", damaged, "no base")
end

function cases.time(random)
  local text = mutate.text(random:pick { "90", "45s", "30m", "24h", "7d", "2.5w" }, random)
  local seconds, problem = time.argument(text)
  must(seconds and seconds >= 0 and seconds <= 36500 * 86400 or not seconds and type(problem) == "string", text, "%s",
    tostring(seconds))
  if seconds then
    must(time.length(seconds):find "^%d+ %l+$", text, "said as %s", time.length(seconds))
  end
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- What was quoted comes back; what is damaged is split or refused.
function cases.words(random)
  local list, quoted = {}, {}
  for i = 1, random:below(4) do
    list[i] = mutate.text(random:pick { "a", "two words", "it's", '"x"', "$HOME", "" }, random)
    quoted[i] = quote(list[i])
  end
  local text = table.concat(quoted, random:pick { " ", "\t ", "  " })
  local split, problem = shell_words.split(text)
  must(split and #split == #list, text, "%d words, not %d: %s", split and #split or -1, #list, tostring(problem))
  for i, word in ipairs(split) do
    must(word == list[i], text, "word %d is %q", i, word)
  end
  local damaged = mutate.text(text, random)
  split, problem = shell_words.split(damaged)
  must(split or type(problem) == "string", damaged, "neither words nor why")
end

local function texts(found)
  local list = {}
  for i, each in ipairs(found) do
    list[i] = each.secret .. " " .. each.count .. " " .. table.concat(each.lines, ",")
  end
  return table.concat(list, "\n")
end

-- As JSON and URLs write a secret.
local ESCAPES = { { ["/"] = "\\/", ["+"] = "\\u002b" }, { ["/"] = "%2F", ["+"] = "%2b" } }

-- However a text is cut into pieces, the same is found; a secret that stands alone is found in all that surrounds it.
function cases.scan(random)
  local escaped = SECRET:gsub("[/+]", random:pick(ESCAPES))
  local around = mutate.text('{"log":"a\\nkey=' .. escaped .. ' confident_us_org_key"}\n', random, { SECRET, "\n\n" })
  local text = around .. " " .. SECRET .. "\n" .. mutate.text(around, random)
  local whole = scan.text(text)
  local found
  for _, each in ipairs(whole) do
    found = found or each.secret == SECRET
    must(each.secret:find "^confident_[%w+/=_-]+$" and each.count >= 1, text, "found %q", each.secret)
  end
  must(found, text, "the secret is not found")
  local pieces, at = scan.new(), 1
  while at <= #text do
    local size = random:pick { 1, 2, 5, 10, 100 }
    pieces:feed(text:sub(at, at + size - 1))
    at = at + size
  end
  local other = pieces:finish()
  must(texts(other) == texts(whole), text, "in pieces:\n%s\nwhole:\n%s", texts(other), texts(whole))
end

function cases.mount(random)
  local line = "36 35 98:0 /mnt1 /run/my\\040secrets/key rw,noatime master:1 - ext3 /dev/root rw\n"
  must(mount.is_in(line, "/run/my secrets/key"), line, "not found")
  local damaged = mutate.text(line, random)
  must(type(mount.is_in(damaged, "/run/my secrets/key")) == "boolean", damaged, "neither")
end

-- A whole secret among arguments is seen, whatever the others are.
function cases.argv(random)
  local arguments = { "keys", mutate.text("--project=p", random), "--name=" .. SECRET, mutate.text("-o json", random) }
  must(argv.secret(arguments, nil), table.concat(arguments, " "), "the secret is not seen")
  local format = argv.format(arguments)
  must(format == nil or type(format) == "string", table.concat(arguments, " "), "the format is a %s", type(format))
end

return cases
