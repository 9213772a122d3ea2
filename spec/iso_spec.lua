-- SPDX-License-Identifier: Apache-2.0
-- Times as the service writes them.

local iso = require "confidentai.iso"

describe("a time of the service", function()
  it("is read as seconds", function()
    for text, seconds in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["1969-12-31T23:59:59Z"] = -1, ["2000-02-29T12:00:00Z"] = 951825600,
      ["2026-11-23T14:05:00.25Z"] = 1795442700.25, ["2016-12-31T23:59:60Z"] = 1483228800,
    } do
      assert.equal(seconds, iso.seconds(text), text)
    end
  end)

  it("is written in whole seconds", function()
    assert.equal("2026-11-23T14:05:00Z", iso.text(1795442700.9))
  end)

  -- Found by fuzzing: months of 94, and seconds of three digits, were read as some other time.
  it("is none when it is damaged", function()
    for _, text in ipairs {
      "", "now", "2026-11-23", "2026-11-23T14:05:00", "2026-11-23T14:05:00+01:00", "2026-11-23 14:05:00Z",
      "2026-94-23T14:05:00Z", "2026-00-23T14:05:00Z", "2026-11-00T14:05:00Z", "2026-11-32T14:05:00Z",
      "2026-11-23T24:05:00Z", "2026-11-23T14:60:00Z", "2026-11-23T14:05:61Z", "2026-11-23T14:05:001Z",
      "2026-11-23T14:05:00.Z", "2026-11-23T14:05:00.1.2Z",
    } do
      assert.is_nil(iso.seconds(text), text)
    end
    assert.is_nil(iso.seconds(nil))
  end)
end)
