-- SPDX-License-Identifier: Apache-2.0
-- `confidentai ensure`: one safe step a run, without a state folder.

local cjson = require "cjson"
local command = require "spec.cli.command"
local rotating = require "spec.cli.rotating"
local support = require "spec.support"

local DAY = 86400

describe("confidentai ensure", function()
  local r = rotating.register()
  local s = r.scene

  local function words(...)
    local list = { "ensure", "ci", "--project", s.service.projects[1].id, "--store", "file:" .. s:path "key" }
    for _, word in ipairs { ... } do
      list[#list + 1] = word
    end
    return list
  end

  local function secret()
    return (s:read("key"):gsub("\n$", ""))
  end

  it("creates the first key, replaces it when it is old, and retires the one before", function()
    local first = r:json(words())
    assert.equal("created", first.action)
    assert.matches("^ci~g1~", first.key_name)
    local held = secret()
    local again = r:json(words())
    assert.equal("none", again.action)
    assert.is_true(again.wait > 29 * DAY)
    assert.matches("^%d+%-%d%d%-%d%dT", again.due_at)
    s.service:set_clock(31 * DAY)
    local second = r:json(words("--max-age", "30d"))
    assert.equal("created", second.action)
    assert.matches("^ci~g2~", second.key_name)
    assert.not_equal(held, secret())
    s.service:set_clock(32 * DAY + 60)
    local disabled = r:json(words())
    assert.equal("disabled", disabled.action)
    assert.equal(tostring(first.key_id), tostring(disabled.id))
    s.service:set_clock(40 * DAY)
    assert.equal("deleted", r:json(words()).action)
  end)

  it("writes a line for people, and CSV", function()
    local text = r:done(words())
    assert.matches("a new key was created, verified and published", text)
    text = r:done(words())
    assert.matches("nothing to do", text)
    assert.equal("none", command.csv((r:done(words("-o", "csv"))))[1].action)
  end)

  it("adopts the key that is there", function()
    s:store()
    local errors = r:fails(6, words())
    assert.matches("%-%-adopt ID names that key", errors)
    local id
    for _, key in ipairs(s:on_service()) do
      id = key.id
    end
    assert.equal("none", r:json(words("--adopt", id)).action)
    assert.equal(1, #s:on_service())
  end)

  it("runs a command when there is a new key, and says when that fails", function()
    r:done(words("--on-published", ("cp %s %s"):format(s:path "key", s:path "seen")))
    assert.equal(s:read "key", s:read "seen")
    r:done(words("--on-published", "false"))
    s.service:set_clock(31 * DAY)
    local errors, output = r:fails(1, words("--on-published", "false", "-o", "json"))
    assert.equal("created", command.json(output).action)
    assert.equal("failed", command.json(output).notice.state)
    assert.matches("%-%-on%-published has failed: exited with status 1", cjson.decode(errors).error.message)
    assert.matches("run the same command again", cjson.decode(errors).error.next)
    r:done(words("--on-published", ("cp %s %s"):format(s:path "key", s:path "again")))
    assert.equal(s:read "key", s:read "again")
  end)

  it("refuses to work on the key that it uses without a store for it", function()
    s:write("manager", s.service.api_key)
    local list = { "ensure", "manager", "--store", "file:" .. s:path "manager", "--adopt", "1", "--max-age", "0" }
    assert.matches("%-%-manager%-store says", (r:fails(6, list)))
  end)

  it("names mistakes", function()
    local project = s.service.projects[1].id
    assert.matches("says where the current secret is", (r:fails(2, { "ensure", "ci", "--project", project })))
    assert.matches("not a duration", (r:fails(2, words("--max-age", "soon"))))
    assert.matches("not empty", (r:fails(2, { "ensure", "", "--store", "file:" .. s:path "key" })))
    assert.matches("a check", (r:fails(6, { "ensure", "ci", "--store", "exec:true" })))
    assert.matches("CONFIDENT_ORG_API_KEY", (r:fails(4, words(), { variables = { CONFIDENT_ORG_API_KEY = false } })))
    assert.equal(0, #support.requests(s.service, "POST"))
  end)

  it("says how an unclear create is settled", function()
    s:fault { type = "lost_answer", operation = "create" }
    local errors = r:fails(5, words())
    assert.matches("run the same command again", errors)
    s.service:set_clock(600)
    assert.equal("created", r:json(words()).action)
    assert.equal(3, #s:on_service())
    s.service:set_clock(2 * DAY)
    assert.equal("disabled", r:json(words()).action)
    s.service:set_clock(10 * DAY)
    assert.equal("deleted", r:json(words()).action)
    assert.equal(2, #s:on_service())
  end)

  it("leaves a key that is in use alone when the store is empty, and says how to give it up", function()
    local first = r:json(words())
    os.remove(s:path "key")
    local errors = r:fails(6, words())
    assert.matches("the store holds nothing, and key 2 is enabled, last used [^:]+:", errors)
    assert.matches("%-%-abandon ID says that the key's secret is lost", errors)
    assert.matches("see: confidentai keys list", (r:fails(2, words("--abandon", "a/b"))))
    local second = r:json(words("--abandon", tostring(first.key_id)))
    assert.equal("created", second.action)
    assert.equal(3, #s:on_service())
    assert.equal(tostring(second.key_id), s:holder().id)
  end)

  it("makes a new key for a store whose key is gone, when told to", function()
    local first = r:json(words())
    assert(s:keys():delete(first.key_id))
    assert.matches("%-%-renew creates a new one", (r:fails(6, words())))
    assert.equal("created", r:json(words("--renew")).action)
    assert.equal("none", r:json(words("--renew")).action)
  end)
end)
