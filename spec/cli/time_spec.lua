-- SPDX-License-Identifier: Apache-2.0
-- Times on a command line.

local time = require "confidentai.cli.time"

describe("a length of time", function()
  it("is read in its unit", function()
    for text, seconds in pairs { ["90"] = 90, ["45s"] = 45, ["30m"] = 1800, ["24h"] = 86400, ["1.5d"] = 129600,
      ["2w"] = 1209600, ["0"] = 0, ["36500d"] = 36500 * 86400 } do
      assert.equal(seconds, time.duration(text), text)
    end
  end)

  it("is none", function()
    for _, text in ipairs { "", "d", "-1", "1e3", "1 d", "1y", "0x10", "1..5", "inf", "nan" } do
      local seconds, problem = time.argument(text)
      assert.is_nil(seconds, text)
      assert.matches("is not a duration", problem, 1, true)
    end
  end)

  it("has a unit where it is an option's", function()
    for _, text in ipairs { "24", "7", "1.5" } do
      local seconds, problem = time.argument(text)
      assert.is_nil(seconds, text)
      assert.matches(("%sh or %sd"):format(text, text), problem, 1, true)
    end
    assert.equal(0, time.argument "0")
    assert.equal(86400, time.argument "24h")
  end)

  -- Found by fuzzing: a soak that ends on a day that cannot be named was begun, and raised at each look at it.
  it("is a hundred years at most", function()
    for _, text in ipairs { "36501d", "99999999999999999999d", "9999999999999995w", ("9"):rep(400) } do
      assert.is_nil(time.duration(text), text)
    end
    assert.equal("100 years", time.length(time.duration "36500d"))
  end)
end)
