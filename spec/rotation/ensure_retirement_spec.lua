-- SPDX-License-Identifier: Apache-2.0
-- ensure retires an older key on evidence only: the service's own time, a soak that counts from when all stores held
-- the new key, and a last use that can be seen. The command on_published runs until the older key is disabled.

local confidentai = require "confidentai"
local ensuring = require "spec.rotation.ensuring"
local job = require "confidentai.rotation.job"
local uv = require "luv"

local check, DAY = confidentai.check, 86400

describe("ensure", function()
  local e = ensuring.register()
  local s, client, keys, pass, run, step = e.scene, e.client, e.keys, e.pass, e.run, e.step
  local refused, made, use, held, replaced = e.refused, e.made, e.use, e.held, e.replaced

  describe("without a date in the service's answers", function()
    local methods, hear

    before_each(function()
      methods = getmetatable(job.new(client(), keys(), {}))
      hear = methods.hear
      step "created"
      pass(30 * DAY)
      step "created"
      check(keys():create "svc~g3~abcdefgh")
      methods.hear = function() end
    end)

    after_each(function()
      methods.hear = hear
    end)

    it("does nothing by age, wherever the machine's clock stands", function()
      for _, days in ipairs { 40, 400, -400 } do
        local result = step("none", { clock = function() return s.clock() + days * DAY end })
        assert.equal("the service's answers have no Date header, so that nothing is done by age", result.reason)
      end
      assert.equal("g1 g2 g3", made())
    end)

    it("still makes a new key for one that does not work", function()
      check(keys():disable(3))
      step "created"
    end)
  end)

  it("counts the soak by the service's clock", function()
    replaced()
    step("none", { clock = function() return s.clock() + 40 * DAY end })
    pass(DAY)
    step("disabled", { clock = function() return s.clock() - 40 * DAY end })
  end)

  describe("with an older key that is in use", function()
    it("keeps it until it was unused for the soak", function()
      local first = replaced()
      for _ = 1, 10 do
        pass(DAY / 2)
        use(first)
        step "none"
      end
      pass(DAY)
      step "disabled"
      assert.equal("-g1 g2", made())
      step "none"
    end)

    it("allows for a lastUsed that is shown late", function()
      assert(s.service:set { last_used = "late", last_used_delay = 10 * DAY })
      local first = replaced()
      for _ = 1, 12 do
        pass(DAY)
        use(first)
        step "none"
      end
      assert.equal("g1 g2", made())
    end)

    it("keeps it where lastUsed shows nothing, or cannot be read", function()
      replaced()
      assert(s.service:set { last_used = "never" })
      pass(10 * DAY)
      assert.matches("does not show our own use of key 3, so that lastUsed proves nothing", step("none").reason)
      assert(s.service:set { last_used = "normal" })
      local by_id = select(2, s:on_service())
      local records = {}
      for _, id in ipairs { "2", "3" } do
        local key = by_id[id]
        records[#records + 1] = ([[{"id":%s,"name":"%s","valid":true,"value":"***************%s","created_at":"%s",
          "lastUsed":"%s"}]]):format(id, key.name, key.value:sub(-6), key.created_at, id == "2" and "soon" or
          key.created_at)
      end
      s:fault { type = "body", operation = "list", body = ([[{"success":true,"data":{"apiKeys":[%s]}}]]):format(
        table.concat(records, ",")) }
      assert.equal("the time when key 2 was last used cannot be read", step("none").reason)
      step "disabled"
    end)
  end)

  describe("with a newer key that somebody uses", function()
    it("stops, until that is over or it is abandoned", function()
      step "created"
      pass(10 * DAY)
      local other = check(keys():create "svc~g2~abcdefgh")
      pass(600)
      use(other.value)
      refused("key 3 'svc~g2~abcdefgh' is newer than the one that the store holds, and it is in use (last used")
      step("none", { abandon = 3 })
      pass(DAY)
      step "disabled"
      assert.equal("g1 -g2", made())
    end)
  end)

  describe("with stores that were not written at once", function()
    local broken, second

    before_each(function()
      broken, second = false, nil
    end)

    local function both()
      return { store = { s:store("key", false), confidentai.store.callback { name = "second",
        put = function(secret)
          if broken then return nil, "broken", "failed" end
          second = secret
          return true
        end, get = function() return second or false end } } }
    end

    it("counts the soak from when all of them held the key", function()
      step("created", both())
      pass(30 * DAY)
      broken = true
      run(both())
      assert.equal("g1 g2", made())
      pass(3 * DAY)
      broken = false
      assert.is_true(step("none", both()).wait > DAY - 60)
      step("none", both())
      pass(DAY)
      step("disabled", both())
    end)

    it("counts it from the run that sees them equal, where another has written the last", function()
      step("created", both())
      pass(30 * DAY)
      broken = true
      run(both())
      second = held()
      pass(3 * DAY)
      step("none", both())
      pass(DAY)
      step("disabled", both())
    end)

    it("goes by the create where no note lies beside a store", function()
      replaced()
      os.remove(s:path ".key.ensured")
      pass(DAY)
      step "disabled"
    end)

    it("takes a note that it cannot use for none that is old", function()
      for _, text in ipairs { "", "\0", "123 2 x\n", "99999999999999 3 x\n", ("9"):rep(400) .. " 3\n" } do
        s:write(".key.ensured", text)
        if made() == "" then
          replaced()
        end
        s:write(".key.ensured", text)
        pass(DAY)
        step "none"
        assert.not_equal(text, s:read ".key.ensured")
      end
      pass(DAY)
      step "disabled"
    end)
  end)

  -- A key that had been unused for long when it was disabled was deleted by the very next run.
  describe("with an older key that is disabled", function()
    it("keeps it for the grace from then on", function()
      replaced()
      pass(10 * DAY)
      step "disabled"
      assert.is_true(step("none").wait > 2 * DAY - 60)
      pass(2 * DAY - 60)
      step "none"
      pass(60)
      step "deleted"
      assert.equal("g2", made())
    end)

    it("keeps it for the grace from when it was seen so, where somebody else has disabled it", function()
      replaced()
      pass(10 * DAY)
      check(keys():disable(2))
      assert.is_true(step("none").wait > 2 * DAY - 60)
      pass(2 * DAY)
      step "deleted"
    end)

    it("counts the grace again, where somebody has enabled it meanwhile", function()
      replaced()
      pass(10 * DAY)
      step "disabled"
      check(keys():enable(2))
      assert(s.service:set { last_used = "never" })
      step "none"
      assert(s.service:set { last_used = "normal" })
      pass(3 * DAY)
      check(keys():disable(2))
      step "none"
      pass(2 * DAY)
      step "deleted"
    end)

    it("keeps it where that cannot be noted", function()
      replaced()
      pass(10 * DAY)
      check(keys():disable(2))
      local path = s:path ".key.ensured"
      assert(uv.fs_link(path, path .. "2"))
      for _ = 1, 2 do
        assert.matches("%.key%.ensured: it has 2 names %(hard links%)", step("none").reason)
        pass(10 * DAY)
      end
    end)

    it("goes by its last use alone, where no note lies beside a store", function()
      replaced()
      os.remove(s:path ".key.ensured")
      pass(10 * DAY)
      step "disabled"
      step "deleted"
      assert.is_nil(s:read ".key.ensured")
    end)
  end)

  it("runs the command again while an older key is enabled, and keeps that while it fails", function()
    local hook = { on_published = { "sh", "-c", ("echo >> %s; test -e %s"):format(s:path "runs", s:path "works") } }
    step("created", hook)
    pass(30 * DAY)
    assert.equal("failed", step("created", hook).notice.state)
    pass(DAY)
    local result = step("none", hook)
    assert.equal("failed", result.notice.state)
    assert.equal("on_published has failed: the older keys stay as they are", result.reason)
    s:write("works", "")
    result = step("disabled", hook)
    assert.equal("succeeded", result.notice.state)
    assert.is_nil(step("none", hook).notice)
    assert.equal(4, #s:read "runs")
  end)
end)
