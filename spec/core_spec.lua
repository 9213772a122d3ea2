-- SPDX-License-Identifier: Apache-2.0
-- What the C module offers to the Lua layer by itself.

local core = require "confidentai.core"
local process = require "spec.process"

describe("the core", function()
  it("gives as many random bytes as are asked for, never the same", function()
    for _, count in ipairs { 0, 1, 5, 256, 257, 4096 } do
      assert.equal(count, #core.random(count))
    end
    assert.not_equal(core.random(16), core.random(16))
    local seen, count = {}, 0
    for byte in core.random(4096):gmatch "." do
      count = count + (seen[byte] and 0 or 1)
      seen[byte] = true
    end
    assert.is_true(count > 200, tostring(count)) -- of 256
    for _, wrong in ipairs { -1, 1.5, 4097, 0 / 0, "many", {} } do
      assert.is_false((pcall(core.random, wrong)))
    end
    assert.is_false((pcall(core.random)))
  end)

  it("sums bytes up as zlib does", function()
    assert.equal("00000000", core.checksum "")
    assert.equal("cbf43926", core.checksum "123456789")
    assert.equal("190a55ad", core.checksum(("\0"):rep(32)))
    assert.is_false((pcall(core.checksum, nil)))
  end)

  it("tells about the libcurl that is loaded what curl tells", function()
    local facts = core.libcurl()
    local _, _, text = process.start("curl", { "--version" }, { LD_PRELOAD = false }):finish()
    assert.is_truthy(text:find("libcurl/" .. facts.version .. " ", 1, true), facts.version)
    assert.is_truthy(text:find(" " .. facts.tls .. " ", 1, true), facts.tls)
    assert.equal(text:find(" HTTP2 ", 1, true) ~= nil, facts.http2)
    assert.equal(text:find(" AsynchDNS ", 1, true) ~= nil, facts.async_dns)
  end)
end)
