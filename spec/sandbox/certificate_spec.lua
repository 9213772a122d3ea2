-- SPDX-License-Identifier: Apache-2.0
local sandbox = require "confidentai.sandbox"
local support = require "spec.sandbox.support"

describe("the sandbox's certificate", function()
  local service

  setup(function() service = assert(sandbox.start { tls = true }) end)
  teardown(function() service:stop() end)

  local function connect(options)
    return support.shell(("openssl s_client -connect %s -verify_return_error -CAfile %s %s </dev/null 2>&1"):format(
      service.base_url:match "^https://(.+)$", support.quote(service.ca_file), options))
  end

  it("is trusted by clients that hold every rule of RFC 5280, as Python's from 3.13 on do", function()
    local output, status = connect "-x509_strict -verify_ip 127.0.0.1"
    assert.equal(0, status, output)
    assert.truthy(output:find("Verification: OK", 1, true), output)
  end)

  it("is for loopback only", function()
    local output, status = connect "-verify_hostname example.com"
    assert.not_equal(0, status, output)
  end)
end)
