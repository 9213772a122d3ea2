-- SPDX-License-Identifier: Apache-2.0
-- ensure draws no conclusion from what is not there: an empty store, a short list, a put that was not heard of, an
-- answer that names another key.

local confidentai = require "confidentai"
local ensuring = require "spec.rotation.ensuring"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("ensure", function()
  local e = ensuring.register()
  local s, client, keys, pass, run = e.scene, e.client, e.keys, e.pass, e.run
  local step, refused, made, use, held = e.step, e.refused, e.made, e.use, e.held

  it("tells no key by an end that the service does not show", function()
    step "created"
    for _, value in ipairs { "confident_us_****", "***************" .. held():sub(-4) } do
      s:fault { type = "record", times = -1, target = 2, fields = { value = ('"%s"'):format(value) } }
      for _, more in ipairs { {}, { renew = true }, { store = s:store("elsewhere", false), abandon = 2 } } do
        refused("the service does not show the last 6 characters of key 2", more)
      end
      assert(s.service:clear_faults())
    end
    step "none"
  end)

  describe("with a store that is empty once", function()
    it("leaves a key alone that was ever used, however long ago", function()
      step "created"
      local empty = { store = s:store("elsewhere", false) }
      for _, seconds in ipairs { 4, 300, DAY, 40 * DAY, 400 * DAY } do
        refused("the store holds nothing, and key 2 is enabled, last used", empty)
        s:pass(seconds)
      end
      assert.equal("g1", made())
      step "created" -- the one whose store is the right one: the key is too old
      refused("and key 3 is enabled, last used", empty)
      assert.is_nil(s:read "elsewhere")
    end)

    it("says when it was used, and what to do", function()
      step "created"
      s:pass(4)
      local err = refused("and key 2 is enabled, last used ", { store = s:store("elsewhere", false) })
      assert.matches("last used [345] seconds ago: check whether file:.*/elsewhere is the right place; abandon = id ",
        err.message)
    end)

    it("takes a use that cannot be read, or that nobody shows, for one", function()
      step "created"
      for _, text in ipairs { "soon", "" } do
        s:fault { type = "body", operation = "list", times = -1, body = ([[{"success":true,"data":{"apiKeys":[{"id":2,
          "name":"svc~g1~abcdefgh","valid":true,"value":"***************abcdef","created_at":"2026-01-01T00:00:00.000Z",
          "lastUsed":"%s"}]}}]]):format(text) }
        refused("the store holds nothing, and key 2 is enabled", { store = s:store("elsewhere", false) })
        assert(s.service:clear_faults())
      end
    end)

    it("takes no key for unused while the service does not show uses, or not yet", function()
      step "created"
      local empty = { store = s:store("elsewhere", false) }
      s:pass(300)
      for _, mode in ipairs { "never", "still" } do
        assert(s.service:set { last_used = mode })
        refused("the store holds nothing, and key 2 is enabled", empty)
        s:pass(3 * DAY)
      end
      s.service:reset()
      assert(s.service:set { last_used = "never" })
      check(keys():create "svc~g1~abcdefgh")
      s:pass(3 * DAY)
      refused("and key 2 is enabled, and may be in use, as the service does not show the use of the key that this "
        .. "client uses: check whether", empty)
      assert(s.service:set { last_used = "late", last_used_delay = 900 })
      check(client():whoami())
      s:pass(920)
      check(keys():create "svc~g2~abcdefgh")
      s:pass(600)
      refused("and key 3 is enabled, and may be in use, as the service shows uses late", empty)
      s:pass(1200)
      step("created", empty)
    end)

    it("makes a new one, and publishes it first, when the key is abandoned", function()
      step "created"
      local lost = held()
      os.remove(s:path "key")
      refused(", and the option abandon names key 1: check", { abandon = 1 })
      local result = step("created", { abandon = 2 })
      assert.equal("the one before is lost", result.reason)
      assert.equal("g1 g2", made())
      assert.equal("3", s:holder().id)
      for _ = 1, 3 do -- it was not lost
        pass(DAY / 2)
        use(lost)
        step("none", { abandon = 2 })
      end
      pass(DAY)
      step("disabled", { abandon = 2 })
      step("none", { abandon = 2 })
      pass(2 * DAY)
      step("deleted", { abandon = 2 })
      assert.equal("g2", made())
      refused("key 3 is not lost: file:", { abandon = 3 })
      for _, wrong in ipairs { 0, "", client():organization() } do
        assert.is_false((pcall(run, { abandon = wrong })))
      end
    end)

    it("asks once more when a list shows no key", function()
      step "created"
      s:fault { type = "short_list", hide = { 2 } }
      refused("and key 2 is enabled", { store = s:store("elsewhere", false) })
    end)
  end)

  describe("with a store whose key is gone", function()
    local function gone()
      step "created"
      check(keys():delete(2))
    end

    it("makes a new one when told to, and once", function()
      gone()
      refused("belongs to no key of 'svc': its key was deleted, or has another name; adopt = id names that key, "
        .. "renew = true creates a new one")
      step("created", { renew = true })
      assert.equal("g1", made())
      assert.is_true(s:holder().valid)
      for _ = 1, 3 do
        step("none", { renew = true })
      end
    end)

    it("replaces no secret that works, and nothing that is not a secret", function()
      local other = check(keys():create "other")
      s:store("key", other.value)
      refused("works, but belongs to no key of 'svc' that the service lists", { renew = true })
      for _, text in ipairs { s.service.api_key, (s.service.api_key:gsub("_org_", "_global_")) } do
        s:store("key", text)
        refused("is not the secret of a key of the project, so it was left alone", { renew = true })
      end
      for _, text in ipairs { "postgres://app:word@db/app", "a b", "confident_us_0123456789", other.value .. " x" } do
        s:store("key", text)
        refused("holds something that is not the secret of a key, so it was left alone", { renew = true })
      end
    end)
  end)

  describe("with a put that was not heard of", function()
    local vault, unheard -- what it holds; where a secret goes whose put was not heard of

    before_each(function()
      vault, unheard = false, nil
    end)

    local function with_vault()
      return { store = confidentai.store.callback { name = "vault",
        put = function(secret)
          if unheard then
            unheard[1] = secret
            return nil, "timed out"
          end
          vault = secret
          return true
        end,
        get = function() return vault end } }
    end

    it("keeps the key, which works when the put takes effect later", function()
      step("created", with_vault())
      pass(30 * DAY)
      unheard = {}
      local _, err = run(with_vault())
      support.assert_error({ kind = "store", outcome = "unknown" }, err)
      assert.matches("key 3 is kept, as a store may hold it: the next run finds out", err.message)
      local late = unheard[1]
      unheard = nil
      step("none", with_vault())
      pass(130)
      step("created", with_vault())
      assert.equal("g1 g2 g3", made())
      vault = late
      step("none", with_vault())
      pass(DAY)
      step("disabled", with_vault())
      step("disabled", with_vault())
      assert.equal("-g1 g2 -g3", made())
      assert.equal(s:on_service()[3].value, vault)
    end)

    it("replaces a key that is disabled when it arrives at last", function()
      step("created", with_vault())
      pass(29 * DAY)
      check(keys():create "svc~g2~abcdefgh")
      pass(DAY)
      step("disabled", with_vault())
      assert.equal("g1 -g2", made())
      vault = s:on_service()[3].value
      assert.equal("the current key does not work", step("created", with_vault()).reason)
      assert.equal("g1 -g2 g3", made())
      assert.equal(s:on_service()[4].value, vault)
    end)
  end)

  it("leaves a key alone that the answer to a create names, and that was there before", function()
    step "created"
    pass(30 * DAY)
    local _, by_id = s:on_service()
    for _, name in ipairs { by_id["2"].name, "svc~g2~abcdefgh" } do
      s:fault { type = "body", operation = "create", status = 201, body = ([[{"success":true,"data":{"apiKey":{"id":2,
        "name":"%s","valid":true,"value":"confident_us_proj_0123456789abcdef0123456789abcdef",
        "created_at":"2026-01-01T00:00:00.000Z","lastUsed":null}}}]]):format(name) }
      local _, err = run()
      support.assert_error({ kind = "guard", outcome = "unknown" }, err)
      assert.matches("names key 2, which was there before: it was left alone", err.message)
      assert.is_true(s:holder().valid)
      pass(100)
    end
  end)
end)
