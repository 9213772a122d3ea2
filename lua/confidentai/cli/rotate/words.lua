-- SPDX-License-Identifier: Apache-2.0
-- What a person reads of a rotation: its status, its plan, and by what it goes on.

local command_line = require "confidentai.command_line"
local continuation = require "confidentai.cli.continuation"
local duration = require "confidentai.duration"
local failure = require "confidentai.cli.failure"
local grid = require "confidentai.cli.grid"
local time = require "confidentai.cli.time"

local words = {}

local function add_history(lines, status, now)
  lines[#lines + 1] = "So far:"
  for _, event in ipairs(status.history) do
    local where = event.store or event.key and "key " .. event.key
    lines[#lines + 1] = ("  %s  %s%s%s"):format(duration.moment(event.at, "%Y-%m-%d %H:%M:%S"), event.what,
      where and (" (%s)"):format(where) or "", event.problem and ": " .. event.problem or "")
  end
  lines[#lines] = ("%s  (times are UTC; it is %s)"):format(lines[#lines], os.date("!%H:%M:%S", now))
end

local function when(status, now)
  if status.finished then
    return ""
  elseif not status.due then
    return status.stop and "" or "; that is up to you"
  end
  return status.due <= 0 and "; that is due now"
    or (", in %s (%s UTC)"):format(time.length(status.due), duration.moment(now + status.due))
end

---What there is to say of a rotation.
---@param status table of rotation:status()
---@param arguments table parsed
---@param with_history? boolean
---@return string text lines
function words.status(status, arguments, with_history)
  local lines, now = {}, os.time()
  for i, fact in ipairs(status.facts) do
    lines[i] = fact
  end
  lines[#lines + 1] = ("Stores: %s."):format(table.concat(status.stores, ", "))
  if with_history then
    add_history(lines, status, now)
  end
  lines[#lines + 1] = ("Next: %s%s."):format(status.next, when(status, now))
  if status.doubt then
    lines[#lines + 1] = ("Note: %s."):format(status.doubt)
  end
  for _, way in ipairs(status.ways) do
    lines[#lines + 1] = ("  %s:"):format(way.purpose)
    lines[#lines + 1] = "    " .. continuation.line(way, arguments)
  end
  for i, line in ipairs(lines) do
    lines[i] = failure.redact(failure.in_options(line))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Where the records are, if cron, whose environment is another, would look elsewhere.
local function state_dir_of_cron(arguments)
  local service, xdg = os.getenv "STATE_DIRECTORY", os.getenv "XDG_STATE_HOME"
  if arguments.state_dir then
    return nil
  elseif service and service ~= "" then
    return service:match "^[^:]+"
  end
  return xdg and xdg:sub(1, 1) == "/" and xdg .. "/confidentai" or nil
end

---By what a rotation goes on, for who has begun one.
---@param status table of rotation:status()
---@param arguments table parsed
---@return string text lines; "" when there is nothing to go on with
function words.schedule(status, arguments)
  if status.finished then
    return ""
  end
  local elsewhere = state_dir_of_cron(arguments)
  local command = "confidentai rotate advance" .. continuation.options(arguments)
    .. (elsewhere and " " .. command_line.text { command_line.option("--state-dir", elsewhere) } or "")
  return table.concat({
    "Rotations do not advance by themselves. Run this every hour, with CONFIDENT_ORG_API_KEY set or with --profile:",
    "  17 * * * *  " .. command:gsub("%%", "\\%%") .. " >/dev/null      # cron",
    "For systemd: confidentai-rotate.timer, in examples/systemd of the sources, for /var/lib/confidentai.",
    "It does only what is due. To see the rotation: confidentai rotate status " .. status.id
      .. continuation.options(arguments),
  }, "\n") .. "\n"
end

local ADOPTION = {
  observe = "at least %s, and until the new key is seen in use and the old one is not",
  time = "for %s", confirm = "until you run: confidentai rotate confirm",
}

local function soak_line(options)
  if options.compromised or options.replace or options.soak == 0 then
    return "No soak: consumers of the old key fail until they have read the new one."
  end
  return ("Both keys work %s."):format(ADOPTION[options.adoption]:format(time.length(options.soak)))
end

local function plan_steps(status)
  local options, old = status.options, "key " .. status.old_id
  local soaks = not (options.compromised or options.replace) and options.soak or 0
  local grace = options.compromised and 0 or options.grace
  local steps = {
    { "now", ("Create a key named %s~g%s~..., and check that it works."):format(status.base,
      grid.text(status.generation)) },
  }
  for _, store in ipairs(status.stores) do
    steps[#steps + 1] = { "", ("Write its secret to %s, and read it back."):format(store) }
  end
  if options.on_published then
    steps[#steps + 1] = { "", "Run: " .. table.concat(options.on_published, " ") }
  end
  steps[#steps + 1] = { "", soak_line(options) }
  steps[#steps + 1] = { soaks > 0 and "in " .. time.length(soaks) or "now",
    ("Check the new key and the stores again, then disable %s."):format(old) }
  steps[#steps + 1] = { "", options.compromised and "There is no way back to it."
    or ("It is kept for %s; until then, `rollback` goes back to it."):format(time.length(grace)) }
  steps[#steps + 1] = { soaks + grace > 0 and "in " .. time.length(soaks + grace) or "now",
    ("Delete %s, after a last check of both keys and the stores."):format(old) }
  return steps
end

---The plan of a rotation that was not begun.
---@param status table of rotation:status()
---@return string text lines
function words.plan(status)
  local place = status.scope == "organization" and "the organization" or "the project " .. status.project_id
  local lines, width = { ("Plan for key %s '%s' of %s. Nothing was changed."):format(status.old_id, status.base,
    place) }, 0
  local steps = plan_steps(status)
  for _, step in ipairs(steps) do
    width = math.max(width, #step[1])
  end
  for i, step in ipairs(steps) do
    lines[i + 1] = failure.redact(("  %s  %s"):format(step[1] .. (" "):rep(width - #step[1]), step[2]))
  end
  lines[1] = failure.redact(lines[1])
  return table.concat(lines, "\n") .. "\n"
end

return words
