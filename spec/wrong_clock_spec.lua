-- SPDX-License-Identifier: Apache-2.0
-- A machine whose clock was 40 days ahead took a key that was used three seconds ago for long unused, and disabled it
-- without a question; one whose clock was behind found no key old. The service's times are told by the service's clock.

local command = require "spec.cli.command"
local confidentai = require "confidentai"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("on a machine whose clock is wrong", function()
  local s = scene.register { projects = { "web" } }

  -- Uses the project's key when the service's clock is `seconds` ahead of ours.
  local function use_key(seconds)
    assert(s.service:set_clock(seconds))
    check(s:client():identify(s:on_service()[1].value, { probe = true }))
    assert.is_truthy(s:on_service()[1].lastUsed)
  end

  it("a key that was just used is not disabled without a question", function()
    for _, seconds in ipairs { -40 * DAY, 40 * DAY } do
      use_key(seconds)
      local project = { "--project", s.service.projects[1].id }
      local result = command.run(s.service, { "keys", "disable", "1", project[1], project[2] })
      assert.same({ 6, true }, { result.status, s:on_service()[1].valid })
      assert.matches("last used just now", result.errors, 1, true)
      result = command.run(s.service, { "keys", "get", "1", project[1], project[2] })
      assert.matches("LAST USED  just now", result.output, 1, true)
    end
  end)

  it("the audit judges by the service's clock", function()
    use_key(100 * DAY + 3600)
    local client = s:client()
    local report = check(client:audit { max_age_days = 90, unused_days = 90 })
    local kinds = {}
    for i, finding in ipairs(report.findings) do
      kinds[i] = finding.kind .. " " .. finding.days
    end
    table.sort(kinds)
    assert.same({ "never_used 100", "old 100", "old 100", "old 100" }, kinds)
    assert.equal(os.date("!%Y-%m-%d", os.time() + 100 * DAY + 3600), report.at:sub(1, 10))
  end)

  it("whose difference is small, our own counts", function()
    s:pass(200)
    local client = s:client()
    check(client:organization():get())
    assert.is_true(math.abs(require("confidentai.operation").now(client) - os.time()) <= 1)
  end)
end)
