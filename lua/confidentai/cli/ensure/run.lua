-- SPDX-License-Identifier: Apache-2.0
-- What `confidentai ensure` does.

local check_id = require("confidentai.cli.keys.id").check
local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"
local interruption = require "confidentai.cli.interruption"
local options = require "confidentai.cli.rotate.options"
local output = require "confidentai.cli.output"
local selection = require "confidentai.cli.selection"
local status = require "confidentai.cli.status"
local store_option = require "confidentai.cli.store_option"
local time = require "confidentai.cli.time"

local run = {}

local SENTENCES = {
  none = "nothing to do", created = "a new key was created, verified and published",
  disabled = "a key that no store holds was disabled: %s", deleted = "a key that no store holds was deleted: %s",
}

local function sentence(result)
  local text = SENTENCES[result.action]:format(result.id or "")
  return result.reason and ("%s (%s)"):format(text, result.reason) or text
end

---The columns of what `ensure` did.
---@param now number seconds since 1970
---@return confidentai.Column[]
function run.columns(now)
  return {
    { name = "base", title = "NAME", value = function(result) return result.base end },
    { name = "action", title = "ACTION", value = function(result) return result.action end, text = sentence },
    { name = "reason", value = function(result) return result.reason end },
    { name = "id", value = function(result) return result.id end },
    { name = "key_id", title = "CURRENT KEY", value = function(result) return result.key and result.key.id end },
    { name = "key_name", value = function(result) return result.key and result.key.name end },
    { name = "created_at", value = function(result) return result.key and result.key.created_at end },
    { name = "wait", value = function(result) return result.wait end },
    { name = "due_at", title = "NEXT", value = function(result) return result.wait and time.iso(now + result.wait) end,
      text = function(result)
        return not result.wait and "run it again" or result.wait > 0 and "in " .. time.length(result.wait) or "now"
      end },
    { name = "notice", json = true, value = function(result) return result.notice end },
  }
end

local function options_of(arguments, api_keys)
  local given = {
    store = store_option.stores(arguments)
      or failure.usage("--store is missing: it says where the current secret is", "such as --store file:/run/keys/app"),
    max_age = arguments.max_age, soak = arguments.soak, grace = arguments.grace, settle = arguments.settle,
    adopt = arguments.adopt and check_id(api_keys, arguments.adopt), renew = arguments.renew,
    abandon = arguments.abandon and check_id(api_keys, arguments.abandon),
    on_published = options.on_published(arguments),
  }
  if arguments.manager_store then
    given.manager_store = store_option.parse(arguments.manager_store)
  end
  return given
end

---@param session table
---@param arguments table parsed
function run.ensure(session, arguments)
  if arguments.base == "" or not core.is_utf8(arguments.base) then
    failure.usage "the name must be valid UTF-8, and not empty"
  end
  local api_keys = selection.one(session, arguments)
  local given = options_of(arguments, api_keys)
  interruption.leaves "run the same command again: it finds what this run has begun"
  local result, err = api_keys:ensure(arguments.base, given)
  interruption.leaves(nil)
  if not result then
    if err.outcome == "unknown" and not err.next then
      err.next = "run the same command again: it finds what has happened, and retires a key that no store holds"
    end
    failure.raise(err)
  end
  result.base = arguments.base
  output.record(run.columns(os.time()), result, arguments)
  if result.notice and result.notice.problem then
    failure.raise { kind = "store", message = "the new key is published; --on-published has failed: "
      .. result.notice.problem, next = "run it yourself; or run the same command again: it repeats --on-published, "
      .. "and keeps older keys enabled until that succeeds", exit = status.failed }
  end
end

return run
