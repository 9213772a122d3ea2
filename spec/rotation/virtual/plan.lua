-- SPDX-License-Identifier: Apache-2.0
-- Draws what one run in virtual time consists of: the verb, its options, and what goes wrong at which moments. The same
-- seed draws the same run.

local disturbances = require "spec.rotation.disturbances"
local scene = require "spec.rotation.scene"

local plan = {}

local DAY = 86400

plan.verbs = { "rotate", "rollback", "ensure", "contain", "doctor", "two machines" }

-- Faults of the service that this run can have: all but the edits, which people make here.
local faults = {}
for _, fault in ipairs(disturbances) do
  if fault.type ~= "edit" and fault.type ~= "delay" then
    faults[#faults + 1] = fault
  end
end

local settings = {
  { last_used = "never" }, { last_used = "late", last_used_delay = 60 }, { last_used = "late", last_used_delay = 900 },
  { last_used = "future" }, { last_used = "still" }, { last_used = "throttled", last_used_delay = 3600 },
  { list_delay = 30 }, { propagation = 20 }, { page_size = 3 }, { page_size = 100 }, { names = "upper" },
  { names = "prefixed" }, { names = "suffixed" }, { time_form = "offset" }, { time_form = "bare" },
  { time_form = "number" }, { time_form = "unreadable" }, { date = "absent" }, { date = "unreadable" },
  { date_shift = 4000 }, { date_shift = -4000 }, { ids = "string", id_prefix = "-k" },
}

local person = { "disable new", "delete new", "enable old", "disable old", "create of the same name",
  "create of the next name", "write the old secret back", "write the new secret back", "use the secret" }

-- Numbers by lot, from 0 to below a limit.
local function lot(seed)
  local random = scene.random(seed * 7919 + 17)
  random(16) -- neighbouring seeds begin alike
  return function(limit)
    local a, b, c = random(3):byte(1, 3)
    return (a * 65536 + b * 256 + c) % limit
  end
end

local kinds = {
  kill = function(draw)
    return { wake = draw(4) + 1, boundary = draw(draw(2) == 0 and 20 or 80) + 1 }
  end,
  fault = function(draw)
    return { fault = faults[draw(#faults) + 1], skip = draw(30) }
  end,
  store = function(draw)
    local list = { "refused", "lost", 3, 20, 50, 50, "unreadable" }
    return { what = list[draw(#list) + 1], skip = draw(2) }
  end,
  -- A copy of the state folder: taken at a moment between two runs, or at a boundary of a run (below).
  restore = function(draw, one)
    return { back = one.moment + draw(one.span) + 1 }
  end,
  clone = function() return {} end,
  clock = function(draw, one)
    local list = { 400, -400, 40 * DAY, -40 * DAY }
    return { skew = list[draw(#list) + 1], back = one.moment + draw(one.span) + 1 }
  end,
  person = function(draw)
    return { what = person[draw(#person) + 1] }
  end,
  service = function(draw)
    return { settings = settings[draw(#settings) + 1] }
  end,
}

local names = { "kill", "kill", "kill", "kill", "kill", "kill", "fault", "fault", "store", "restore", "clone", "clock",
  "person", "service" }

local function disturbance(draw, span)
  local name = names[draw(#names) + 1]
  -- Half of them strike while keys are made, the others at any time.
  local one = { span = span, moment = draw(2) == 0 and draw(120) or draw(span) }
  for field, value in pairs(kinds[name](draw, one)) do
    one[field] = value
  end
  one.kind = name
  return one
end

-- One clock at most is wrong in a run: two that are set ahead in one soak deceive everybody (docs/rotation.md).
local function keep_one_clock(all)
  local is_set, kept = false, {}
  for _, one in ipairs(all) do
    is_set = is_set or one.kind == "clock"
  end
  for _, one in ipairs(all) do
    kept[#kept + 1] = not (is_set and one.settings and one.settings.date_shift) and one or nil
  end
  return kept
end

---Draws a run.
---@param seed integer
---@return table plan { verb, scope, stores, soak, grace, adoption, back_at, disturbances, max_age,
---only_prompt: whether all consumers read the store again within the soak, so that nothing keeps the old key in use;
---blind: whether the service shows no use of project keys }
function plan.draw(seed)
  local draw = lot(seed)
  local drawn = {
    seed = seed, verb = plan.verbs[draw(#plan.verbs) + 1], stores = draw(3) == 0 and 2 or 1,
    soak = ({ 600, 3600, DAY })[draw(3) + 1], grace = ({ 3600, DAY, 7 * DAY })[draw(3) + 1],
    adoption = draw(2) == 0 and "observe" or "time", disturbances = {},
  }
  drawn.scope = (drawn.verb == "rotate" or drawn.verb == "rollback") and draw(5) == 0 and "organization" or "project"
  drawn.back_at = draw(2 * drawn.soak + math.floor(drawn.grace / 2))
  for i = 1, draw(6) do
    drawn.disturbances[i] = disturbance(draw, 2 * drawn.soak)
  end
  drawn.disturbances = keep_one_clock(drawn.disturbances)
  for _, one in ipairs(drawn.disturbances) do
    if (one.kind == "restore" or one.kind == "clone") and draw(2) == 0 then
      one.wake, one.boundary = draw(3) + 1, draw(draw(2) == 0 and 20 or 60) + 1
    end
  end
  if draw(6) == 0 then -- a copy that was taken while a key was being made
    local copy = { kind = draw(2) == 0 and "restore" or "clone", moment = 0, span = 2 * drawn.soak }
    copy.wake, copy.boundary, copy.back = draw(2) + 1, draw(12) + 9, draw(copy.span) + 1
    drawn.disturbances[#drawn.disturbances + 1] = copy
  end
  if drawn.scope == "project" and draw(30) == 0 then
    drawn.disturbances[#drawn.disturbances + 1] = { kind = "replay", moment = 0 }
  end
  drawn.max_age, drawn.only_prompt = ({ 2, 30 })[draw(2) + 1] * DAY, draw(2) == 0
  drawn.blind = draw(12) == 0
  return drawn
end

-- A value in words, the same at each run.
local function show(value)
  if type(value) ~= "table" then
    return tostring(value):sub(1, 30)
  end
  local parts = {}
  for name, inner in pairs(value) do
    parts[#parts + 1] = ("%s=%s"):format(tostring(name), show(inner))
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ", ") .. "}"
end

---A run in words.
function plan.describe(drawn)
  return show(drawn)
end

return plan
