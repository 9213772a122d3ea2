-- SPDX-License-Identifier: Apache-2.0
-- A rotation whose advance raises: `rotate advance` reports it, and does what is due of the others; its lock is free.

local advance = require "confidentai.cli.rotate.advance"
local calls = require "confidentai.rotation.calls"
local confidentai = require "confidentai"
local failure = require "confidentai.cli.failure"
local output = require "confidentai.cli.output"
local run = require "confidentai.cli.rotate.run"
local scene = require "spec.rotation.scene"

local check, DAY = confidentai.check, 86400

describe("rotate advance", function()
  local s = scene.register { projects = { "web" } }
  local real = { get = calls.get, open = run.open, records = output.records, report = failure.report }

  after_each(function()
    calls.get, run.open, output.records, failure.report = real.get, real.open, real.records, real.report
  end)

  it("goes on with the other rotations when one of them raises", function()
    local other = check(s:keys():create "other")
    local _, by_id = s:on_service()
    local first = check(s:rotate { soak = DAY, grace = DAY, adoption = "time" })
    local second = check(s:rotate { id = other.id, soak = DAY, grace = DAY, adoption = "time",
      store = s:store("second", by_id["2"].value) })
    s:pass(DAY + 1)
    local rows, reported = nil, {}
    calls.get = function(job, id)
      if job.record.id == first.id then
        error "attempt to index a nil value"
      end
      local key, err, more = real.get(job, id)
      return key, err, more
    end
    run.open = function() return { first, second } end
    output.records = function(_, list) rows = list end
    failure.report = function(err) reported[#reported + 1] = err.message end
    local exit = advance.advance(nil, { ids = {}, output = "json" })
    assert.equal(1, exit)
    assert.equal(1, #reported)
    assert.matches("a bug in this program, please report it", reported[1], 1, true)
    assert.same({ "soaking", "grace" }, { rows[1].state, rows[2].state })
    assert.is_string(rows[1].error)
    assert.is_nil(rows[2].error)
    calls.get = real.get
    assert.equal("grace", (first:advance())) -- nothing holds it
  end)
end)
