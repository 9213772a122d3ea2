-- SPDX-License-Identifier: Apache-2.0
-- A key that has leaked: a rotation of it ends with the secret seen to be refused, or says that this was not seen.

local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check, DAY = confidentai.check, 86400

describe("the rotation of a compromised key", function()
  local s = scene.register { projects = { "web" } }

  -- A store that cannot be read, so that what it held is not known.
  local function blind()
    return confidentai.store.callback { name = "vault", put = function() return true end }
  end

  local function last_words(rotation)
    local history = rotation:status().history
    for i = #history, 1, -1 do
      if history[i].what ~= "settled" then
        return history[i].what
      end
    end
  end

  it("ends without a doubt where the secret was seen to be refused", function()
    for _, options in ipairs { {}, { store = blind(), old_secret = s.service.projects[1].api_key } } do
      s.service:reset()
      options.compromised = true
      local rotation = check(s:rotate(options))
      assert.equal("done", rotation.state)
      assert.is_true(s:record().refused)
      assert.is_nil(rotation:status().doubt)
      assert.is_nil(last_words(rotation):find("not shown", 1, true))
      os.remove(s:record_path())
    end
  end)

  it("does not pass for the end of the leaked secret where that could not be tried", function()
    local rotation = check(s:rotate { store = blind(), compromised = true })
    assert.equal("done", rotation.state)
    local words = "it was not shown that the compromised secret is refused"
    assert.is_truthy(rotation:status().doubt:find(words, 1, true))
    assert.is_truthy(rotation:status().text:find(words, 1, true))
    assert.is_truthy(last_words(rotation):find(words, 1, true), last_words(rotation))
  end)

  it("shows it afterwards, where the secret is given then", function()
    local leaked = s.service.projects[1].api_key
    local store = blind()
    check(s:rotate { store = store, compromised = true })
    local function with(secret)
      return s:open(nil, { stores = { store }, old_secret = secret, ended = true })
    end
    assert.is_true(with(nil):status().unshown)
    local state, err = with("confident_us_proj_" .. ("0"):rep(40)):advance()
    assert.is_nil(state)
    assert.matches("is not that of the old key", err.message)
    s:fault { type = "status", operation = "annotation_queues", status = 200,
      body = { success = true, data = { annotationQueues = {}, page = 1, pageSize = 1, total = 0 } } }
    state, err = with(leaked):advance()
    assert.is_nil(state)
    support.assert_error({ kind = "guard" }, err)
    assert.matches("the service accepts the compromised secret", err.message)
    assert.is_true(with(nil):status().unshown)
    assert.equal("done", (with(leaked):advance()))
    assert.is_nil(with(nil):status().unshown)
    assert.is_nil(with(nil):status().doubt)
    assert.same({}, with(nil):status().commands)
  end)

  -- All of it would be refused, whether or not the key in it works.
  describe("takes no refusal of what only contains the secret for its own:", function()
    local leaked = s.service.projects[1].api_key
    for _, text in ipairs { "CONFIDENT_API_KEY=" .. leaked, "\239\187\191" .. leaked, leaked .. leaked } do
      it("given afterwards, " .. text:sub(1, 20):gsub("[^ -~]", "?"), function()
        local store = blind()
        check(s:rotate { store = store, compromised = true })
        local rotation = s:open(nil, { stores = { store }, old_secret = text, ended = true })
        local state, err = rotation:advance()
        assert.is_nil(state)
        assert.matches("is not that of the old key", err.message)
        assert.is_true(rotation:status().unshown)
      end)

      it("given of a key that is not there, " .. text:sub(1, 20):gsub("[^ -~]", "?"), function()
        local other = check(s:keys():create "other")
        check(s:keys():delete(other))
        local options = { id = 2, store = blind(), compromised = true, replace = true, old_secret = text }
        local rotation, err = s:rotate(options)
        assert.is_nil(rotation)
        assert.matches("it must be that word and nothing else", err.message)
      end)
    end

    it("held by a store before", function()
      local store = confidentai.store.file { path = s:write("held", "CONFIDENT_API_KEY=" .. leaked) }
      local rotation = check(s:rotate { store = store, compromised = true, replace_store = true })
      assert.is_true(rotation:status().unshown)
    end)
  end)

  it("says nothing of the kind of a key that is not compromised", function()
    local rotation = check(s:rotate { store = blind() })
    assert.equal("done", rotation.state)
    assert.is_nil(rotation:status().doubt)
  end)

  it("does not end while the service accepts the secret of a key that is not there", function()
    local leaked = s:on_service()[1].value
    local other = check(s:keys():create "other")
    check(s:keys():delete(other))
    local options = { id = 2, store = blind(), compromised = true, replace = true, old_secret = leaked }
    local rotation, err = s:rotate(options)
    assert.is_nil(rotation)
    support.assert_error({ kind = "guard", state = "conflict" }, err)
    assert.matches("accepts the compromised secret, though its key is not there", err.message)
    check(s:keys():disable(1))
    rotation = s:open(nil, { stores = { options.store }, old_secret = leaked })
    assert.equal("done", (rotation:advance()))
    assert.is_nil(rotation:status().doubt)
  end)

  it("shows the refusal at the end, too, when the leak is found out in the grace", function()
    local store, leaked = blind(), s.service.projects[1].api_key
    local first = check(s:rotate { store = store, soak = 0, grace = DAY })
    assert.equal("grace", first.state)
    assert.is_nil(s:record().refused)
    local rotation = check(s:rotate { store = store, soak = 0, grace = DAY, compromised = true, old_secret = leaked })
    assert.equal("done", rotation.state)
    assert.is_true(s:record().refused)
  end)

  it("finds the key by its address when a short list leaves it out", function()
    s:fault { type = "short_list", operation = "list", hide = { 1 }, times = 1 }
    local rotation = check(s:rotate { compromised = true })
    assert.equal("done", rotation.state)
    assert.same({ "POST 2", "PUT 1 false", "DELETE 1" }, s:changes())
    assert.is_true(s:record().refused)
  end)
end)
