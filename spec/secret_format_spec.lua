-- SPDX-License-Identifier: Apache-2.0
-- The answer to a create whose secret is not one word of the service's format: with a blank or ESC in it, it raised in
-- whatever tried it, and the new key stayed.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local json = require "cjson"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local check = confidentai.check

local SECRET = "confident_us_proj_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"

-- What a service, or a proxy between, might make of a secret.
local DAMAGED = {
  SECRET:sub(1, 30) .. " " .. SECRET:sub(31), SECRET .. " ", " " .. SECRET, SECRET .. "\n", SECRET .. "\27[2J",
  SECRET .. "\0", SECRET:sub(1, 30) .. "\t" .. SECRET:sub(31), '"' .. SECRET .. '"', SECRET .. "'",
  SECRET .. "\194\160", SECRET .. "=x",
  SECRET:upper(), SECRET:gsub("confident_", "", 1), "confident_us_proj_short", SECRET .. ("a"):rep(1000), "x",
  SECRET .. " " .. SECRET,
}

describe("a new secret that is not one word of the format", function()
  local s = scene.register { projects = { "web" } }

  local function damage(secret, id)
    s:fault { type = "body", operation = "create", body = json.encode { success = true, data = { apiKey = {
      id = id or 2, name = "x", valid = true, value = secret, created_at = "2026-11-23T14:05:00.000Z" } } } }
  end

  it("is not given to the caller, who is told which key was made", function()
    for _, secret in ipairs(DAMAGED) do
      damage(secret, 77)
      local key, err = s:keys():create "x"
      assert.is_nil(key, secret)
      support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
      assert.matches("key 77 was created and is of no use, delete it", err.message, 1, true)
      s:assert_no_secret(err.message)
      assert.is_nil(err.message:find("aB3dE6gH9j", 1, true))
    end
  end)

  it("has a rotation remove the key, and make another", function()
    for _, secret in ipairs { DAMAGED[1], DAMAGED[5] } do
      damage(secret)
      local rotation = check(s:rotate())
      assert.equal("done", rotation.state)
      s:pass(20)
      check(rotation:advance())
      assert.same({ "POST 2", "PUT 2 false", "POST 3", "PUT 1 false", "DELETE 1", "DELETE 2" }, s:changes())
      assert.equal("3", s:holder().id)
      os.remove(s:record_path())
      s.service:reset()
    end
  end)

  it("leaves the caller of ensure an error, and later runs make another and remove the key", function()
    local keys, store = s:keys(), s:store("key", false)
    local function run()
      local result, err = keys:ensure("svc", { store = store, max_age = 86400, soak = 60, grace = 60,
        clock = s.clock, pause = s.pause, random = s.random })
      return result, err
    end
    damage(DAMAGED[5])
    local result, err = run()
    assert.is_nil(result)
    support.assert_error({ kind = "protocol", outcome = "unknown" }, err)
    for _ = 1, 4 do
      s:pass(600)
      check(run())
    end
    assert.is_truthy(s:holder().name:find "^svc~g")
    assert.same({ "POST 2", "POST 3", "PUT 2 false", "DELETE 2" }, s:changes())
  end)

  it("is known from one that is", function()
    for _, text in ipairs(DAMAGED) do
      assert.is_nil(core.key_format(text), text)
    end
    assert.same({ kind = "proj", region = "us" }, core.key_format(SECRET))
    assert.same({ kind = "org" }, core.key_format "confident_org_0123456789abcdef")
    assert.same({ kind = "global", region = "eu" }, core.key_format "confident_eu_global_0123456789abcdef")
    assert.same({ kind = "unknown", region = "us" }, core.key_format "confident_us_0123456789abcd==")
    assert.is_nil(core.key_format "***************abcdef")
    assert.is_false(pcall(core.key_format))
  end)
end)
