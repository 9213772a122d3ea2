-- SPDX-License-Identifier: Apache-2.0
-- The command `confidentai`: from the start of its process to the end, and the peak of its memory.

local harness = require "harness"

-- The words that run the command against the service, or one path of it.
local function command(path, ...)
  local words = harness.lua("lua5.4", "../bin/confidentai", ...)
  table.insert(words, 2, "CONFIDENT_ORG_API_KEY=confident_us_org_0123456789abcdef")
  table.insert(words, 3, "CONFIDENT_BASE_URL=" .. harness.http .. path)
  return words
end

return function()
  local rounds, few = 40, 7
  if harness.quick then
    rounds, few = 3, 1
  end
  local unpin = harness.share_core()
  local r = harness.rounds(rounds, {
    nothing = { "lua5.4", "-e", "" },
    help = command("", "--help"),
    verb_help = command("", "keys", "create", "--help"),
    list = command("", "keys", "list"),
    json = command("", "keys", "list", "--output", "json"),
  })
  local many = harness.rounds(few, {
    table = command("/many", "keys", "list"),
    json = command("/many", "keys", "list", "--output", "json"),
  })
  unpin()
  local nothing = r.nothing.elapsed.min
  local function over(figure, elapsed)
    return { figure = figure, ours = elapsed - nothing, unit = "ms", target = 15, absolute = true,
      than = "over the interpreter alone" }
  end
  local function all(figure, elapsed, target)
    return { figure = figure, ours = elapsed, other = nothing, than = "the interpreter alone", unit = "ms",
      target = target, absolute = true }
  end
  local function peak(figure, result)
    return { figure = figure, ours = result.peak.max / 1024, unit = "MiB", target = 24, absolute = true }
  end
  return {
    rows = {
      over("start to --help", r.help.elapsed.min),
      over("start to --help of a verb", r.verb_help.elapsed.min),
      all("keys list, start to end", r.list.elapsed.min, 30),
      all("keys list as JSON, start to end", r.json.elapsed.min, 30),
      all("keys list of 10,000 keys, start to end", many.table.elapsed.min),
      peak("peak memory, 10,000 keys in a table", many.table),
      peak("peak memory, 10,000 keys as JSON", many.json),
    },
    notes = { ("Lua 5.4; minima of %d interleaved processes, %d of 10,000 keys, and of these the largest peak; "
      .. "service and client on one core"):format(rounds, few) },
  }
end
