-- SPDX-License-Identifier: Apache-2.0
-- The fault matrix: every fault of the sandbox at every request of a rotation, alone and in pairs drawn by lot.
-- Whatever happens, runs without faults bring it to its end, and the promises hold all the time.
--   $CONFIDENTAI_MATRIX       how many sequences (2000)
--   $CONFIDENTAI_SEED         of the pairs (1)
--   $CONFIDENTAI_MATRIX_ONLY  the number of a single sequence, as a failure says it

local matrix = require "spec.rotation.matrix"
local sandbox = require "confidentai.sandbox"

describe("the fault matrix", function()
  local count = tonumber(os.getenv "CONFIDENTAI_MATRIX") or 2000
  local seed = tonumber(os.getenv "CONFIDENTAI_SEED") or 1
  local only = tonumber(os.getenv "CONFIDENTAI_MATRIX_ONLY")
  local service, runs

  setup(function()
    service = assert(sandbox.start { projects = { "web" }, seed = 1, witness_folder = "/" })
    runs = matrix.new(service)
  end)

  teardown(function()
    runs:finish()
    service:stop()
  end)

  it(("holds the promises in %d sequences (seed %d)"):format(count, seed), function()
    local failed, ends = {}, {}
    for i, sequence in ipairs(matrix.sequences(count, seed)) do
      if not only or only == i then
        local complaints, ended = runs:run(sequence.which, sequence.faults)
        ends[ended or "none"] = (ends[ended or "none"] or 0) + 1
        if #complaints > 0 then
          failed[#failed + 1] = ("%d: %s\n    %s"):format(i, matrix.describe(sequence),
            table.concat(complaints, "\n    "))
        end
      end
    end
    for ended, number in pairs(ends) do
      print(("%s: %d"):format(ended, number))
    end
    assert.equal("", service:errors())
    assert.is_nil(failed[1], ("%d sequences failed (seed %d):\n%s"):format(#failed, seed,
      table.concat(failed, "\n", 1, math.min(#failed, 20))))
  end)
end)
