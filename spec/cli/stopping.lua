-- SPDX-License-Identifier: Apache-2.0
-- How rotations come to stop: for each cause one scenario or several, on a scene's virtual clock.

local confidentai = require "confidentai"
local files = require "spec.files"
local sandbox_support = require "spec.sandbox.support"

local check, HOUR, DAY = confidentai.check, 3600, 86400

-- Every scenario leaves a record that has stopped. One may be a table: { run, mend = what somebody does outside, before
-- a command can lead on, silent = no command is to be printed }.
return function(s)
  local function merge(defaults, more)
    for name, value in pairs(more or {}) do
      defaults[name] = value
    end
    return defaults
  end

  local function in_grace(more)
    local rotation = s:begin(more)
    s:pass(DAY + 2)
    assert(rotation:advance())
    return rotation
  end

  local function going_back(more, now)
    local rotation = in_grace(more)
    check(rotation:rollback { now = now or nil })
    return rotation
  end

  -- What fails here fails by intent: the rotation is on record.
  local function fail(more)
    s:rotate(more)
  end

  local function secret_of(id)
    local _, by_id = s:on_service()
    return by_id[id].value
  end

  -- A person uses a key, which must work.
  local function use(id)
    sandbox_support.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = secret_of(id) })
  end

  -- A key that does not work is used: in between, a person has enabled it.
  local function use_disabled(id)
    check(s:keys():enable(id))
    use(tostring(id))
    check(s:keys():disable(id))
  end

  local function refuse_proofs(times)
    s:fault { type = "status", operation = "annotation_queues", status = 401, times = times or -1 }
  end

  local function accept_proofs()
    s:fault { type = "status", operation = "annotation_queues", status = 200, times = -1,
      body = { success = true, data = { annotationQueues = {}, page = 1, pageSize = 1, total = 0 } } }
  end

  local function show_another(id)
    s:fault { type = "record", target = id, operation = "get", fields = { name = '"another"' }, times = -1 }
  end

  local function on_step(what, act)
    local done
    return function(event)
      if event.what == what and not done then
        done = true
        act()
      end
    end
  end

  local function program(name, status)
    files.write(s:path(name), ("#!/bin/sh\nexit %d\n"):format(status))
    assert(os.execute(("chmod 700 '%s'"):format(s:path(name))))
    return s:path(name)
  end

  local list = {}

  list.create_refused = function()
    s:fault { type = "status", operation = "create", status = 422 }
    fail()
  end
  list.new_deleted = function()
    s:fault { type = "edit", change = "delete", target_name = "~g1~", operation = "list", skip = 1 }
    fail()
  end
  list.unproven = function()
    refuse_proofs()
    fail()
  end
  list.creates_unclear = function()
    s:fault { type = "drop", operation = "create", times = -1 }
    fail { on_published = { "true" }, grace = DAY }
  end
  list.name_altered = function()
    assert(s.service:set { names = "upper" })
    fail()
  end
  list["rolled_back with a key that was never published"] = function()
    fail { on_step = on_step("counted", function() s:fault { type = "drop", times = -1 } end) }
    s.service:clear_faults()
    check(s:open():rollback())
  end
  list["rolled_back to the end"] = { silent = true, run = function()
    local rotation = going_back({}, true)
    s:pass(DAY + 2)
    assert(rotation:advance())
  end }
  list.abandoned = { silent = true, run = function() check(s:begin():abandon()) end }

  list.not_taken_over = function()
    local rotation = s:begin { adoption = "confirm", soak_max = DAY }
    s:pass(DAY + 2)
    rotation:advance()
  end
  list.command_failed = { mend = function() program("reload", 0) end, run = function()
    local rotation = s:begin { on_published = { program("reload", 1) }, soak_max = DAY }
    s:pass(DAY + 2)
    rotation:advance()
  end }

  list.store_elsewhere = function()
    s:begin()
    s:edit(function(record) record.stores[1].host = "web-7" end)
    s:open():advance()
  end
  list["store_elsewhere, of other kinds"] = function()
    s:write("app.env", "A=1\nKEY=" .. secret_of "1" .. "\n")
    s:write("held", secret_of "1")
    program("put", 0)
    files.write(s:path "put", "#!/bin/sh\ncat >held\n")
    s:begin { store = { confidentai.store.env_file { path = s:path "app.env", variable = "KEY" },
      confidentai.store.exec { command = { "./put" }, check = { "cat", "held" }, folder = s.folder } } }
    s:edit(function(record)
      record.stores[1].host, record.stores[2].host = "web-7", "web-7"
    end)
    s:open():advance()
  end
  list.store_not_given = function()
    local held = secret_of "1"
    s:begin { store = confidentai.store.callback { name = "vault", get = function() return held end,
      put = function(text)
        held = text
        return true
      end } }
    s:open():advance()
  end

  -- A rotation in another state folder, whose key this one does not see when it begins.
  local function beside_rival(more)
    s:begin { state_dir = s:path "rival", store = s:store "other" }
    s:fault { type = "short_list", operation = "list", hide = { 2 }, times = 1 }
    s:rotate(merge({ grace = DAY }, more))
  end
  list.rival_first = function() beside_rival() end
  local function write_rival(stores)
    local rotation = s:begin { store = stores }
    check(s:rotate { soak = DAY, adoption = "time", state_dir = s:path "rival", store = s:store "other" })
    s:write("key", secret_of "3")
    rotation:advance()
  end
  list["rival_published in the only store"] = function()
    write_rival()
    s:pass(2 * DAY)
    s:open():advance()
  end
  list["rival_published in one of two stores"] = function() write_rival { s:store "key", s:store "second" } end
  list.newer_key = function()
    local rotation = s:begin()
    check(s:keys():create "Default Key~g7~abcdefgh")
    s:pass(DAY + 2)
    rotation:advance()
  end

  list.new_refused = function()
    local rotation = s:begin()
    refuse_proofs()
    s:pass(HOUR + 1)
    rotation:advance()
  end
  list.new_changed = function()
    local rotation = s:begin()
    show_another(2)
    rotation:advance()
  end
  list.env_file_written = function()
    local rotation = s:begin()
    s:write("key", "A=1\nKEY=" .. secret_of "1" .. "\n")
    rotation:advance()
  end
  for state, reach in pairs { soaking = function() return s:begin() end, grace = in_grace } do
    list["new_disabled in " .. state] = function()
      local rotation = reach()
      check(s:keys():disable(2))
      rotation:advance()
    end
    list["new_gone in " .. state] = function()
      local rotation = reach()
      check(s:keys():delete(2))
      rotation:advance()
    end
    list["store_written in " .. state] = function()
      local rotation = reach()
      s:store()
      rotation:advance()
    end
    list["secret_damaged in " .. state] = function()
      local rotation = reach()
      for _, path in ipairs(s:state_files()) do
        if path:find("/escrows", 1, true) then
          files.write(path, "nonsense")
        end
      end
      rotation:advance()
    end
  end
  for _, change in ipairs { "disable", "delete" } do
    list[("new_%s when the old one was disabled, which is compromised"):format(change == "delete" and "gone"
      or "disabled")] = function()
      s:fault { type = "edit", change = change, target_name = "~g1~", when = "after", method = "PUT" }
      fail { compromised = true }
    end
  end
  list["store_written before it was published"] = function()
    fail { grace = DAY, on_step = on_step("the new key is accepted", function()
      s:write("key", "confident_us_proj_" .. ("written0by0hand0"):rep(3))
    end) }
  end
  list["store_written after the delete was sent"] = function()
    fail { on_step = on_step("deleting the old key", function() s:fault { type = "drop", method = "DELETE" } end) }
    s:store()
    s:open():advance()
  end

  list["old_enabled in the grace"] = function()
    local rotation = in_grace()
    check(s:keys():enable(1))
    rotation:advance()
  end
  list["old_enabled after the delete was sent"] = function()
    fail { on_step = on_step("deleting the old key", function() s:fault { type = "drop", method = "DELETE" } end) }
    check(s:keys():enable(1))
    s:open():advance()
  end
  list["old_accepted when it was disabled"] = function()
    fail { grace = DAY, on_step = on_step("disabling the old key", accept_proofs) }
  end
  list["old_accepted at the end"] = function()
    local secret = secret_of "1"
    check(s:keys():delete(1))
    accept_proofs()
    fail { compromised = true, replace = true, replace_store = true, old_secret = secret }
  end
  list.old_changed = function()
    fail { grace = DAY, on_step = on_step("proving the new key", function() show_another(1) end) }
  end
  list["old_used after it was disabled"] = function()
    local rotation = in_grace()
    s:pass(600)
    use_disabled(1)
    s:pass(DAY + 2)
    rotation:advance()
  end
  list["old_used at a time that cannot be read"] = function()
    local rotation = in_grace()
    s:pass(DAY + 2)
    s:fault { type = "record", target = 1, operation = "get", fields = { lastUsed = '"yesterday"' }, times = -1 }
    rotation:advance()
  end
  list.own_key = function()
    local _, by_id = s:on_service "organization"
    local store = s:store("manager", by_id["2"].value)
    check(s:keys "organization":rotate(2, s:options { soak = DAY, grace = DAY, adoption = "time", store = store }))
    s:pass(DAY + 2)
    s:open(s:client { api_key = by_id["2"].value }):advance()
  end

  -- A rotation whose state folder is an old copy, made at an event.
  local function copied(what)
    s:begin { state_dir = s:path "original", on_step = on_step(what, function()
      assert(os.execute(("cp -a '%s' '%s'"):format(s:path "original", s:path "state")))
    end) }
  end
  list.new_claimed = function()
    copied "counted"
    s:pass(60)
    use "2"
    s:open():advance()
  end
  list.key_stored = function()
    copied "creating"
    s:open():advance()
    s:pass(60)
    s:open():advance()
  end
  list.key_claimed = function()
    s:fault { type = "lost_answer", operation = "create" }
    fail { on_step = on_step("it is unclear whether the key was created: looking for it", function() use "2" end) }
  end

  list.back_gone = function()
    local rotation = going_back()
    check(s:keys():delete(1))
    rotation:advance()
  end
  list.back_changed = function()
    local rotation = going_back()
    show_another(1)
    rotation:advance()
  end
  list["back_disabled in the soak"] = function()
    local rotation = going_back()
    check(s:keys():disable(1))
    rotation:advance()
  end
  list["back_disabled when the new one was disabled"] = function()
    local rotation = going_back()
    s:fault { type = "edit", change = "disable", target_name = "^Default Key$", when = "after", method = "PUT" }
    s:pass(HOUR + 2)
    rotation:advance()
  end
  list.back_refused = function()
    local rotation = s:begin()
    refuse_proofs()
    rotation:rollback()
  end
  list.new_enabled = function()
    local rotation = going_back({}, true)
    check(s:keys():enable(2))
    rotation:advance()
  end
  list.new_held = function()
    local rotation = going_back()
    s:write("key", secret_of "2" .. "\n")
    rotation:advance()
  end
  list.new_used = function()
    local rotation = going_back({}, true)
    s:pass(600)
    use_disabled(2)
    s:pass(DAY)
    rotation:advance()
  end
  return list
end
