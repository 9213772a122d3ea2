-- SPDX-License-Identifier: Apache-2.0
-- docs/security.md: the tests that it names are there, and what no other test shows.

local folders = require "spec.folders"
local http = require "spec.hosts.nginx.http"
local pages = require "spec.docs.pages"
local process = require "spec.process"

local page = pages.open "docs/security.md"

describe("docs/security.md", function()
  local folder = folders.each()

  it("names tests that are there", function()
    local count = 0
    for line in page.text:gmatch "\n(| [^\n]+)" do
      local file
      for path, name in (line .. "`"):gmatch '(`spec/[%w_./]+`)([^`]*)' do
        file = assert(folders.read(path:sub(2, -2)), path)
        for test in name:gmatch '"([^"]+)"' do
          count = count + 1
          local by_name = file:find('it("' .. test, 1, true) or file:find("static void " .. test .. "(", 1, true)
          assert.is_truthy(by_name, path .. " " .. test)
        end
      end
    end
    assert.is_true(count >= 30)
  end)

  it("has a test for each row of what is protected", function()
    local section, rows = page.text:match "\n## What is protected\n(.-)\n## ", 0
    for row in section:gmatch "\n| ([^\n]*) |" do
      rows = rows + 1
      assert.is_truthy(rows <= 2 or row:find("`spec/", 1, true), row)
    end
    assert.is_true(rows > 12)
  end)

  it("speaks no TLS older than 1.2", function()
    -- A system that would allow it: others may have it so. curl shows that the server speaks it.
    folders.write(folder.path .. "/openssl.cnf", [[
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = system
[system]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
]])
    local variables = { OPENSSL_CONF = folder.path .. "/openssl.cnf", LD_PRELOAD = false, HOME = folder.path }
    folders.shell("cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
      .. "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>log", folder.path)
    local port = tostring(http.free_port())
    local server = process.start("openssl", { "s_server", "-tls1_1", "-www", "-accept", "127.0.0.1:" .. port, "-cert",
      folder.path .. "/cert.pem", "-key", folder.path .. "/key.pem" }, variables)
    finally(function()
      server:kill "sigterm"
      server:wait(5000)
    end)
    server:wait_for "ACCEPT"
    local url = "https://127.0.0.1:" .. port
    local status, _, output, errors = process.start("curl", { "-sS", "--cacert", folder.path .. "/cert.pem", url },
      variables):finish()
    assert.equal(0, status, errors)
    assert.matches("TLSv1.1", output, 1, true)
    local _, _, said, problem = process.run(([[
      local client = require("confidentai").new { api_key = "confident_us_org_0123456789abcdef", base_url = %q,
        ca_file = %q, max_retries = 0 }
      local keys, err = client:organization().api_keys:list()
      io.write(tostring(keys), " ", err.kind)
    ]]):format(url, folder.path .. "/cert.pem"), { OPENSSL_CONF = variables.OPENSSL_CONF })
    assert.equal("nil tls", said, problem)
  end)

  page:links_are_good()
  page:all_are_run()
end)
