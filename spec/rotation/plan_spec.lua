-- SPDX-License-Identifier: Apache-2.0
-- What is refused before anything is written anywhere (rotation page, `planned`).

local cjson = require "cjson"
local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"
local uv = require "luv"

describe("the plan of a rotation", function()
  local s = scene.register { projects = { "web", "other" } }

  local function project_secret()
    return s.service.projects[1].api_key
  end

  -- Nothing was changed: not at the service, not in the state folder, not in the stores.
  local function assert_untouched(before)
    assert.same({}, s:changes(before))
    for _, path in ipairs(s:state_files()) do
      assert.is_nil(path:find("records", 1, true), path)
      assert.is_nil(path:find("escrows", 1, true), path)
    end
  end

  local function assert_refused(words, options, fields, client)
    local before = #assert(s.service:log())
    local held = s:read "key"
    local rotation, err = s:rotate(options, client)
    assert.is_nil(rotation)
    local expected = { kind = "guard", state = "planned", outcome = "not_applied" }
    for name, value in pairs(fields or {}) do
      expected[name] = value
    end
    support.assert_error(expected, err)
    assert.is_truthy(err.message:find(words, 1, true), err.message)
    s:assert_no_secret(tostring(err))
    assert_untouched(before)
    if held then
      assert.equal(held, s:read "key")
    end
    return err
  end

  it("wants the old key to be there", function()
    assert_refused("only if it was deleted, replace = true", { id = 99 })
  end)

  for _, scope in ipairs { "project", "organization" } do
    for _, shown in ipairs { 0, 4 } do
      it(("wants the service to show how a key of the %s ends: %d characters of it"):format(scope, shown), function()
        local own = scope == "organization"
        local secret = own and s.service.api_key or project_secret()
        s:fault { type = "record", times = -1, target = 1, scope = scope,
          fields = { value = ('"***************%s"'):format(secret:sub(#secret - shown + 1)) } }
        local before = #assert(s.service:log())
        for _, more in ipairs { {}, { replace_store = true }, { replace = true, compromised = true } } do
          local rotation, err = s[own and "rotate_self" or "rotate"](s, more)
          assert.is_nil(rotation)
          support.assert_error({ kind = "guard", state = "planned", outcome = "not_applied" }, err)
          assert.matches("does not show the last 6 characters of key 1", err.message)
          assert_untouched(before)
        end
      end)
    end
  end

  it("wants the service to show how any key ends, to make one", function()
    for _, key in ipairs((s:on_service())) do
      s:fault { type = "record", times = -1, target = key.id, fields = { value = '"confident_us_****"' } }
    end
    local before = #assert(s.service:log())
    local key, err = s:keys():provision("new", { store = s:store(nil, false), state_dir = s:path "state" })
    assert.is_nil(key)
    support.assert_error({ kind = "guard", state = "planned", outcome = "not_applied" }, err)
    assert.matches("does not show the last 6 characters of these keys", err.message)
    assert_untouched(before)
  end)

  it("wants the old key to be enabled", function()
    confidentai.check(s:keys():disable(1))
    assert_refused("key 1 'Default Key' (never used) is disabled: enable it", {})
    local rotation = confidentai.check(s:rotate { replace = true, soak = 1000 })
    assert.equal("done", rotation.state)
    assert.equal("2", s:holder().id)
  end)

  it("replaces an absent key when told to", function()
    assert_refused("holds something already, and no record here", { id = 99, replace = true })
    local rotation = confidentai.check(s:rotate { id = 99, replace = true, replace_store = true })
    assert.equal("done", rotation.state)
    assert.equal("key-99", rotation.base)
    assert.same({ "POST 2" }, s:changes()) -- key 1 was not named
    assert.equal("2", s:holder().id)
    rotation = confidentai.check(s:rotate { id = 98, replace = true, store = s:store("new", false) })
    assert.equal("3", s:holder("new").id)
    assert.equal("done", rotation.state)
  end)

  it("leaves keys alone that the service rotates itself", function()
    local _, by_id = s:on_service()
    s:fault { type = "body", operation = "list", body = cjson.encode { success = true, data = { apiKeys = { {
      id = 1, name = "Default Key", valid = true, value = ("*"):rep(15) .. by_id["1"].value:sub(-6),
      created_at = by_id["1"].created_at, lastUsed = cjson.null, rotatesAt = "2030-01-01T00:00:00.000Z",
    } } } } }
    assert_refused("the service itself rotates key 1 'Default Key' (never used), at 2030-01-01", {})
  end)

  it("wants the held secret to be the old key's", function()
    assert_refused("old_secret is not the secret of key 1",
      { old_secret = "confident_us_proj_" .. ("x"):rep(30) .. "abcdef" })
  end)

  it("wants the store to hold the old key's secret", function()
    local wrong = "confident_us_proj_" .. ("x"):rep(30) .. "abcdef"
    assert_refused("does not hold the secret of key 1, but a secret that ends in abcdef: replace_store = true",
      { store = s:store("key", wrong) })
    assert_refused("does not hold the secret of key 1", { store = s:store("empty", false) })
    assert_refused("does not hold the secret of key 1", { store = { s:store(), s:store("second", wrong) } })
    assert.is_nil(s:read "empty")
    local rotation = confidentai.check(s:rotate { store = { s:store(), s:store("second", false) },
      replace_store = true })
    assert.equal("done", rotation.state)
    assert.equal(s:read "key", s:read "second")
  end)

  it("wants stores that can be written", function()
    assert_refused("does not exist", { store = confidentai.store.file { path = s:path "none/key" } },
      { kind = "store" })
    local store = s:store "open"
    assert(uv.fs_chmod(s:path "open", 420))
    assert_refused("everybody may read it", { store = store }, { kind = "store" })
    assert_refused("cannot be started", { store = confidentai.store.exec { command = { "no-such-program" } } },
      { kind = "store" })
    assert_refused("its get failed: locked", { store = confidentai.store.callback {
      name = "vault", put = function() return true end, get = function() return nil, "locked" end,
    } }, { kind = "store" })
    assert_refused("its check exited with status 3", { store = confidentai.store.exec {
      command = { "cat" }, check = { "sh", "-c", "exit 3" },
    } }, { kind = "store" })
  end)

  it("wants another manager when told to", function()
    local store = s:store("manager", s.service.api_key)
    local function assert_refused_here(words, secret)
      local rotation, err = s:rotate_self { store = store, require_other_manager = secret }
      assert.is_nil(rotation)
      support.assert_error({ kind = "guard", state = "planned" }, err)
      assert.is_truthy(err.message:find(words, 1, true), err.message)
      assert_untouched()
    end
    assert_refused_here("is the key to be rotated", s.service.api_key)
    assert_refused_here("is refused by the service", "confident_us_org_" .. ("x"):rep(40))
    local _, by_id = s:on_service "organization"
    assert.equal("done", confidentai.check(
      s:rotate_self { store = store, require_other_manager = by_id["2"].value }).state)
  end)

  it("refuses a manager that the service refuses", function()
    assert_refused("", {}, { kind = "api", status = 401 },
      s:client { api_key = "confident_us_org_" .. ("x"):rep(40) })
  end)

  it("refuses a state folder that others may read, or that is lost at reboot", function()
    assert(uv.fs_mkdir(s:path "state", 493))
    assert_refused("is open to others", {}, { kind = "state" })
    uv.fs_rmdir(s:path "state")
    s:write("state", "")
    assert_refused("is not a folder", {}, { kind = "state" })
    if uv.fs_stat "/dev/shm" then
      assert_refused("lost at reboot", { state_dir = "/dev/shm/confidentai-rotation" }, { kind = "state" })
    end
  end)

  it("refuses a record that is damaged, and leaves others alone", function()
    confidentai.check(s:rotate { soak = 1000, adoption = "time" })
    for _, path in ipairs(s:state_files()) do
      if path:find("/records", 1, true) then
        local name = path:sub(#s.folder + 2)
        local text = s:read(name)
        s:write(name, text:sub(1, -3) .. "x\n")
      end
    end
    local _, err = s:rotate { store = s:store(nil, false) }
    support.assert_error({ kind = "state" }, err)
    assert.matches("damaged", err.message)
    local list, none, problems = confidentai.rotation.open(s:client(), s:opening())
    assert.same({}, list)
    assert.is_nil(none)
    assert.equal(1, #problems)
    assert.matches("damaged", problems[1].message)
    local _, by_id = s:on_service "organization"
    local other = confidentai.check(s:keys "organization":rotate(2, s:options {
      store = s:store("legacy", by_id["2"].value) }))
    assert.equal("done", other.state)
  end)

  it("leaves nothing when the service does not answer", function()
    for _, operation in ipairs { "organization", "list" } do
      s:fault { type = "drop", operation = operation, times = -1 }
      assert_refused("", {}, { kind = "network" })
      s.service:clear_faults()
    end
  end)

  it("wants a base under which a record can lie", function()
    local key = confidentai.check(s:keys():create(("\228\188\154"):rep(400)))
    assert_refused("too long for a record: give a shorter one as base",
      { id = key.id, store = s:store("long", key.value) })
    assert.equal("done", confidentai.check(
      s:rotate { id = key.id, base = "short", store = s:store("long", key.value) }).state)
  end)

  it("does not go on after a dry run was refused", function()
    assert_refused("old_secret is not", { dry_run = true, old_secret = project_secret() .. "x" })
  end)
end)
