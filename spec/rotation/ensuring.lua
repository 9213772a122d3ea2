-- SPDX-License-Identifier: Apache-2.0
-- What the specs of ensure share: runs for the keys "svc" of a scene's project, and what they come to.

local assert = require "luassert"
local busted = require "busted"
local http = require "spec.sandbox.support"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local ensuring = {}

local DAY = 86400

---Registers a scene with busted. Gives functions for its runs; `keys()` and `client()` are the spec's own.
---@return table e with scene, client, keys, pass, run, step, refused, made, use, held, replaced
function ensuring.register()
  local s = scene.register { projects = { "web" } }
  local client, keys
  local e = { scene = s, client = function() return client end, keys = function() return keys end }

  busted.before_each(function()
    client = s:client()
    keys = s:keys("project", client)
  end)

  -- Lets time pass, and a little more: the service's Date has whole seconds.
  function e.pass(seconds)
    s:pass(seconds + 2)
  end

  function e.run(more)
    local given = { store = s:store("key", false), max_age = 30 * DAY, soak = DAY, grace = 2 * DAY, clock = s.clock,
      pause = s.pause, random = s.random }
    for name, value in pairs(more or {}) do
      given[name] = value
    end
    local result, err = keys:ensure("svc", given)
    return result, err
  end

  -- A run whose action is known.
  function e.step(action, more)
    local result, err = e.run(more)
    assert.is_table(result, tostring(err))
    assert.equal(action, result.action, result.reason)
    return result
  end

  -- A run that is refused, and changes nothing.
  function e.refused(words, more)
    local before = s:changes()
    local result, err = e.run(more)
    assert.is_nil(result)
    support.assert_error({ kind = "guard", outcome = "not_applied" }, err)
    assert.is_truthy(err.message:find(words, 1, true), err.message)
    assert.same(before, s:changes())
    s:assert_no_secret(err.message)
    return err
  end

  -- The generations of the base, with "-" before those that are disabled.
  function e.made()
    local found = {}
    for _, key in ipairs((s:on_service())) do
      local generation = key.name:match "^svc~(g%d+)~"
      found[#found + 1] = generation and (key.valid and "" or "-") .. generation
    end
    return table.concat(found, " ")
  end

  -- Uses a key, as its user does.
  function e.use(secret)
    local answer = http.request(s.service, { path = "/v1/annotation-queues?page=1&pageSize=1", key = secret })
    assert.equal(200, answer.status)
  end

  -- The secret in the store.
  function e.held()
    return (s:read "key":gsub("\n$", ""))
  end

  -- Lets a month pass, so that the second generation is in the store; gives the secret of the first.
  function e.replaced()
    e.step "created"
    local first = e.held()
    e.pass(30 * DAY)
    e.step "created"
    return first
  end

  return e
end

return ensuring
