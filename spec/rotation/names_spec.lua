-- SPDX-License-Identifier: Apache-2.0
-- Names of the keys that rotations make.

local names = require "confidentai.rotation.names"

describe("the name of a key", function()
  it("is taken apart as it was made", function()
    for _, base in ipairs { "ci", "two words", "a~g1~abcdefgh", "~", "\195\169", "x\nx" } do
      local name = names.make(base, 12, "abcd2345")
      assert.same({ base, 12, "abcd2345" }, { names.parse(name) })
      assert.equal(base, names.base(name))
    end
  end)

  -- Found by fuzzing: on 5.1 it was cut at the NUL, and belonged to another base.
  it("has a base with a NUL whole", function()
    assert.equal("a\0b~g1~abcd2345", names.make("a\0b", 1, "abcd2345"))
    assert.equal("a\0b", names.base "a\0b~g1~abcd2345")
  end)

  it("is none of a rotation's", function()
    for _, name in ipairs { "ci", "ci~g0~abcd2345", "ci~g01~abcd2345", "ci~g1~abcd234", "ci~g1~abcd2341",
      "~g1~abcd2345", "ci~g1234567890~abcd2345", "ci~g1~ABCD2345" } do
      assert.is_nil(names.parse(name), name)
      assert.equal(name, names.base(name))
    end
  end)
end)
