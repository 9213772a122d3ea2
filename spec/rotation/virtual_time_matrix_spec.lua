-- SPDX-License-Identifier: Apache-2.0
-- Whole rotations in virtual time beside consumers that use the keys, while processes are killed, answers and writes
-- are lost or late, clocks are wrong, state folders are copied and restored, and people interfere.
--   $CONFIDENTAI_VIRTUAL       how many runs (40)
--   $CONFIDENTAI_SEED     of the first run (1); a failed run's own seed is printed

local runs = require "spec.rotation.virtual.run"
local sandbox = require "confidentai.sandbox"

describe("rotations in virtual time", function()
  local count = tonumber(os.getenv "CONFIDENTAI_VIRTUAL") or 40
  local first = tonumber(os.getenv "CONFIDENTAI_SEED") or 1
  local service, all

  setup(function()
    local folder = runs.folder()
    service = assert(sandbox.start { projects = { "web" }, seed = 1, witness_folder = folder })
    all = runs.new(service, folder)
  end)

  teardown(function()
    all:finish()
    service:stop()
  end)

  it(("refuse no prompt consumer, and take no key from anybody (%d runs from seed %d)"):format(count, first), function()
    local failed = {}
    for seed = first, first + count - 1 do
      local complaints = all:run(seed)
      if #complaints > 0 then
        failed[#failed + 1] = ("seed %d: %s\n    %s"):format(seed, all:describe(seed),
          table.concat(complaints, "\n    "))
      end
    end
    print(all:report())
    for verb, acts in pairs(all.acts) do -- runs in which nothing is done prove nothing
      local acted = acts.created > 0 and acts.disabled > 0 and (acts.deleted > 0 or verb == "contain")
      assert.is_true(acted or acts.runs < 5, verb)
    end
    assert.equal("", service:errors())
    assert.is_nil(failed[1], ("%d runs failed:\n%s"):format(#failed, table.concat(failed, "\n", 1,
      math.min(#failed, 20))))
  end)
end)
