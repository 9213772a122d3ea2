-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"

describe("an error", function()
  local service = support.service()
  local org

  before_each(function()
    org = support.client(service, { max_retries = 1 }):organization()
  end)

  it("is a plain table with the facts of the call", function()
    service:fault { type = "status", status = 422, body = { success = false, error = "too odd",
      link = "https://docs/x" } }
    local result, err = org.api_keys:create("odd")
    assert.is_nil(result)
    local plain = {}
    for name, value in pairs(err) do
      plain[name] = value
    end
    assert.same({
      kind = "api", message = "too odd", status = 422, link = "https://docs/x", outcome = "not_applied", attempts = 1,
      method = "POST", path = "/v1/organization/api-keys", envelope = true,
    }, plain)
  end)

  it("reads as a sentence, with whole numbers on every Lua", function()
    service:fault { type = "status", status = 500, times = -1, body = { success = false, error = "on fire" } }
    local _, err = org.api_keys:disable(2)
    assert.equal("api: on fire (GET /v1/organization/api-keys/2, status 500, attempts 2, outcome not_applied)",
      tostring(err))
  end)

  it("says that there was no request when there was none", function()
    local _, err = confidentai.new { api_key = "" }
    assert.matches("^config: .*%(no request was made%)$", tostring(err))
  end)

  it("of a store or of a rotation's records has no request to speak of", function()
    for _, kind in ipairs { "store", "state" } do
      local err = core.failure { kind = kind, message = "no room" }
      assert.equal(kind .. ": no room", tostring(err))
      err = core.failure { kind = kind, message = "no room", state = "published", next = "make room" }
      assert.equal(kind .. ": no room (state published)", tostring(err))
      assert.equal("published", err.state)
      assert.equal("make room", err.next)
    end
    assert.equal("guard: no (outcome not_applied, state soaking)",
      tostring(core.failure { kind = "guard", message = "no", outcome = "not_applied", state = "soaking" }))
  end)

  it("is made of a known kind and a message", function()
    for _, fields in ipairs {
      {}, { kind = "api" }, { message = "x" }, { kind = "guards", message = "x" }, { kind = "", message = "x" },
      { kind = 7, message = "x" }, { kind = "api", message = 7 }, "api",
    } do
      assert.is_false((pcall(core.failure, fields)))
    end
  end)

  it("survives tostring whatever became of its fields", function()
    local _, err = org.api_keys:get(999)
    err.message, err.kind, err.status = nil, {}, true
    assert.is_string(tostring(err))
    for name in pairs(err) do
      err[name] = nil
    end
    assert.is_string(tostring(err))
  end)

  it("speaks of a page that is no envelope", function()
    service:fault { type = "status", status = 502, body = "<html>Bad gateway</html>", content_type = "text/html",
      times = 2 }
    local _, err = org.api_keys:list()
    support.assert_error({ kind = "api", status = 502, message = "the answer has status 502" }, err)
  end)

  it("never repeats a secret that the service repeats", function()
    local stranger = "confident_eu_proj_AAAABBBBCCCCDDDD+/=="
    for _, status in ipairs { 400, 200 } do
      service:fault {
        type = "status", status = status, apply = false,
        body = { success = false, error = ("no: %s and %s.\27[31m"):format(service.api_key, stranger) },
      }
      local _, err = org.api_keys:get(7)
      assert.equal("api", err.kind)
      assert.is_nil(err.message:find(service.api_key, 1, true))
      assert.is_nil(err.message:find(stranger, 1, true))
      assert.is_nil(err.message:find("AAAABBBB", 1, true))
      assert.is_nil(err.message:find("%c"))
      assert.matches("^no: %*+" .. service.api_key:sub(-6):gsub("%p", "%%%0") .. " and %*+DD%+/==", err.message)
    end
  end)

  it("never repeats a credential of any other form, wherever it is cut", function()
    local odd_key = ("S3CR3T!"):rep(20)
    local client = support.client(service, { api_key = odd_key })
    for _, pad in ipairs { 0, 380, 400, 450, 500, 505, 511, 512, 3000 } do
      service:fault { type = "status", status = 400, body = { success = false, error = ("x"):rep(pad) .. odd_key } }
      local _, err = client:organization():get()
      assert.equal(400, err.status)
      assert.is_nil(err.message:find("S3CR3T!S3CR3T!", 1, true))
      assert.is_true(#err.message < 512)
    end
  end)

  it("never repeats a secret in a link", function()
    local seen
    local client = support.client(service, { on_event = function(event) seen = event.link or seen end })
    service:fault { type = "body", body = ('{"success":false,"deprecated":true,"error":"x","link":"https://x/?k=%s"}')
      :format(service.api_key) }
    local _, err = client:organization():get()
    assert.is_nil(err.link:find(service.api_key, 1, true))
    assert.equal(err.link, seen)
    local long = "https://x/" .. ("y"):rep(5000)
    service:fault { type = "body", body = ('{"success":false,"error":"x","link":"%s"}'):format(long) }
    _, err = client:organization():get()
    assert.is_nil(err.link)
  end)

  it("calls a ca_file of nonsense what it is", function()
    local _, err = support.client(service, {
      base_url = service.base_url:gsub("^http:", "https:"), ca_file = "LICENSE", max_retries = 0,
    }):organization():get()
    support.assert_error({ kind = "config" }, err)
    assert.matches("ca_file", err.message, 1, true)
  end)

  it("names the remedy when the server's certificate is not known", function()
    local tls = assert(require("confidentai.sandbox").start { tls = true })
    finally(function() tls:stop() end)
    local trusting = support.client(tls)
    assert.is_table(confidentai.check(trusting:organization():get()))
    local client = confidentai.check(confidentai.new { api_key = tls.api_key, base_url = tls.base_url })
    local _, err = client:organization().api_keys:create("x")
    support.assert_error({ kind = "tls", outcome = "not_applied", attempts = 1 }, err)
    assert.matches("ca_file", err.message, 1, true)
    assert.equal(0, #support.requests(tls, "POST"))
  end)
end)
