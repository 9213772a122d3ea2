-- SPDX-License-Identifier: Apache-2.0
-- Times as the service writes them.

local timestamp = require "confidentai.timestamp"

describe("a time of the service", function()
  it("is read as seconds", function()
    for text, seconds in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["1969-12-31T23:59:59Z"] = -1, ["2000-02-29T12:00:00Z"] = 951825600,
      ["2026-11-23T14:05:00.25Z"] = 1795442700.25, ["2016-12-31T23:59:60Z"] = 1483228800,
      ["2100-03-01T00:00:00Z"] = 4107542400,
    } do
      assert.same({ "time", seconds }, { timestamp.read(text) }, text)
    end
  end)

  -- Each was taken for "never": a rotation disabled a key in use.
  it("is read with an offset, a fraction, a blank and small letters", function()
    for text, seconds in pairs {
      ["2026-11-23T14:05:00+00:00"] = 1795442700, ["2026-11-23T14:05:00-00:00"] = 1795442700,
      ["2026-11-23T15:05:00+01:00"] = 1795442700, ["2026-11-23T08:35:00-05:30"] = 1795442700,
      ["2026-11-24T13:04:00+22:59"] = 1795442700, ["2026-11-23 14:05:00Z"] = 1795442700,
      ["2026-11-23t14:05:00z"] = 1795442700, ["2026-11-23 14:05:00.5+00:00"] = 1795442700.5,
      ["2026-11-23T14:05:00.123456+00:00"] = 1795442700.123456,
      ["2026-11-23T14:05:00.12345678901234567890123456789012345Z"] = 1795442700.123456789,
    } do
      assert.same({ "time", seconds }, { timestamp.read(text) }, text)
    end
  end)

  it("is written in whole seconds", function()
    assert.equal("2026-11-23T14:05:00Z", timestamp.text(1795442700.9))
  end)

  it("is never, where there is none", function()
    assert.equal("never", timestamp.read(nil))
  end)

  -- Found by fuzzing: months of 94, and seconds of three digits, were read as some other time.
  it("is unreadable when it is damaged", function()
    for _, text in ipairs {
      "", "now", "null", "never", "1795442700", "2026-11-23", "2026-11-23T14:05:00", "2026-11-23T14:05:00.123456",
      "2026-11-23 14:05:00", "2026-11-23T14:05:00+24:00", "2026-11-23T14:05:00+01:60", "2026-11-23T14:05:00+1:00",
      "2026-11-23T14:05:00 +01:00", "2026-11-23T14:05:00+", "2026-11-23T14:05:00ZZ", "2026-11-23T14:05:00Z+00:00",
      "2026-11-23T14:05:00 UTC", "2026-11-23  14:05:00Z", "2026-11-23_14:05:00Z", "2026-11-23T14:05Z",
      "2026-11-23T14:05:00,5Z", " 2026-11-23T14:05:00Z", "2026-11-23T14:05:00Z\n", "2026-11-23T14:05:00Z\0",
      "2026-94-23T14:05:00Z", "2026-00-23T14:05:00Z", "2026-11-00T14:05:00Z", "2026-11-32T14:05:00Z",
      "2026-11-31T14:05:00Z", "2026-02-29T14:05:00Z", "2100-02-29T14:05:00Z", "2026-12-32T14:05:00Z",
      "2026-11-23T24:05:00Z", "2026-11-23T14:60:00Z", "2026-11-23T14:05:61Z", "2026-11-23T14:05:001Z",
      "2026-11-23T14:05:00.Z", "2026-11-23T14:05:00.1.2Z", "Mon, 23 Nov 2026 14:05:00 GMT", "12026-11-23T14:05:00Z",
    } do
      assert.same({ "unreadable" }, { timestamp.read(text) }, text)
    end
  end)
end)
