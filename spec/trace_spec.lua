-- SPDX-License-Identifier: Apache-2.0
-- CONFIDENTAI_DEBUG=1 shows what libcurl does, and no credential.

local process = require "spec.process"
local support = require "spec.support"

local SCRIPT = [[
local confidentai = require "confidentai"
local check, proxy = confidentai.check, os.getenv "PROXY"
local client = check(confidentai.new { ca_file = os.getenv "CA_FILE", max_retries = 0, proxy = proxy })
local keys = client:organization().api_keys
local created, err = keys:create "traced"
if proxy then
  return print(err.kind)
end
check(check(keys:list())[1].id)
print(check(created).value)
]]

describe("CONFIDENTAI_DEBUG", function()
  local services = { plain = support.service(), tls = support.service { tls = true } }

  local function run(service, value, proxy)
    local child = process.lua(SCRIPT, { CONFIDENTAI_DEBUG = value, CONFIDENT_BASE_URL = service.base_url,
      CONFIDENT_ORG_API_KEY = service.api_key, CA_FILE = service.ca_file, PROXY = proxy })
    local status = child:finish()
    assert.equal(0, status, child.errors)
    return child.output:gsub("\n$", ""), child.errors
  end

  for name in pairs(services) do
    it("shows headers and messages, and no secret, over " .. name, function()
      local service = services[name]
      local secret, shown = run(service, "1")
      assert.matches("confident_", secret)
      assert.matches("\n> POST /v1/organization/api%-keys HTTP/1.1\n", shown)
      assert.matches("\n< HTTP/[12]%S* 200", shown)
      assert.matches("\n> CONFIDENT_API_KEY: %(hidden%)\n", shown)
      assert.matches("\n%* Connected to ", shown)
      assert.is_nil(shown:find(service.api_key, 1, true))
      assert.is_nil(shown:find(service.api_key:sub(-20), 1, true))
      assert.is_nil(shown:find(secret:sub(-20), 1, true))
      assert.is_nil(shown:find("traced", 1, true))
      assert.is_nil(shown:find "[%z\1-\9\11-\31\127]")
    end)
  end

  it("shows no password of a proxy", function()
    local service = services.tls
    local kind, shown = run(service, "1",
      "http://somebody:pass-of-the-proxy@127.0.0.1:" .. services.plain.base_url:match "%d+$")
    assert.equal("network", kind)
    assert.matches("\n> CONNECT ", shown)
    assert.is_nil(shown:find("pass-of-the-proxy", 1, true))
    assert.matches("\n> Proxy%-Authorization: %(hidden%)\n", shown)
  end)

  it("shows nothing when it is 0, empty or not there", function()
    for _, value in ipairs { "0", "", false } do
      local _, shown = run(services.plain, value)
      assert.equal("", shown)
    end
  end)
end)
