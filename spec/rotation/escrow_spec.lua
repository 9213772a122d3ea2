-- SPDX-License-Identifier: Apache-2.0
-- What a rotation makes of the escrow that lies in its state folder.

local escrow = require "confidentai.rotation.escrow"
local folders = require "spec.folders"
local record = require "confidentai.rotation.record"
local sealed = require "confidentai.rotation.sealed"
local state_folder = require "confidentai.state.folder"

local KEY, ID, OP = "records/7/organization/ci", "lbnx2krx", "abcd2345"
local SECRET = "confident_us_org_0123456789abcdefghijkl=="

describe("an escrow", function()
  local folder = folders.each()
  local state
  before_each(function() state = assert(state_folder.open(folder.path .. "/state", true)) end)

  local function open(content)
    content.id, content.op = ID, OP
    assert(state.cas(record.escrow_key(KEY), sealed.encode("escrow", content), (select(2, state.get(
      record.escrow_key(KEY))))))
    return assert(escrow.open(state, KEY, ID))
  end

  it("gives the secret, and what stores held", function()
    local found = open { answer = '{"success":true,"data":{"apiKey":{"id":7,"value":"' .. SECRET .. '"}}}',
      previous = { ["1"] = "old", ["2"] = false } }
    assert.is_false(found.damaged)
    assert.equal(SECRET, found:secret(OP, "ijkl=="))
    assert.same({ "old", false }, { found:previous(1), found:previous(2) })
  end)

  it("gives no secret that is not one word", function()
    for _, between in ipairs { " ", "\\u001b", "\\n", "\\u0000", "\194\160" } do
      local found = open { answer = '{"success":true,"data":{"apiKey":{"id":7,"value":"' .. SECRET:sub(1, 30) .. between
        .. SECRET:sub(31) .. '"}}}' }
      assert.is_nil(found:secret(OP, "ijkl=="))
    end
  end)

  -- Found by fuzzing: it raised.
  it("is damaged when what it holds is of another kind, though its checksum is right", function()
    for _, content in ipairs { { answer = {} }, { answer = true }, { answer = 7 }, { previous = true },
      { previous = "old" }, { previous = { ["1"] = 7 } } } do
      local found = open(content)
      assert.is_true(found.damaged)
      assert.is_nil(found:secret(OP, "ijkl=="))
      assert.is_nil(found:previous(1))
    end
  end)
end)
