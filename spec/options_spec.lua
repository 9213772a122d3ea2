-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local options = require "confidentai.options"
local support = require "spec.support"
local uv = require "luv"

local KEY = "confident_us_org_0123456789abcdef0123456789abcdef"
local VARIABLES = { "CONFIDENT_ORG_API_KEY", "CONFIDENT_API_KEY", "CONFIDENT_BASE_URL", "CONFIDENT_REGION" }

describe("confidentai.new", function()
  before_each(function()
    for _, name in ipairs(VARIABLES) do
      uv.os_unsetenv(name)
    end
  end)
  teardown(function()
    for _, name in ipairs(VARIABLES) do
      uv.os_unsetenv(name)
    end
  end)

  local function config_error(given, words)
    local client, err = confidentai.new(given)
    assert.is_nil(client)
    support.assert_error({ kind = "config" }, err)
    assert.is_truthy(err.message:find(words, 1, true), ("%q lacks %q"):format(err.message, words))
    assert.is_nil(tostring(err):find("0123456789abcdef", 1, true))
  end

  local function base_url_of(given)
    return confidentai.check(confidentai.new(given)).base_url
  end

  it("takes the key from the environment", function()
    uv.os_setenv("CONFIDENT_ORG_API_KEY", KEY)
    assert.equal(("*"):rep(15) .. "abcdef", confidentai.check(confidentai.new()).api_key)
  end)

  it("says where the key comes from when there is none", function()
    config_error(nil, "CONFIDENT_ORG_API_KEY")
  end)

  it("never takes the key that other tools use for a project", function()
    uv.os_setenv("CONFIDENT_API_KEY", KEY)
    config_error(nil, "CONFIDENT_ORG_API_KEY")
  end)

  it("refuses keys that no header can carry", function()
    for _, key in ipairs { KEY .. "\n", " " .. KEY, KEY .. "\0", "a\tb", "schl\195\188ssel", "a\127" } do
      config_error({ api_key = key }, "white space")
    end
    config_error({ api_key = "" }, "empty")
    uv.os_setenv("CONFIDENT_ORG_API_KEY", KEY .. "\r\n")
    config_error(nil, "white space")
  end)

  it("refuses a project's key by its prefix", function()
    for _, prefix in ipairs { "confident_proj_", "confident_us_proj_", "confident_eu_proj_", "confident_au_proj_" } do
      config_error({ api_key = prefix .. "0123456789abcdef" }, "key of a project")
    end
  end)

  it("accepts keys of any other form", function()
    for _, key in ipairs { "x", "confident_org_a+b/c=", "confident_us_0123", "self-hosted!" } do
      assert.is_userdata(confidentai.check(confidentai.new { api_key = key }))
    end
  end)

  describe("chooses the base URL", function()
    it("by the option, then the environment", function()
      assert.equal("https://a.example/x", base_url_of { api_key = KEY, base_url = "https://a.example/x/" })
      uv.os_setenv("CONFIDENT_BASE_URL", "https://env.example")
      assert.equal("https://env.example", base_url_of { api_key = KEY })
      assert.equal("https://env.example", base_url_of { api_key = KEY, region = "EU" })
      assert.equal("https://a.example", base_url_of { api_key = KEY, base_url = "https://a.example" })
    end)

    it("by region, then the environment's region, then the key's prefix, else US", function()
      assert.equal("https://api.confident-ai.com", base_url_of { api_key = "confident_org_abc" })
      assert.equal("https://api.confident-ai.com", base_url_of { api_key = "confident_us_org_abc" })
      assert.equal("https://eu.api.confident-ai.com", base_url_of { api_key = "confident_eu_org_abc" })
      assert.equal("https://au.api.confident-ai.com", base_url_of { api_key = "confident_au_org_abc" })
      uv.os_setenv("CONFIDENT_REGION", "eu")
      assert.equal("https://eu.api.confident-ai.com", base_url_of { api_key = "confident_au_org_abc" })
      assert.equal("https://au.api.confident-ai.com", base_url_of { api_key = KEY, region = "Au" })
    end)

    it("and takes an empty variable for none", function()
      uv.os_setenv("CONFIDENT_BASE_URL", "")
      uv.os_setenv("CONFIDENT_REGION", "")
      assert.equal("https://api.confident-ai.com", base_url_of { api_key = KEY })
    end)

    it("and names a wrong region", function()
      config_error({ api_key = KEY, region = "XX" }, "US, EU or AU")
      uv.os_setenv("CONFIDENT_REGION", "moon")
      config_error({ api_key = KEY }, "US, EU or AU")
    end)
  end)

  it("drops trailing slashes and keeps the port and the path", function()
    assert.equal("https://a.example:8443/x/y", base_url_of { api_key = KEY,
      base_url = "https://a.example:8443/x/y///" })
    assert.equal("https://a.example", base_url_of { api_key = KEY, base_url = "https://a.example/" })
  end)

  it("refuses base URLs that are none", function()
    config_error({ api_key = KEY, base_url = "" }, "base_url")
    config_error({ api_key = KEY, base_url = "api.example.com" }, "base_url")
    config_error({ api_key = KEY, base_url = "ftp://a.example" }, "https://")
    config_error({ api_key = KEY, base_url = "https://" }, "base_url")
    config_error({ api_key = KEY, base_url = "https://a b/" }, "base_url")
    config_error({ api_key = KEY, base_url = "https://a.example\0.evil.example" }, "NUL")
    config_error({ api_key = KEY, base_url = "https://a.example/\r\nX: y" }, "base_url")
    config_error({ api_key = KEY, base_url = "https://user@a.example" }, "user name")
    config_error({ api_key = KEY, base_url = "https://user:pw@a.example" }, "user name")
    config_error({ api_key = KEY, base_url = "https://a.example?x=1" }, "query")
    config_error({ api_key = KEY, base_url = "https://a.example/#x" }, "fragment")
    uv.os_setenv("CONFIDENT_BASE_URL", "nonsense")
    config_error({ api_key = KEY }, "base_url")
  end)

  it("allows plain http to loopback only", function()
    for _, host in ipairs { "localhost", "127.0.0.1", "127.1.2.3", "[::1]", "127.0.0.1:80", "LOCALHOST:8787" } do
      assert.is_string(base_url_of { api_key = KEY, base_url = "http://" .. host })
    end
    for _, host in ipairs {
      "a.example", "10.0.0.1", "128.0.0.1", "0.0.0.0", "[::2]", "127.0.0.1.example", "localhost.example", "localhost.",
      "xlocalhost", "[::ffff:10.0.0.1]",
    } do
      config_error({ api_key = KEY, base_url = "http://" .. host }, "allow_plain_http")
      assert.is_string(base_url_of { api_key = KEY, base_url = "http://" .. host, allow_plain_http = true })
    end
  end)

  it("refuses a proxy that is none, without repeating it", function()
    for _, proxy in ipairs { "ftp://proxy.example", "http://", "nonsense://x", "http://user:0123456789abcdef@:x" } do
      config_error({ api_key = KEY, proxy = proxy }, "proxy")
    end
    for _, proxy in ipairs { "", "proxy.example:3128", "http://proxy.example",
      "socks5h://user:pw@proxy.example:1080" } do
      assert.is_userdata(confidentai.check(confidentai.new { api_key = KEY, proxy = proxy }))
    end
  end)

  it("refuses a ca_file that cannot be read", function()
    for _, path in ipairs { "/nonexistent/ca.pem", "/", "/dev/null", "" } do
      config_error({ api_key = KEY, ca_file = path }, "ca_file")
    end
  end)

  it("raises for unknown options and wrong types, naming them", function()
    local function raises(given, words)
      local ok, message = pcall(function() confidentai.new(given) end)
      assert.is_false(ok)
      assert.is_truthy(message:find(words, 1, true), ("%q lacks %q"):format(message, words))
      assert.matches("options_spec", message, 1, true)
    end
    raises({ apikey = KEY }, "unknown option 'apikey'")
    raises({ KEY }, "unknown option '1'")
    raises(KEY, "bad argument #1 to 'new' (table expected, got string)")
    raises({ driver = "threads" }, "option 'driver'")
    raises({ driver = {} }, "option 'driver'")
    local wrong = { boolean = "yes", string = 7, number = "7", ["function"] = {}, ["string|table"] = 7 }
    for _, option in ipairs(options.list) do
      raises({ [option.name] = wrong[option.type] }, ("option '%s'"):format(option.name))
    end
    for _, name in ipairs { "timeout", "connect_timeout" } do
      for _, value in ipairs { 0, -1, math.huge, 0 / 0 } do
        raises({ [name] = value }, ("option '%s'"):format(name))
      end
    end
    for _, value in ipairs { -1, 1.5, 21, math.huge } do
      raises({ max_retries = value }, "option 'max_retries': ")
    end
    raises({ max_response_bytes = 0 }, "option 'max_response_bytes': a whole number from 1")
  end)

  it("leaves the table that it is given alone", function()
    local given = { api_key = KEY }
    confidentai.check(confidentai.new(given))
    assert.same({ api_key = KEY }, given)
  end)

  it("documents every option", function()
    for _, option in ipairs(options.list) do
      assert.is_true(#option.doc > 0)
    end
  end)
end)
