-- SPDX-License-Identifier: Apache-2.0
-- A page of a proxy has the statuses of the service. It was taken for the service's word: that a key is wrong, a
-- project is not there, or a rotation's manager key was refused.

local command = require "spec.cli.command"
local confidentai = require "confidentai"
local refusal = require "confidentai.refusal"
local scene = require "spec.rotation.scene"
local support = require "spec.support"

local PAGES = {
  { body = "<html>of a proxy</html>", content_type = "text/html" },
  { body = "default backend", content_type = "text/plain" },
  { body = '{"message":"no"}' },
  { body = "" },
}

describe("a refusal", function()
  it("is the service's own if its envelope was read, and has a status that is asked for", function()
    assert.is_true(refusal.is({ status = 404, envelope = true }, 404))
    assert.is_true(refusal.is({ status = 403, envelope = true }, 401, 403))
    assert.is_false(refusal.is({ status = 404, envelope = true }, 401, 403))
    for _, err in ipairs { { status = 404 }, { envelope = true }, {}, { status = 404, envelope = false } } do
      assert.is_false(refusal.is(err, 404))
    end
    assert.is_true(refusal.is_of_other({ status = 404 }, 401, 404))
    assert.is_false(refusal.is_of_other({ status = 404, envelope = true }, 404))
    assert.is_false(refusal.is_of_other({}, 404))
  end)
end)

describe("the page of a proxy", function()
  local s = scene.register()

  local function answer(status, page)
    s:fault { type = "status", status = status, times = -1, body = page.body, content_type = page.content_type }
  end

  it("gives no advice about keys and projects", function()
    local project = s.service.projects[1].id
    for _, page in ipairs(PAGES) do
      for _, status in ipairs { 401, 403, 404 } do
        answer(status, page)
        for _, arguments in ipairs { { "keys", "get", "1", "--project=" .. project },
          { "keys", "list", "--project=" .. project } } do
          local result = command.run(s.service, arguments)
          assert.matches("this answer is not from the service", result.errors, 1, true)
          for _, advice in ipairs { "see: ", "use an organization key", "the key is wrong", "may be a project key" } do
            assert.is_nil(result.errors:find(advice, 1, true), result.errors)
          end
        end
        s.service:clear_faults()
      end
    end
  end)

  it("does not say that a rotation's manager key is refused", function()
    s:store "key"
    for _, page in ipairs(PAGES) do
      for _, status in ipairs { 401, 403 } do
        answer(status, page)
        local opened, err = confidentai.rotation.open(s:client(), { state_dir = s:path "state" })
        assert.is_nil(opened)
        support.assert_error({ kind = "api", status = status }, err)
        s.service:clear_faults()
      end
    end
  end)
end)

describe("core.envelope", function()
  local core = require "confidentai.core"

  it("is what the envelope says of its success, and nil of any other text", function()
    assert.is_true(core.envelope '{"success":true,"data":{}}')
    assert.is_false(core.envelope '{"success":false}')
    for _, text in ipairs { "", "{}", '{"success":true', '{"success":1}', '{"success":true,"success":true}' } do
      assert.is_nil(core.envelope(text))
    end
  end)
end)
