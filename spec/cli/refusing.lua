-- SPDX-License-Identifier: Apache-2.0
-- How rotations and `ensure` come to be refused: for each cause a scenario, which gives the words of the command that
-- is refused.

local confidentai = require "confidentai"
local files = require "spec.files"
local state_folder = require "confidentai.state"

local check, DAY = confidentai.check, 86400

-- A scenario may be a table: { run, looks = true: the commands only show something, as what is wrong is for a person,
-- silent = true: there is none, status = the exit status, 6 }.
return function(s)
  local function place(words)
    words[#words + 1], words[#words + 2] = "--project", s.service.projects[1].id
    return words
  end

  -- `rotate start`, of the key in the store `key`; more words at its end.
  local function start(id, ...)
    local words = { "rotate", "start", id, "--store", "file:" .. s:path "key", "--soak", "0", "--grace", "0",
      "--settle", "1s" }
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    return place(words)
  end

  local function ensure(...)
    local words = { "ensure", "svc", "--store", "file:" .. s:path "key", "--settle", "1s" }
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    return place(words)
  end

  local function ensured(name)
    return check(s:keys():ensure("svc", { store = s:store(name or "key", false), clock = s.clock, pause = s.pause,
      random = s.random, settle = 1 }))
  end

  local function secret_of(id, scope)
    local _, by_id = s:on_service(scope)
    return by_id[id].value
  end

  local function hide_ends()
    s:fault { type = "record", times = -1, fields = { value = '"***************"' } }
  end

  local function verb(name)
    return { "rotate", name, s:record().id }
  end

  local list = {}

  list.no_such_key = function()
    s:store()
    return start "99"
  end
  list["no_such_key in an empty place"] = function() return start "99" end
  list["no_such_key of the organization"] = function()
    return { "rotate", "start", "77", "--store", "file:" .. s:path "key", "--settle", "1s" }
  end
  list.key_disabled = function()
    s:store()
    check(s:keys():disable(1))
    return start "1"
  end
  list.rotated_by_service = { looks = true, run = function()
    s:store()
    s:fault { type = "record", times = -1, target = 1, fields = { rotatesAt = '"2027-01-01T00:00:00Z"' } }
    return start "1"
  end }
  list.wrong_old_secret = function()
    s:store()
    s:write("old", "confident_us_proj_" .. ("0"):rep(40))
    return start("1", "--old-secret-file", s:path "old")
  end
  list.end_hidden = { looks = true, run = function()
    s:store()
    hide_ends()
    return start "1"
  end }
  list["end_hidden, of ensure"] = { looks = true, run = function()
    ensured()
    hide_ends()
    return ensure()
  end }
  list.env_file = function()
    s:write("key", "A=1\nCONFIDENT_API_KEY=" .. s.service.projects[1].api_key .. "\n")
    return start "1"
  end
  -- The same command was printed again, as what leads on.
  list["env_file, of a command"] = { silent = true, run = function()
    s:write("env", "A=1\nCONFIDENT_API_KEY=" .. s.service.projects[1].api_key .. "\n")
    return place { "rotate", "start", "1", "--store", "exec:true", "--store-check", "cat " .. s:path "env" }
  end }
  list["env_file, of ensure"] = function()
    ensured "elsewhere"
    local secret = files.read(s:path "elsewhere")
    s:write("key", "A=1\nCONFIDENT_API_KEY=" .. secret .. "\n")
    return ensure()
  end
  list["store_holds_other: the secret of another key"] = function()
    s:write("key", check(s:keys():create "other").value)
    return start "1"
  end
  list["store_holds_other: of no key"] = function()
    s:write("key", "confident_us_proj_" .. ("0"):rep(40))
    return start "1"
  end
  list["store_holds_other, of ensure"] = function()
    s:write("key", "hello\n")
    return ensure()
  end
  list.store_not_empty = function()
    s:write("key", "confident_us_proj_" .. ("0"):rep(40))
    return place { "keys", "create", "new", "--store", "file:" .. s:path "key" }
  end
  list.store_unusable = { status = 1, run = function()
    return start("1", "--store", "file:" .. s:path "missing/deep/key", "--replace-store")
  end }
  list["store_unusable: others may read it"] = { status = 1, run = function()
    s:store()
    assert(os.execute(("chmod 644 '%s'"):format(s:path "key")))
    return start "1"
  end }
  list.same_manager = function()
    s:store("key", s.service.api_key)
    return { "rotate", "start", "1", "--store", "file:" .. s:path "key", "--other-manager-file", s:path "key",
      "--settle", "1s" }
  end
  list.manager_refused = function()
    s:store("key", s.service.api_key)
    s:write("other", "confident_us_org_" .. ("0"):rep(40))
    return { "rotate", "start", "1", "--store", "file:" .. s:path "key", "--other-manager-file", s:path "other",
      "--settle", "1s" }
  end
  list.names_used_up = function()
    s:store()
    check(s:keys():create "Default Key~g999999999~abcdefgh")
    return start "1"
  end
  list.name_too_long = function()
    local key = check(s:keys():create(("x"):rep(950)))
    s:write("key", key.value)
    return start "2"
  end
  list.begun_otherwise = function()
    s:begin()
    return place { "rotate", "start", "1", "--store", "file:" .. s:path "key", "--soak", "3d" }
  end
  list["under_way, as it goes back"] = function()
    check(s:begin():rollback())
    return place { "rotate", "start", "1", "--store", "file:" .. s:path "key", "--compromised" }
  end
  list.other_base = function()
    s:begin()
    return place { "rotate", "start", "1", "--store", "file:" .. s:path "key", "--base", "another" }
  end
  list.under_way = function()
    s:begin()
    return start "2"
  end
  list.unended = function()
    local rotation = s:begin()
    s:pass(DAY + 2)
    assert(rotation:advance())
    check(s:keys():enable(1))
    return start "2"
  end

  -- By this process, until the folder is another one.
  list.held = { status = 1, run = function()
    local state = assert(state_folder.find(s:path "state"))
    s:begin()
    list.held.release = assert(state.hold(assert(state.list "records/")[1])) -- the collector would end it
    return verb "advance"
  end }

  list.store_unreadable = { silent = true, run = function()
    return place { "ensure", "svc", "--store", "exec:cat" }
  end }
  list.unknown_secret = function()
    s:write("key", "confident_us_proj_" .. ("0"):rep(40))
    return ensure()
  end
  list["unknown_secret, of a key with another name"] = function()
    s:store()
    return ensure()
  end
  list.wrong_scope = function()
    s:write("key", "confident_us_org_" .. ("0"):rep(40))
    return ensure "--renew"
  end
  list.secret_works = function()
    s:store()
    return ensure "--renew"
  end
  list.different_secrets = function()
    ensured()
    s:write("second", "confident_us_proj_" .. ("0"):rep(40))
    return ensure("--store", "file:" .. s:path "second")
  end
  list.nothing_to_adopt = function() return ensure("--adopt", "1") end
  list.in_use = function()
    ensured()
    os.remove(s:path "key")
    return ensure()
  end
  list.own_key = { silent = true, run = function()
    s:store("key", s.service.api_key)
    return { "ensure", "svc", "--store", "file:" .. s:path "key", "--adopt", "1" }
  end }
  list.newer_in_use = function()
    ensured()
    s:pass(10 * DAY)
    local key = check(s:keys():create "svc~g2~abcdefgh")
    s:pass(DAY)
    check(s:client():identify(secret_of(("%.0f"):format(key.id)), { probe = true }))
    return ensure()
  end
  list.age_unreadable = { looks = true, run = function()
    ensured()
    s:fault { type = "record", times = -1, target = 2, fields = { created_at = '"yesterday"' } }
    return ensure()
  end }
  list.not_lost = function()
    ensured()
    return ensure("--abandon", "2")
  end
  list.ends_alike = { looks = true, run = function()
    ensured()
    local key = check(s:keys():create "svc~g2~abcdefgh")
    s:fault { type = "record", times = -1, target = ("%.0f"):format(key.id),
      fields = { value = ('"***************%s"'):format(secret_of("2"):sub(-6)) } }
    return ensure()
  end }

  -- What a person says to a rotation, where it means nothing.
  list["verb: rollback, the old key is gone"] = function()
    s:begin()
    check(s:keys():delete(1))
    return verb "rollback"
  end
  list["verb: rollback, others have disabled the old key"] = function()
    s:begin()
    check(s:keys():disable(1))
    return verb "rollback"
  end
  list["verb: rollback, after the delete was sent"] = function()
    local done
    s:rotate { on_step = function(event)
      if event.what == "deleting the old key" and not done then
        done = true
        s:fault { type = "drop", method = "DELETE" }
      end
    end }
    return verb "rollback"
  end
  list["verb: rollback, what a store held is not known"] = function()
    s:begin { replace_store = true, store = s:store("key", "confident_us_proj_" .. ("0"):rep(40)) }
    s:edit(function(record) record.stores[1].tried = true end)
    for _, path in ipairs(s:state_files()) do
      if path:find("/escrows", 1, true) then
        os.remove(path)
      end
    end
    return verb "rollback"
  end
  list["verb: rollback, the store is elsewhere"] = function()
    s:begin()
    s:edit(function(record) record.stores[1].host = "web-7" end)
    return verb "rollback"
  end
  list["verb: abort, it is published"] = function()
    s:begin()
    return verb "abort"
  end
  list["verb: confirm, in a conflict"] = function()
    local rotation = s:begin()
    check(s:keys():disable(2))
    rotation:advance()
    return verb "confirm"
  end
  list["verb: keep, nothing goes back"] = function()
    s:begin()
    return verb "keep"
  end
  list["verb: republish, the new key is disabled"] = function()
    s:begin()
    s:store()
    check(s:keys():disable(2))
    return verb "republish"
  end
  return list
end
